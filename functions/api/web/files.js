/** Files and folders that were chosen or dropped. */
const MEDIA_TYPES = {
  jpg: "image/jpeg", jpeg: "image/jpeg", jpe: "image/jpeg", png: "image/png", webp: "image/webp", gif: "image/gif", bmp: "image/bmp",
  tif: "image/tiff", tiff: "image/tiff", avif: "image/avif",
};
const KNOWN = new Set(Object.values(MEDIA_TYPES));

/** Return the media type of a file; browsers do not know all of them. */
export function typeOf(file) {
  if (KNOWN.has(file.type)) return file.type;
  return MEDIA_TYPES[file.name.split(".").at(-1).toLowerCase()] ?? (file.type || "application/octet-stream");
}

/** Return those files of a folder that are images; others are in every folder and no failures. */
export const imagesAmong = (files) => files.filter((file) => KNOWN.has(typeOf(file)) && !file.name.startsWith("."));

const read = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

async function* walk(entry) {
  if (entry.isFile) yield await fileOf(entry);
  else {
    const reader = entry.createReader();
    // A reader returns at most 100 entries at a time in Chromium.
    for (let entries = await read(reader); entries.length; entries = await read(reader)) for (const one of entries) yield* walk(one);
  }
}

/** Return `{ files, folder }` of a drop: all files in it, and whether there was a folder. Call it while the event is handled. */
export async function dropped(transfer) {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...(transfer?.files ?? [])];
  if (!entries.some((entry) => entry.isDirectory)) return { files, folder: false };
  const found = [];
  for (const entry of entries) for await (const file of walk(entry)) found.push(file);
  return { files: found, folder: true };
}
