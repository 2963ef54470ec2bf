/** Files and folders that were chosen or dropped. */
const ENDINGS = new Set(
  (
    "jpg jpeg jpe jfif jpg_large png webp gif bmp tif tiff avif heic heif jxl " +
    "dng nef cr2 cr3 arw orf rw2 raf pef srw 3fr crw dcr erf iiq mef mos mrw x3f"
  ).split(" "),
);

/** Return the media type of a file, as far as the browser knows it; the server looks at the bytes. */
export const typeOf = (file) => file.type || "application/octet-stream";

/** Return whether a file is an image, by its type or, as browsers do not know all types, by its name. */
export function isImage(file) {
  if (file.name.startsWith(".") || file.type === "image/svg+xml") return false;
  return file.type.startsWith("image/") || ENDINGS.has(file.name.split(".").at(-1).toLowerCase());
}

/** Return those files of a folder that are images; others are in every folder and no failures. */
export const imagesAmong = (files) => files.filter(isImage);

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
