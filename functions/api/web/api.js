import * as key from "./key.js";

const BUSY = [429, 503];
const TRIES = 6;
const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 8;
const PATIENCE = 90;

/** An error answer of the API; `message` is its detail, for people. */
export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const collection = new URLSearchParams(location.search).get("collection");

function within(path) {
  if (!collection || /[?&]collection=/.test(path)) return path;
  return `${path}${path.includes("?") ? "&" : "?"}collection=${encodeURIComponent(collection)}`;
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

const waiting = new Set();
let told = () => {};

/** `tell` hears the seconds until a call that a busy server refused is made again, and 0 when none is waited for. */
export function onBusy(tell) {
  told = tell;
}

async function wait(seconds) {
  const turn = { seconds };
  waiting.add(turn);
  told(seconds);
  await pause(seconds);
  waiting.delete(turn);
  if (waiting.size === 0) told(0);
}

/** Seconds that an answer asks to wait, as a number or a date (RFC 9110, 10.2.3), or 0. */
function asked(answer) {
  const text = answer.headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Math.max(0, seconds || 0);
}

/** Send a request until the server is not too busy for it. The random part keeps pages from all coming back at once. */
async function patiently(send) {
  let waited = 0;
  for (let tries = 1; ; tries++) {
    const answer = await send();
    if (!BUSY.includes(answer.status)) return answer;
    const backoff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
    const least = asked(answer);
    const seconds = least ? least + Math.random() * FIRST_WAIT : backoff;
    waited += seconds;
    if (tries === TRIES || waited > PATIENCE) return answer;
    await wait(seconds);
  }
}

async function call(path, { headers, ...options } = {}) {
  const used = key.held();
  const send = () =>
    fetch(within(path), {
      ...options,
      headers: used ? { ...headers, Authorization: `Bearer ${used}` } : headers,
    });
  let answer;
  try {
    answer = await patiently(send);
  } catch {
    throw new Problem("The server does not answer. Is it still running?");
  }
  if (answer.status === 204) return null;
  if (answer.headers.get("Content-Type")?.startsWith("image/")) return answer.blob();
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    const given = await key.instead(used);
    if (given === null) throw new Problem("This needs a key.");
    return call(path, { headers, ...options });
  }
  if (BUSY.includes(answer.status)) {
    throw new Problem(`${body.detail || "The server is busy."} It was asked several times.`, answer.status);
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

/** `how` is the query string that says how to search. */
export function searchFile(file, how) {
  const form = new FormData();
  form.append("file", file, "query");
  return call(`/v1/search?k=${K}&${how}`, { method: "POST", body: form });
}

export const searchUrl = (url, how) => call(`/v1/search?k=${K}&${how}`, json({ url }));
export const similar = (id, how) => call(`/v1/images/${id}/similar?k=${K}&${how}`);
export const duplicates = (cursor) =>
  call(`/v1/duplicates?limit=12${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

/** A drawing of how two pictures compare, as a Blob. `a` is a file, or the id or web address of a picture. */
export function comparison(kind, a, b) {
  if (typeof a === "string") return call(`/v1/compare?picture=${kind}`, json({ a, b }));
  const form = new FormData();
  form.append("a", a, "query");
  form.append("b", b);
  return call(`/v1/compare?picture=${kind}`, { method: "POST", body: form });
}

export const stats = () => call("/v1/stats");

/** Delete an image from the collection that it is shown in, and from no other. One that is gone already is no problem. */
export async function remove({ image_id: id, collection: from }) {
  try {
    await call(`/v1/images/${id}?collection=${encodeURIComponent(from)}`, { method: "DELETE" });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
  }
}


/** `only` is the query string that says which. */
export const images = (only, cursor) =>
  call(`/v1/images?limit=24${only}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const upload = (id) => call(`/v1/uploads/${id}`);

export const openUpload = (filename, type) =>
  call("/v1/uploads", json({ filename, content_type: type, ...(collection && { collection }) }));

/** The short-lived address of a picture, which an `<img>` may load: it cannot send a key itself. */
export const link = async (path) => (await call(path, { headers: { Accept: "application/json" } })).url;
