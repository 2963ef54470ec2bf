import { pause } from "./dom.js";
import * as key from "./key.js";
import * as route from "./route.js";
import { text } from "./text.js";

const BUSY = [429, 503];
const MAX_ATTEMPTS = 6;
const FIRST_WAIT_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 8;
const MAX_TOTAL_WAIT_SECONDS = 90;

/** An error that the page shows; `message` is the detail of the API's problem, or a sentence of the page's own. */
export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Return a path with the collection that the page shows, for the calls that take one. */
function inCollection(path) {
  const { collection } = route.current();
  return collection ? `${path}${path.includes("?") ? "&" : "?"}collection=${encodeURIComponent(collection)}` : path;
}

const waiting = new Set();
let notifyBusy = () => {};

/** Call `listener` with the seconds until a call is retried because the server is busy, and with 0 once none waits. */
export function onBusy(listener) {
  notifyBusy = listener;
}

async function waitForRetry(seconds) {
  const retry = { seconds };
  waiting.add(retry);
  notifyBusy(seconds);
  await pause(1000 * seconds);
  waiting.delete(retry);
  if (waiting.size === 0) notifyBusy(0);
}

/** Return the seconds in `Retry-After`, which is a number or a date (RFC 9110, 10.2.3), or 0 without the header. */
function retryAfter(answer) {
  const text = answer.headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Math.max(0, seconds || 0);
}

/** Send a request, and retry it while the server is busy. Random delays keep pages from retrying all at once. */
async function sendWithRetries(send) {
  let waited = 0;
  for (let attempt = 1; ; attempt++) {
    const answer = await send();
    if (!BUSY.includes(answer.status)) return answer;
    const backoff = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
    const least = retryAfter(answer);
    const seconds = least ? least + Math.random() * FIRST_WAIT_SECONDS : backoff;
    waited += seconds;
    if (attempt === MAX_ATTEMPTS || waited > MAX_TOTAL_WAIT_SECONDS) return answer;
    await waitForRetry(seconds);
  }
}

async function call(path, { headers, ...options } = {}) {
  const usedKey = key.current();
  const send = () =>
    fetch(path, {
      ...options,
      headers: usedKey ? { ...headers, Authorization: `Bearer ${usedKey}` } : headers,
    });
  let answer;
  try {
    answer = await sendWithRetries(send);
  } catch {
    throw new Problem(text.notResponding);
  }
  if (answer.status === 204) return null;
  if (answer.headers.get("Content-Type")?.startsWith("image/")) return answer.blob();
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    const newKey = await key.request(usedKey);
    if (newKey === null) throw new Problem(text.needsKey, answer.status);
    return call(path, { headers, ...options });
  }
  if (BUSY.includes(answer.status)) {
    throw new Problem(text.attemptsFailed(body.detail || text.serverBusy), answer.status);
  }
  if (!answer.ok) throw new Problem(body.detail || text.answered(answer.status), answer.status);
  return body;
}

const json = (body, method = "POST") => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

const part = (name, value) => (value ? `&${name}=${encodeURIComponent(value)}` : "");

/** Return the path of a stored image, with its own collection and no other. */
const pathOf = ({ image_id: id, collection }, rest = "") => `/v1/images/${id}${rest}?collection=${encodeURIComponent(collection)}`;

const K = 12;

/** Search by a file; `options` are the search options as a query string. */
export function searchFile(file, options) {
  const form = new FormData();
  form.append("file", file, "query");
  return call(inCollection(`/v1/search?k=${K}&${options}`), { method: "POST", body: form });
}

export const searchUrl = (url, options) => call(inCollection(`/v1/search?k=${K}&${options}`), json({ url }));
export const similar = (image, options) => call(`${pathOf(image, "/similar")}&k=${K}&${options}`);

/** Return a drawing that compares two images, as a Blob. `a` is a file, or the id or URL of an image. */
export function comparison(kind, a, b) {
  if (typeof a === "string") return call(`/v1/compare?picture=${kind}`, json({ a, b }));
  const form = new FormData();
  form.append("a", a, "query");
  form.append("b", b);
  return call(`/v1/compare?picture=${kind}`, { method: "POST", body: form });
}

export const stats = () => call(inCollection("/v1/stats"));

/** Return a page of images; `filter` is a query string that limits and orders them. */
export const images = (filter, cursor, limit) => call(inCollection(`/v1/images?limit=${limit}${filter}${part("cursor", cursor)}`));

export const image = (id) => call(inCollection(`/v1/images/${id}`));

/** Change the annotations of an image; return its record. */
export const annotate = (image, change) => call(pathOf(image), json(change, "PATCH"));

export const tags = () => call(inCollection("/v1/tags"));

/**
 * Give an image a tag, or remove it; return its record. The tag is in the body: API Gateway decodes an address, and cuts it
 * at a question mark, before the function sees it.
 */
export const setTag = (image, tag, wanted) => annotate(image, { decided_tags: { [tag]: wanted } });

export const albums = (cursor) => call(inCollection(`/v1/albums?limit=48${part("cursor", cursor)}`));
export const albumsOf = (image) => call(`/v1/albums?image_id=${image.image_id}&collection=${encodeURIComponent(image.collection)}`);
export const createAlbum = (title) => {
  const { collection } = route.current();
  return call("/v1/albums", json({ title, ...(collection && { collection }) }));
};
const pathOfAlbum = (id, rest = "") => inCollection(`/v1/albums/${encodeURIComponent(id)}${rest}`);
export const album = (id) => call(pathOfAlbum(id));
export const changeAlbum = (id, change) => call(pathOfAlbum(id), json(change, "PATCH"));
export const deleteAlbum = (id) => call(pathOfAlbum(id), { method: "DELETE" });
export const changeAlbumImages = (id, change) => call(pathOfAlbum(id, "/images"), json(change, "PATCH"));
export const shares = (id) => call(pathOfAlbum(id, "/shares"));
export const createShare = (id, days) => call(pathOfAlbum(id, "/shares"), json({ days }));
export const revokeShare = (id, share) => call(pathOfAlbum(id, `/shares/${share}`), { method: "DELETE" });

/** Delete an image, if it still exists, from the collection in which it is shown and from no other. */
export async function remove(image) {
  try {
    await call(pathOf(image), { method: "DELETE" });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
  }
}

/** Return a short-lived URL of an image for an `<img>`, which cannot send a key itself. */
export const link = async (path) => (await call(path, { headers: { Accept: "application/json" } })).url;
export const contentLink = (image) => link(pathOf(image, "/content"));
export const downloadLink = (image) => link(`${pathOf(image, "/content")}&download=true`);
export const thumbnailLink = (image) => link(pathOf(image, "/thumbnail"));

export const openUpload = (filename, type, collection) =>
  call("/v1/uploads", json({ filename, content_type: type, ...(collection && { collection }) }));
export const upload = (id) => call(`/v1/uploads/${id}`);

export const collections = (cursor) => call(`/v1/collections?limit=50${part("cursor", cursor)}`);
/** Return a collection, or null if there is none of this name. */
export async function collection(name) {
  try {
    return await call(`/v1/collections/${name}`);
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}
export const putCollection = (name, title) => call(`/v1/collections/${name}`, json({ title }, "PUT"));
export const setFaces = (name, faces) => call(`/v1/collections/${name}`, json({ faces }, "PATCH"));
export const removeCollection = (name) => call(`/v1/collections/${name}`, { method: "DELETE" });
export const imagesOf = (collection) => call(`/v1/images?limit=100&collection=${encodeURIComponent(collection)}`);

export const people = (cursor, hidden) => call(inCollection(`/v1/people?limit=48&hidden=${hidden}${part("cursor", cursor)}`));
export const samePeople = (cursor) => call(inCollection(`/v1/people/suggestions?limit=5${part("cursor", cursor)}`));

/** Return the path of a person, with their own collection and no other. */
const personPath = ({ person_id: id, collection }, rest = "") => `/v1/people/${id}${rest}?collection=${encodeURIComponent(collection)}`;

export const person = (one) => call(personPath(one));

/** Return the person of an id in the collection that the page shows. */
export const personHere = (id) => call(inCollection(`/v1/people/${id}`));
export const changePerson = (person, change) => call(personPath(person), json(change, "PATCH"));
export const mergePeople = (person, into) => call(personPath(person, "/merge"), json({ into: into.person_id }));
export const unmergePerson = (person) => call(personPath(person, "/unmerge"), { method: "POST" });
export const tellApart = (person, other) => call(personPath(person, "/apart"), json({ person_id: other.person_id }));

export const trash = (cursor) => call(inCollection(`/v1/trash?limit=48${part("cursor", cursor)}`));
export const emptyTrash = () => call(inCollection("/v1/trash"), { method: "DELETE" });
export const restore = ({ image_id: id, collection }) =>
  call(`/v1/trash/${id}/restore?collection=${encodeURIComponent(collection)}`, { method: "POST" });
export const trashedAlbums = () => call(inCollection("/v1/trash/albums?limit=100"));
export const restoreAlbum = ({ album_id: id, collection }) =>
  call(`/v1/trash/albums/${id}/restore?collection=${encodeURIComponent(collection)}`, { method: "POST" });

export const duplicateGroup = (id) => call(inCollection(`/v1/duplicates/${id}`));

/** Delete all images of some groups but those to `keep`, as [{ group_id, keep }]; at most 24 groups. */
export const resolve = (groups, collection) => call("/v1/duplicates/resolve", json({ groups, collection, dry_run: false }));

/** Choose the image of a group that is kept; return the group. */
export const prefer = (group, image) =>
  call(`/v1/duplicates/${group.group_id}/kept?collection=${encodeURIComponent(image.collection)}`, json({ image_id: image.image_id }, "PUT"));

/** Remember that an image is no near-duplicate of another one. */
export const separate = (one, other) =>
  call("/v1/duplicates/decisions", json({ images: [one.image_id, other.image_id], decision: "different", collection: one.collection }));
export const startCheck = () => call(inCollection("/v1/duplicates/check"), { method: "POST" });
export const checkState = () => call(inCollection("/v1/duplicates/check"));
export const duplicates = (cursor, limit) => call(inCollection(`/v1/duplicates?limit=${limit}${part("cursor", cursor)}`));
