import * as api from "./api.js";
import { pause } from "./dom.js";
import { typeOf } from "./files.js";
import { text } from "./text.js";

const FIRST_POLL_MS = 400;
const SLOWEST_POLL_MS = 5000;
const MAX_WAIT_MS = 120_000;
const ATTEMPTS = 3;
const RETRY_MS = 1500;

let usualWait = FIRST_POLL_MS; // until an upload is indexed, so that most are asked about once

/** Return whether a problem is one of the connection, or of a server that is busy or restarting. */
const passing = (problem) => problem instanceof api.Problem && (problem.status === 0 || problem.status === 429 || problem.status >= 500);

/** Send the form of an upload; S3 requires the file to be its last field. */
function post({ url, fields }, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, "image");
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new api.Problem(text.refusedByStorage, request.status)));
    request.onerror = () => reject(new api.Problem(text.notSent));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", url);
    request.send(form);
  });
}

/** Send a file to the collection, again where the connection fails; return the id of the upload. */
export async function send(file, collection, { maxBytes, onProgress, signal }) {
  if (file.size > maxBytes) throw new api.Problem(text.tooLarge(Math.floor(maxBytes / 2 ** 20)));
  if (file.size === 0) throw new api.Problem(text.emptyFile);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      const form = await api.openUpload(file.name, typeOf(file), collection);
      signal.throwIfAborted();
      await post(form, file, onProgress, signal);
      return form.upload_id;
    } catch (problem) {
      if (!passing(problem) || attempt === ATTEMPTS) throw problem;
      await pause(RETRY_MS * attempt);
    }
  }
}

/** Wait until an upload has a final state, and return that state. It was sent, so calls that fail are only made again. */
export async function finish(id, signal) {
  const started = Date.now();
  let wait = usualWait;
  let failure = null;
  while (Date.now() - started < MAX_WAIT_MS) {
    await pause(wait);
    signal.throwIfAborted();
    let state = null;
    try {
      state = await api.upload(id);
      failure = null;
    } catch (problem) {
      if (!passing(problem)) throw problem;
      failure = problem;
    }
    if (state && state.status !== "pending") {
      usualWait = Math.min(SLOWEST_POLL_MS, Math.max(FIRST_POLL_MS, 0.8 * usualWait + 0.2 * (Date.now() - started)));
      return state;
    }
    wait = Math.min(Math.max(wait, FIRST_POLL_MS) * 1.3, SLOWEST_POLL_MS);
  }
  throw failure ?? new api.Problem(text.stillIndexing);
}
