/** The dialog that adds images to an album. */
import * as api from "./api.js";
import { changeImages, cover } from "./albums.js";
import { byId, make } from "./dom.js";
import { toast } from "./notices.js";
import { text } from "./text.js";

const dialog = byId("choose-album");
const report = (message) => (byId("choose-album-status").textContent = message);

async function attempt(work) {
  report("");
  try {
    await work();
  } catch (problem) {
    report(problem.message);
  }
}

/** Ask for an album, and add images to it. */
export function choose(images) {
  const add = (album) =>
    attempt(async () => {
      const ids = images.map((image) => image.image_id);
      await changeImages(album.album_id, "add", ids);
      dialog.close();
      toast(text.addedToAlbum(album.title, ids.length));
    });
  const line = (album) => {
    const what = make("span", { className: "what" }, make("span", { className: "name" }, album.title), make("small", {}, text.albumImages(album.images)));
    const button = make("button", { type: "button", className: "choice", onclick: () => add(album) }, make("span", { className: "thumb" }, cover(album)), what);
    return make("li", {}, button);
  };
  const load = async (cursor) => {
    const page = await api.albums(cursor);
    byId("album-choices").append(...page.albums.map(line));
    if (page.cursor) await load(page.cursor);
    else if (!byId("album-choices").children.length) report(text.noAlbums);
  };
  byId("album-choices").replaceChildren();
  byId("choose-new-title").value = "";
  byId("choose-new-album").onsubmit = (event) => {
    event.preventDefault();
    attempt(async () => add(await api.createAlbum(byId("choose-new-title").value.trim())));
  };
  dialog.showModal();
  attempt(() => load(null));
}
