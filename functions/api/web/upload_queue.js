/** The files that wait to be uploaded, in the browser's own storage, so that a reload loses none. */
import { pause } from "./dom.js";

const DATABASE = "pictrace-uploads";
const STORE = "files";
const SHARE_OF_QUOTA = 0.5;
const OPEN_MS = 1000; // a browser that takes longer may never answer

const owner = crypto.randomUUID?.() ?? null; // of what this page stores; there is none where the page is not a secure context
let opened = null;
let changes = Promise.resolve(); // all that were asked for

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Hold a lock for as long as the page lives, so that other pages know that it looks after its files. */
const live = () => navigator.locks.request(`${DATABASE}-${owner}`, () => new Promise(() => {}));

async function open() {
  if (!owner || !navigator.locks || !window.indexedDB) throw new Error("not stored");
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  request.addEventListener("success", () => {
    // Another tab deletes it, and would wait for this one.
    request.result.onversionchange = () => {
      request.result.close();
      opened = null;
    };
  });
  const late = pause(OPEN_MS).then(() => {
    throw new Error("not opened");
  });
  return Promise.race([done(request), late]);
}

async function store(mode) {
  opened ??= open().then((database) => {
    live();
    return database;
  });
  return (await opened).transaction(STORE, mode).objectStore(STORE);
}

/** Make changes one after the other, so that no file comes back because it is stored later than it is forgotten. */
const inTurn = (change) => (changes = changes.then(change).catch(() => false));

/** Store a file of the queue; return whether that is possible. */
export const keep = (entry) =>
  inTurn(async () => {
    const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
    if (entry.file && quota && entry.file.size > (quota - usage) * SHARE_OF_QUOTA) return false;
    await done((await store("readwrite")).put({ ...entry, owner }));
    return true;
  });

/** Remove a file from the queue, if it is stored. */
export const forget = (id) => inTurn(async () => done((await store("readwrite")).delete(id)));

/** Return whether no page looks after the files of an owner. */
const abandoned = (who) =>
  navigator.locks.request(`${DATABASE}-${who}`, { ifAvailable: true }, async (lock) => lock !== null);

/** Return the files that pages left behind that are closed by now, and take them over. */
export async function adopt() {
  try {
    const owners = new Map();
    const left = [];
    for (const entry of await done((await store("readonly")).getAll())) {
      if (entry.owner === owner) continue;
      if (!owners.has(entry.owner)) owners.set(entry.owner, await abandoned(entry.owner));
      if (owners.get(entry.owner)) left.push(entry);
    }
    for (const entry of left) await keep(entry);
    return left.sort((a, b) => a.order - b.order);
  } catch {
    return [];
  }
}

/** Forget all files, as with the key that they were to be uploaded with. */
export function clear() {
  return new Promise((resolve) => {
    opened?.then((database) => database.close(), () => {});
    const request = window.indexedDB?.deleteDatabase(DATABASE);
    if (!request) resolve();
    else request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}
