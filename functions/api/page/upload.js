import * as api from "./api.js";
import { byId, make } from "./dom.js";

const POLL_MS = 400;
const SLOWEST_POLL_MS = 5000;
const PATIENCE_MS = 120_000;

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

/** A key that has spent its minute is asked with again in the next. */
function patient(problem) {
  if (!problem.wait) throw problem;
  return { status: "pending", wait: problem.wait };
}

async function finished(id) {
  let pause = POLL_MS;
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS; ) {
    const state = await api.upload(id).catch(patient);
    if (state.status !== "pending") return state;
    await new Promise((resolve) => setTimeout(resolve, Math.max(pause, 1000 * (state.wait ?? 0))));
    pause = Math.min(pause * 1.3, SLOWEST_POLL_MS);
  }
  throw new api.Problem("It is not indexed yet; look again in a minute.");
}

const WORDS = { indexed: "Indexed", duplicate: "Already in the collection", rejected: "Rejected" };

/** Upload one file into the collection, with a line that shows how far it is. Gives the final state, or null. */
export async function add(file) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const how = make("span", { className: "how" }, "Sending …");
  const row = make("li", {}, make("span", { className: "name" }, file.name), how, bar);
  byId("uploads").prepend(row);
  try {
    const opened = await api.openUpload(file.name, file.type || "application/octet-stream");
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
    return null;
  } finally {
    bar.remove();
  }
}
