/** Files and folders that were chosen or dropped. */
import { toast } from "./notices.js";
import { text } from "./text.js";

let endings = new Set();

/** Set the endings of the names of images, and have the dialogues offer such files. */
export function setEndings(known) {
  endings = new Set(known);
  const accepted = ["image/*", ...known.map((ending) => `.${ending}`)].join(",");
  for (const input of document.querySelectorAll("input[type=file][accept]")) input.accept = accepted;
}

/** Return the media type of a file, as far as the browser knows it; the server looks at the bytes. */
export const typeOf = (file) => file.type || "application/octet-stream";

/** Return whether a file is an image, by its type or, as browsers do not know all types, by its name. */
function isImage(file) {
  if (file.name.startsWith(".") || file.type === "image/svg+xml") return false;
  return file.type.startsWith("image/") || endings.has(file.name.split(".").at(-1).toLowerCase());
}

/** Return whether a file may be an image, as its name and type say nothing: only the server can tell. */
const mayBeImage = (file) => isImage(file) || (!file.type && !file.name.includes("."));

/** Return those files of a folder that are images; others are in every folder and no failures. */
export const imagesAmong = (files) => files.filter(isImage);

/** Return those of files dropped one by one that are, or may be, images. */
export const possibleImagesAmong = (files) => files.filter(mayBeImage);

const read = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/** Add the files in an entry, however deep, to `found`; return how many files and folders cannot be read. */
async function collect(entry, found) {
  let unreadable = 0;
  try {
    if (entry.isFile) found.push(await fileOf(entry));
    else {
      const reader = entry.createReader();
      // A reader returns at most 100 entries at a time in Chromium.
      for (let entries = await read(reader); entries.length; entries = await read(reader)) for (const one of entries) unreadable += await collect(one, found);
    }
  } catch {
    unreadable += 1;
  }
  return unreadable;
}

/** Return `{ files, folder }` of a drop: all files in it, and whether there was a folder. Call it while the event is handled. */
export async function dropped(transfer) {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...(transfer?.files ?? [])];
  if (!entries.some((entry) => entry.isDirectory)) return { files, folder: false };
  const found = [];
  let unreadable = 0;
  for (const entry of entries) unreadable += await collect(entry, found);
  if (unreadable) toast(text.unreadable(unreadable));
  return { files: found, folder: true };
}
