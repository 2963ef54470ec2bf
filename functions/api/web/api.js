import * as key from "./key.js";

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

const TAKES_COLLECTION = /^\/v1\/(duplicates|images|search|stats)\b/;
const collection = new URLSearchParams(location.search).get("collection");

function withCollection(path) {
  if (!collection || !TAKES_COLLECTION.test(path) || /[?&]collection=/.test(path)) return path;
  return `${path}${path.includes("?") ? "&" : "?"}collection=${encodeURIComponent(collection)}`;
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

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
  await pause(seconds);
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
    fetch(withCollection(path), {
      ...options,
      headers: usedKey ? { ...headers, Authorization: `Bearer ${usedKey}` } : headers,
    });
  let answer;
  try {
    answer = await sendWithRetries(send);
  } catch {
    throw new Problem("The server is not responding. Check your connection and that PicTrace is still running.");
  }
  if (answer.status === 204) return null;
  if (answer.headers.get("Content-Type")?.startsWith("image/")) return answer.blob();
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    const newKey = await key.request(usedKey);
    if (newKey === null) throw new Problem("This needs a key. Try again to enter one.");
    return call(path, { headers, ...options });
  }
  if (BUSY.includes(answer.status)) {
    throw new Problem(`${body.detail || "The server is busy."} Several attempts failed.`, answer.status);
  }
  if (!answer.ok) throw new Problem(body.detail || `The server answered ${answer.status}.`, answer.status);
  return body;
}

const json = (body) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const K = 12;

/** Search by a file; `options` are the search options as a query string. */
export function searchFile(file, options) {
  const form = new FormData();
  form.append("file", file, "query");
  return call(`/v1/search?k=${K}&${options}`, { method: "POST", body: form });
}

export const searchUrl = (url, options) => call(`/v1/search?k=${K}&${options}`, json({ url }));
export const similar = (id, options) => call(`/v1/images/${id}/similar?k=${K}&${options}`);
export const duplicates = (cursor) =>
  call(`/v1/duplicates?limit=12${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

/** Return a drawing that compares two pictures, as a Blob. `a` is a file, or the id or URL of a picture. */
export function comparison(kind, a, b) {
  if (typeof a === "string") return call(`/v1/compare?picture=${kind}`, json({ a, b }));
  const form = new FormData();
  form.append("a", a, "query");
  form.append("b", b);
  return call(`/v1/compare?picture=${kind}`, { method: "POST", body: form });
}

export const stats = () => call("/v1/stats");

/** Delete a picture, if it still exists, from the collection in which it is shown and from no other. */
export async function remove({ image_id: id, collection: from }) {
  try {
    await call(`/v1/images/${id}?collection=${encodeURIComponent(from)}`, { method: "DELETE" });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
  }
}

/** Return a page of pictures; `filter` is a query string that limits them. */
export const images = (filter, cursor) =>
  call(`/v1/images?limit=24${filter}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const upload = (id) => call(`/v1/uploads/${id}`);

export const openUpload = (filename, type) =>
  call("/v1/uploads", json({ filename, content_type: type, ...(collection && { collection }) }));

/** Return a short-lived URL of a picture for an `<img>`, which cannot send a key itself. */
export const link = async (path) => (await call(path, { headers: { Accept: "application/json" } })).url;
