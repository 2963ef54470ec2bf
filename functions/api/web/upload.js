import * as api from "./api.js";
import { byId, make } from "./dom.js";

const POLL_MS = 400;
const SLOWEST_POLL_MS = 5000;
const PATIENCE_MS = 120_000;
const AT_ONCE = 4;

/** Send the form that the API opened; a file goes last, as S3 asks. */
function send({ url, fields }, file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, "picture");
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new api.Problem("The storage refused the picture.")));
    request.onerror = () => reject(new api.Problem("The picture could not be sent to the storage."));
    request.open("POST", url);
    request.send(form);
  });
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function finished(id) {
  let wait = POLL_MS;
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS; wait = Math.min(wait * 1.3, SLOWEST_POLL_MS)) {
    const state = await api.upload(id);
    if (state.status !== "pending") return state;
    await pause(wait);
  }
  throw new api.Problem("It is not indexed yet; look again in a minute.");
}

const WORDS = { indexed: "Indexed", duplicate: "Already in the collection", rejected: "Rejected" };

/** A line that shows how far one file is. */
function line(file) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const how = make("span", { className: "how" }, "Waiting");
  const row = make("li", {}, make("span", { className: "name", title: file.name }, file.name), how, bar);
  return { row, bar, how };
}

/** Upload one file into the collection; gives its final state, with the reason where it was rejected or failed. */
async function add(file, { row, bar, how }, most) {
  try {
    if (file.size > most) throw new api.Problem(`A picture may have ${Math.floor(most / 2 ** 20)} MB.`);
    how.textContent = "Sending …";
    const type = file.type || "application/octet-stream";
    const opened = await api.openUpload(file.name, type);
    await send(opened, file, (share) => (bar.value = share * 0.9));
    how.textContent = "Indexing …";
    bar.removeAttribute("value");
    const state = await finished(opened.upload_id);
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

/** Upload files, a few at once and none of more than `most` bytes, each with its line; gives their final states. */
export async function addEach(files, most) {
  for (const row of byId("uploads").querySelectorAll(":scope > [class]")) row.remove();
  const waiting = [...files].map((file, index) => ({ file, index, shown: line(file) }));
  byId("uploads").append(...waiting.map(({ shown }) => shown.row));
  const states = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      states[next.index] = await add(next.file, next.shown, most);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return states;
}
