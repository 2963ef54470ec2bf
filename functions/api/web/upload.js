import * as api from "./api.js";
import { byId, make } from "./dom.js";

const POLL_MS = 400;
const SLOWEST_POLL_MS = 5000;
const MAX_WAIT_MS = 120_000;
const CONCURRENT_UPLOADS = 4;

/** Send the form of an upload; S3 requires the file to be its last field. */
function send({ url, fields }, file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, "picture");
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new api.Problem("The storage rejected the picture. Try again.")));
    request.onerror = () => reject(new api.Problem("The picture could not be sent. Check your connection and try again."));
    request.open("POST", url);
    request.send(form);
  });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function waitUntilFinished(id) {
  let wait = POLL_MS;
  for (const started = Date.now(); Date.now() - started < MAX_WAIT_MS; wait = Math.min(wait * 1.3, SLOWEST_POLL_MS)) {
    const state = await api.upload(id);
    if (state.status !== "pending") return state;
    await pause(wait);
  }
  throw new api.Problem("It is still being indexed; reload the page in a minute.");
}

const WORDS = { indexed: "Indexed", duplicate: "Already in the collection", rejected: "Rejected" };

/** Create a line that shows the progress of one file. */
function line(file) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const how = make("span", { className: "how" }, "Waiting");
  const row = make("li", {}, make("span", { className: "name", title: file.name }, file.name), how, bar);
  return { row, bar, how };
}

/** Upload one file to the collection; return its final state, with the reason if it was rejected or failed. */
async function add(file, { row, bar, how }, maxBytes) {
  try {
    if (file.size > maxBytes) throw new api.Problem(`A picture can have at most ${Math.floor(maxBytes / 2 ** 20)} MB.`);
    how.textContent = "Sending …";
    const type = file.type || "application/octet-stream";
    const opened = await api.openUpload(file.name, type);
    await send(opened, file, (share) => (bar.value = share * 0.9));
    how.textContent = "Indexing …";
    bar.removeAttribute("value");
    const state = await waitUntilFinished(opened.upload_id);
    row.className = state.status;
    how.textContent = state.reason ? `${WORDS[state.status]}: ${state.reason}` : WORDS[state.status];
    return state;
  } catch (problem) {
    row.className = "rejected";
    how.textContent = problem.message;
    return { status: "rejected", reason: problem.message };
  } finally {
    bar.remove();
  }
}

/** Upload files, a few at a time, each with a progress line; return their final states. */
export async function addEach(files, maxBytes) {
  for (const row of byId("uploads").querySelectorAll(":scope > [class]")) row.remove();
  const waiting = [...files].map((file, index) => ({ file, index, progress: line(file) }));
  byId("uploads").append(...waiting.map(({ progress }) => progress.row));
  const states = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      states[next.index] = await add(next.file, next.progress, maxBytes);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_UPLOADS }, work));
  return states;
}
