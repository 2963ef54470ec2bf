/** The trash of a collection: images and albums that were deleted and can be restored. */
import * as api from "./api.js";
import { byId, each, make, moment, nameOf, sizeOf } from "./dom.js";
import { confirm, toast } from "./notices.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";

const CONCURRENT_RESTORES = 4;

const rows = new Map(); // of the images that are listed
const placeOf = ({ collection, image_id: id }) => `${collection}/${id}`;

let next = null;
let latest = 0;
let restored = () => {};

/** Restore images that were deleted; return how many were. */
export async function restore(images) {
  let count = 0;
  let why = "";
  await each(images, CONCURRENT_RESTORES, async (image) => {
    try {
      await api.restore(image);
      count += 1;
      rows.get(placeOf(image))?.remove();
    } catch (problem) {
      why = problem.message;
    }
  });
  if (rows.size) show();
  toast(why ? text.notRestored(images.length - count, why) : text.restored(count));
  if (count) await restored();
  return count;
}

/** Restore a deleted album; return whether it was. */
export async function restoreAlbum(album) {
  try {
    await api.restoreAlbum(album);
  } catch (problem) {
    toast(problem.message);
    return false;
  }
  toast(text.restored(1));
  return true;
}

function imageLine(image) {
  const row = line(image, thumbnail(image), nameOf(image), sizeOf(image), () => restore([image]));
  rows.set(placeOf(image), row);
  return row;
}

function albumLine(album) {
  const picture = make("img", { alt: "", src: "/static/icon.svg", className: "missing" });
  return line(album, picture, album.title, text.albumImages(album.images), () => restoreAlbum(album));
}

/** Return the row at a place, or the last one. */
const rowAt = (place) => byId("trashed").children[place] ?? byId("trashed").lastElementChild;

function line(deleted, picture, name, note, bringBack) {
  const again = make("button", { type: "button", "aria-label": text.restoreOf(name) }, text.restore);
  const row = make(
    "li",
    {},
    make("span", { className: "thumb" }, picture),
    make(
      "span",
      { className: "what" },
      make("span", { className: "name", title: name }, name),
      make("small", {}, note),
      make("small", {}, text.trashed(moment(deleted.trashed_at), moment(deleted.purged_at))),
    ),
    again,
  );
  again.onclick = async () => {
    const at = [...byId("trashed").children].indexOf(row);
    again.disabled = true;
    if (await bringBack()) row.remove();
    again.disabled = false;
    show();
    if (document.activeElement === document.body) (row.isConnected ? row : rowAt(at))?.querySelector("button").focus();
    if (document.activeElement === document.body) byId("trash-title").focus();
  };
  return row;
}

async function append() {
  const mine = latest;
  const page = await api.trash(next);
  if (mine !== latest) return;
  next = page.cursor;
  byId("trashed").append(...page.images.map(imageLine));
  byId("trash-days").textContent = text.trashKept(page.days);
  show();
}

function clear() {
  rows.clear();
  byId("trashed").replaceChildren();
}

function show() {
  const empty = byId("trashed").children.length === 0 && next === null;
  byId("more-trash").hidden = next === null;
  byId("no-trash").hidden = !empty;
  byId("empty-trash").hidden = empty;
}

/** Ask whether to purge all that is in the trash, and do it. */
export async function empty() {
  const yes = await confirm({ title: text.askEmpty, explanation: text.whyEmpty, action: text.emptyTrash, danger: true });
  if (!yes) return;
  await api.emptyTrash();
  next = null;
  clear();
  show();
  toast(text.emptied);
  byId("trash-title").focus();
}

/** Show the deleted albums and the first page of images. */
export async function load() {
  latest += 1;
  next = null;
  clear();
  const mine = latest;
  const { albums } = await api.trashedAlbums();
  if (mine !== latest) return;
  byId("trashed").append(...albums.map(albumLine));
  await append();
}

export const more = append;

/** Set what lets the page follow the return of images. */
export function start(followReturn) {
  restored = followReturn;
}
