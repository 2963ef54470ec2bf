/** An error answer of the API; `message` is its detail, for people. */
export class Problem extends Error {}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem("The server does not answer. Is it still running?");
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(body.detail || `The server answered ${answer.status}.`);
  return body;
}

const json = (body) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const K = 12;

export function searchFile(file, ranking) {
  const form = new FormData();
  form.append("file", file, "query");
  return call(`/v1/search?k=${K}&ranking=${ranking}`, { method: "POST", body: form });
}

export const searchUrl = (url, ranking) => call(`/v1/search?k=${K}&ranking=${ranking}`, json({ url }));
export const similar = (id, ranking) => call(`/v1/images/${id}/similar?k=${K}&ranking=${ranking}`);
export const stats = () => call("/v1/stats");
export const images = (cursor) => call(`/v1/images?limit=24${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
export const image = (id) => call(`/v1/images/${id}`);
export const remove = (id) => call(`/v1/images/${id}`, { method: "DELETE" });
export const openUpload = (filename, type) => call("/v1/uploads", json({ filename, content_type: type }));
export const upload = (id) => call(`/v1/uploads/${id}`);
