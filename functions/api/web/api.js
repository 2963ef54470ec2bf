import * as key from "./key.js";

/** An error answer of the API; `message` is its detail, for people. `wait` says after how many seconds to try again. */
export class Problem extends Error {
  constructor(message, wait = 0) {
    super(message);
    this.wait = wait;
  }
}

const collection = new URLSearchParams(location.search).get("collection");

function within(path) {
  if (!collection || /[?&]collection=/.test(path)) return path;
  return `${path}${path.includes("?") ? "&" : "?"}collection=${encodeURIComponent(collection)}`;
}

async function call(path, { headers, ...options } = {}) {
  const used = key.held();
  let answer;
  try {
    answer = await fetch(within(path), {
      ...options,
      headers: used ? { ...headers, Authorization: `Bearer ${used}` } : headers,
    });
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
  if (!answer.ok) {
    throw new Problem(body.detail || `The server answered ${answer.status}.`, Number(answer.headers.get("Retry-After")));
  }
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
export const images = (cursor) => call(`/v1/images?limit=24${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const remove = (id) => call(`/v1/images/${id}`, { method: "DELETE" });
export const upload = (id) => call(`/v1/uploads/${id}`);

export const openUpload = (filename, type) =>
  call("/v1/uploads", json({ filename, content_type: type, ...(collection && { collection }) }));

/** The short-lived address of a picture, which an `<img>` may load: it cannot send a key itself. */
export const link = async (path) => (await call(path, { headers: { Accept: "application/json" } })).url;
