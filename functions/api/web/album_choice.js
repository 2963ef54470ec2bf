/** The dialog that adds images to an album. */
import * as api from "./api.js";
import { changeImages, cover } from "./albums.js";
import { byId, make, oneAtATime } from "./dom.js";
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
    const button = make("button", { type: "button", className: "choice" }, make("span", { className: "thumb" }, cover(album)), what);
    button.onclick = oneAtATime(button, () => add(album));
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
  const create = oneAtATime(byId("choose-new-album").querySelector("button"), () =>
    attempt(async () => {
      const album = await api.createAlbum(byId("choose-new-title").value.trim());
      byId("choose-new-title").value = "";
      byId("album-choices").prepend(line(album)); // to be chosen, if adding to it fails
      await add(album);
    }),
  );
  byId("choose-new-album").onsubmit = (event) => {
    event.preventDefault();
    create();
  };
  dialog.showModal();
  attempt(() => load(null));
}
