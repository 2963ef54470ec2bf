/** The files of the last searches, by their SHA-256, for a day, so that Back and a reload search for them again. */
const DATABASE = "pictrace-queries";
const STORE = "files";
const MOST_KEPT = 20;
const KEPT_MS = 86_400_000;

const here = new Map();

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function store(mode) {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  const database = await done(request);
  return database.transaction(STORE, mode).objectStore(STORE);
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
  here.set(id, { file, small });
  try {
    const files = await store("readwrite");
    await done(files.put({ id, file, small, at: Date.now() }));
    await tidy(files);
  } catch {
    // Then it is kept until the page is closed.
  }
  return id;
}

/** Return `{ file, small }` of an id, or null if this browser does not have it. */
export async function find(id) {
  if (here.has(id)) return here.get(id);
  try {
    return (await done((await store("readonly")).get(id))) ?? null;
  } catch {
    return null;
  }
}

/** Delete what is kept for more than a day. */
export const start = () => store("readwrite").then(tidy).catch(() => {});

export function clear() {
  here.clear();
  return new Promise((resolve) => {
    const request = window.indexedDB?.deleteDatabase(DATABASE);
    if (!request) resolve();
    else request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}
