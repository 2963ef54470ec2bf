/** The albums of a collection: listed, opened, changed and deleted. */
import * as api from "./api.js";
import { byId, make, oneAtATime } from "./dom.js";
import * as grid from "./grid.js";
import { confirm, toast } from "./notices.js";
import * as route from "./route.js";
import * as sharing from "./sharing.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";
import { restoreAlbum } from "./trash.js";

const AT_ONCE = 100;

const list = byId("album-list");
let next = null;
let latest = 0;
let current = null; // the album whose images the page shows
let attempt = (work) => work();

export const shown = () => current;

/** Return the cover of an album as an element. */
export function cover(album) {
  if (!album.cover_url) return make("img", { alt: "", src: "/static/icon.svg", className: "missing" });
  return thumbnail({ image_id: album.cover, collection: album.collection, thumbnail_url: album.cover_url });
}

function card(album) {
  const name = make("span", { className: "name", title: album.title }, album.title);
  const link = make("a", { href: route.bare({ album: album.album_id }) }, cover(album), name, make("small", {}, text.albumImages(album.images)));
  return make("li", {}, link);
}

function showEnd() {
  byId("more-albums").hidden = next === null;
  byId("no-albums").hidden = list.children.length > 0;
}

async function append() {
  const mine = latest;
  const page = await api.albums(next);
  if (mine !== latest) return;
  list.append(...page.albums.map(card));
  next = page.cursor;
  showEnd();
}

/** Show the first page. */
export async function load() {
  latest += 1;
  next = null;
  list.replaceChildren();
  byId("no-albums").hidden = true;
  await append();
}

/** Show which album is open, by its id; none if it is null. */
export async function open(id) {
  if (id !== current?.album_id) current = null;
  const isOpen = id !== null;
  showActions();
  byId("upload-actions").hidden = isOpen;
  byId("album-description").hidden = true;
  if (!isOpen) return;
  byId("collection-title").textContent = current?.title ?? "…";
  const album = await api.album(id);
  if (route.current().album === id) show(album);
}

/** Show what can be done with the open album, once it is known. */
function showActions() {
  for (const name of ["album-actions", "unalbum-selected", "cover-selected"]) byId(name).hidden = !current;
}

function show(album) {
  current = album;
  showActions();
  byId("collection-title").textContent = album.title;
  document.title = `${album.title} – PicTrace`;
  byId("album-description").textContent = album.description ?? "";
  byId("album-description").hidden = !album.description;
}

function edit() {
  const dialog = byId("edit-album-dialog");
  byId("edit-album-title").value = current.title;
  byId("edit-album-description").value = current.description ?? "";
  byId("edit-album-status").textContent = "";
  byId("edit-album-form").onsubmit = async (event) => {
    event.preventDefault();
    try {
      const description = byId("edit-album-description").value.trim() || null;
      show(await api.changeAlbum(current.album_id, { title: byId("edit-album-title").value.trim(), description }));
      dialog.close();
    } catch (problem) {
      byId("edit-album-status").textContent = problem.message;
    }
  };
  dialog.showModal();
}

async function remove() {
  const album = current;
  const { album_id: id, title } = album;
  const yes = await confirm({ title: text.askDeleteAlbum(title), explanation: text.whyDeleteAlbum, action: text.deleteAlbum, danger: true });
  if (!yes) return;
  await api.deleteAlbum(id);
  const undo = async () => {
    if (await restoreAlbum(album)) route.open(route.bare({ album: id }));
  };
  toast(text.albumDeleted(title), [text.undo, undo]);
  route.open(route.bare({ view: "albums" }), { replace: true });
}

/** Choose an image of the open album as its cover. */
export async function chooseCover(image) {
  show(await api.changeAlbum(current.album_id, { cover: image.image_id }));
  toast(text.coverChosen);
}

/** Have images "add"ed to an album, or "remove"d from it; return the album. */
export async function changeImages(id, action, ids) {
  let album = null;
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    ({ album } = await api.changeAlbumImages(id, { [action]: ids.slice(start, start + AT_ONCE) }));
  }
  return album;
}

/** Take images out of the open album; return their ids. */
export async function takeOut(images) {
  const before = current;
  const ids = images.map((image) => image.image_id);
  current = await changeImages(before.album_id, "remove", ids);
  toast(text.removedFromAlbum(before.title, ids.length), [text.undo, () => attempt(() => putBack(before, ids))]);
  return new Set(ids);
}

/** Add images again that were taken out of an album, which is given as it was before. */
async function putBack({ album_id: id, cover: chosen }, ids) {
  let album = await changeImages(id, "add", ids);
  if (ids.includes(chosen) && album.cover !== chosen) album = await api.changeAlbum(id, { cover: chosen });
  toast(text.addedToAlbum(album.title, ids.length));
  if (current?.album_id !== id) return;
  current = album;
  await grid.load(route.current());
}

/** Set up the view; `guard(work)` does work and shows what goes wrong. */
export function start(guard) {
  attempt = guard;
  byId("more-albums").onclick = oneAtATime(byId("more-albums"), () => attempt(append));
  const create = oneAtATime(byId("new-album").querySelector("button"), () =>
    attempt(async () => {
      const album = await api.createAlbum(byId("new-album-title").value.trim());
      byId("new-album-title").value = "";
      list.prepend(card(album));
      showEnd();
    }),
  );
  byId("new-album").onsubmit = (event) => {
    event.preventDefault();
    create();
  };
  byId("edit-album").onclick = edit;
  byId("share-album").onclick = () => sharing.open(current);
  byId("delete-album").onclick = () => attempt(remove);
}
