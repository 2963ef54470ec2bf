/** The files of the last searches, by their SHA-256, for a day, so that Back and a reload search for them again. */
import { pause } from "./dom.js";

const DATABASE = "pictrace-queries";
const STORE = "files";
const MOST_KEPT = 20;
const KEPT_MS = 86_400_000;
// A browser that takes longer may never answer. A file is searched for meanwhile; without it, a reload shows another one.
const KEEP_MS = 1000;
const FIND_MS = 10_000;

const here = new Map();

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Do `work` with the store. It is closed then, and whenever another tab deletes it, which would wait for this one otherwise. */
async function withStore(mode, work) {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  const database = await done(request);
  database.onversionchange = () => database.close();
  try {
    return await work(database.transaction(STORE, mode).objectStore(STORE));
  } finally {
    database.close();
  }
}

async function idOf(file) {
  if (!crypto.subtle) return `local-${Date.now()}`; // there is none where the page is not a secure context
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Delete the files that are kept for long enough, or that are too many. */
async function tidy(files) {
  const all = (await done(files.getAll())).sort((a, b) => b.at - a.at);
  for (const [place, old] of all.entries()) if (place >= MOST_KEPT || old.at < Date.now() - KEPT_MS) files.delete(old.id);
}

/** Keep a file, of which `small` is searched for; return its id. */
export async function keep(file, small) {
  const id = await idOf(file);
  here.delete(id);
  here.set(id, { file, small });
  for (const old of [...here.keys()].slice(0, -MOST_KEPT)) here.delete(old);
  const stored = withStore("readwrite", async (files) => {
    await done(files.put({ id, file, small, at: Date.now() }));
    await tidy(files);
  });
  await Promise.race([stored.catch(() => {}), pause(KEEP_MS)]); // if it fails, the file is kept until the page is closed
  return id;
}

/** Return `{ file, small }` of an id, or null if this browser does not have it. */
export async function find(id) {
  if (here.has(id)) return here.get(id);
  const stored = withStore("readonly", (files) => done(files.get(id)));
  return (await Promise.race([stored.catch(() => null), pause(FIND_MS)])) ?? null;
}

/** Delete what is kept for more than a day. */
export const start = () => withStore("readwrite", tidy).catch(() => {});

export function clear() {
  here.clear();
  return new Promise((resolve) => {
    const request = window.indexedDB?.deleteDatabase(DATABASE);
    if (!request) resolve();
    else request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}
