/** The uploads of the page: a queue of files, worked off a few at a time, with its progress. */
import * as collections from "./collections.js";
import { byId, make } from "./dom.js";
import * as key from "./key.js";
import { text } from "./text.js";
import * as upload from "./upload.js";
import * as queue from "./upload_queue.js";

const CONCURRENT_UPLOADS = 4;
const CONCURRENT_WAITS = 16;
const SHOWN_ROWS = 12;
const SHOWN_FAILURES = 200;
const RATE_SECONDS = 30;
const REPORT_MS = 3000;
const NEEDS_KEY = 401;
const NOT_FOUND = 404;

const waiting = [];
const active = new Set(); // the entries that have no final state yet
const failed = new Map(); // of entry ids: { entry, row }
let sending = 0;
let indexing = 0;
let total = 0;
let finished = 0;
let added = 0;
let last = null; // the outcome of the last upload
let times = []; // of the uploads that finished lately
let cancellation = new AbortController();
let maxBytes = Infinity;
let report = () => {};
let reported = new Map(); // of collections: how many images were added to each since the last report
let lastReport = 0;
let paused = false; // until a key is entered
let storing = false; // whether files are being stored, so that it is not known yet which cannot be

export const setLimit = (bytes) => (maxBytes = bytes);
const running = () => finished < total;

/** Return the number of files that are not added yet. */
export const left = () => active.size;

function line(entry) {
  const bar = make("progress", { max: 1, value: 0, "aria-label": text.uploadOf(entry.name) });
  const state = make("span", { className: "state" }, text.waiting);
  const row = make("li", {}, make("span", { className: "name", title: entry.path }, entry.name), state, bar);
  byId("uploads").append(row);
  const ended = [...byId("uploads").querySelectorAll(":scope > .ended")];
  const surplus = byId("uploads").children.length - SHOWN_ROWS;
  for (const old of ended.slice(0, Math.max(0, surplus))) old.remove();
  return { row, bar, state };
}

/** Return the number of files that a reload would lose. */
const unsaved = () => [...active].filter((entry) => !entry.kept).length;

/** Show how far all uploads are. */
function show() {
  const pending = running();
  const lost = pending ? unsaved() : 0;
  const now = Date.now() / 1000;
  times = times.filter((at) => at > now - RATE_SECONDS);
  const rate = times.length > 1 ? (times.length - 1) / Math.max(0.5, now - times[0]) : 0;
  byId("uploads-panel").hidden = total === 0 && failed.size === 0;
  byId("uploads-progress").hidden = !pending;
  byId("uploads-progress").value = total ? finished / total : 0;
  byId("cancel-uploads").hidden = !pending;
  byId("close-uploads").hidden = pending;
  byId("resume-uploads").hidden = !paused;
  if (pending) byId("uploads-status").textContent = paused ? text.waitForKey(total - finished) : text.uploading(finished, total, rate, rate && (total - finished) / rate);
  byId("uploads-warning").hidden = lost === 0 || storing;
  byId("uploads-warning").textContent = text.wouldBeLost(lost);
  byId("failures").hidden = failed.size === 0;
  byId("failures-title").textContent = text.failures(failed.size);
}

function fail(entry, reason) {
  const again = make("button", { type: "button", "aria-label": text.retryOf(entry.name) }, text.retry);
  again.onclick = () => retry([entry.id]);
  const row = make("li", { className: "rejected" }, make("span", { className: "name", title: entry.path }, entry.name), again, make("span", { className: "state" }, reason));
  failed.set(entry.id, { entry, row });
  if (failed.size <= SHOWN_FAILURES) byId("failed").append(row);
  if (entry.kept) queue.keep({ ...entry, failure: reason });
}

/** Note that an entry has its final state, whether or not it was added. */
function end(entry, outcome, { row, bar, state }) {
  bar.remove();
  row.className = `ended ${outcome.status}`;
  state.textContent = outcome.failure ?? (outcome.reason ? `${text.states[outcome.status]}: ${outcome.reason}` : text.states[outcome.status]);
  finished += 1;
  times.push(Date.now() / 1000);
  last = outcome;
  active.delete(entry);
  if (outcome.status === "rejected") fail(entry, state.textContent);
  else {
    added += 1;
    if (entry.kept) queue.forget(entry.id);
  }
  show();
  if (outcome.status === "indexed") reported.set(entry.collection, (reported.get(entry.collection) ?? 0) + 1);
  tell();
}

/** Let the grid and the counts follow, at most every few seconds, and once at the end. */
function tell() {
  const over = !running();
  if (!over && Date.now() - lastReport < REPORT_MS) return;
  lastReport = Date.now();
  if (over) conclude();
  sendReport(over);
}

function sendReport(over) {
  const fresh = reported;
  reported = new Map();
  report({ fresh, over });
}

function conclude() {
  const why = total === 1 && last?.reason ? ` ${last.reason}` : "";
  const said = cancellation.signal.aborted ? text.cancelled(added, total) : `${text.uploaded(added, total)}${why}`;
  byId("uploads-status").textContent = said;
}

function discard(entry) {
  active.delete(entry);
  if (entry.kept) queue.forget(entry.id);
}

async function process(entry) {
  const shown = line(entry);
  const { signal } = cancellation;
  sending += 1;
  let sent = false;
  const release = () => {
    if (sent) indexing -= 1;
    else sending -= 1;
    work();
  };
  try {
    if (!entry.uploadId) {
      shown.state.textContent = text.sending;
      entry.uploadId = await upload.send(entry.file, entry.collection, { maxBytes, signal, onProgress: (share) => (shown.bar.value = share * 0.9) });
      if (entry.kept) queue.keep({ ...entry });
    }
    shown.state.textContent = text.indexing;
    shown.bar.removeAttribute("value");
    sent = true;
    sending -= 1;
    indexing += 1;
    work();
    const outcome = await upload.finish(entry.uploadId, signal);
    if (outcome.status === "rejected") entry.uploadId = null;
    end(entry, outcome, shown);
  } catch (problem) {
    if (signal.aborted) {
      shown.row.remove();
      discard(entry);
    } else if (problem.status === NEEDS_KEY) {
      shown.row.remove();
      waiting.unshift(entry);
      paused = true;
      show();
    } else {
      if (problem.status === NOT_FOUND) entry.uploadId = null; // it is sent anew
      end(entry, { status: "rejected", reason: problem.message, failure: problem.message }, shown);
    }
  } finally {
    release();
  }
}

function work() {
  while (!paused && waiting.length && sending < CONCURRENT_UPLOADS && indexing < CONCURRENT_WAITS) process(waiting.shift());
}

/** Go on, as with a key; without one, the first call asks for it. */
function resume() {
  paused = false;
  show();
  work();
}

/** Store the files that still wait, while the first are sent already. */
async function keepWaiting(entries) {
  storing = true;
  for (const entry of entries) {
    const { uploadId } = entry;
    if (!active.has(entry) || !(await queue.keep(entry))) continue;
    entry.kept = true;
    if (entry.uploadId !== uploadId) queue.keep({ ...entry }); // it was sent meanwhile
    if (!active.has(entry) && !failed.has(entry.id)) queue.forget(entry.id);
  }
  storing = false;
  show();
}

function enqueue(entries) {
  if (!running()) {
    total = finished = added = 0;
    last = null;
    times = [];
    cancellation = new AbortController();
    for (const row of byId("uploads").querySelectorAll(":scope > .ended")) row.remove();
  }
  total += entries.length;
  for (const entry of entries) active.add(entry);
  waiting.push(...entries);
  byId("uploads-title").textContent = text.uploadsTo(entries[0].collection && collections.titleFor(entries[0].collection));
  resume();
}

/** Add files to the collection that is shown. */
export function add(files, collection) {
  const entries = [...files].map((file, order) => ({
    id: `${Date.now()}-${order}-${Math.random().toString(36).slice(2)}`,
    order: Date.now() + order / 1e6,
    name: file.name,
    path: file.webkitRelativePath || file.name,
    collection,
    file,
  }));
  enqueue(entries);
  byId("uploads-title").scrollIntoView({ block: "nearest" });
  keepWaiting(entries);
}

function retry(ids) {
  const entries = ids.map((id) => {
    const { entry, row } = failed.get(id);
    failed.delete(id);
    row.remove();
    if (entry.kept) queue.keep(entry);
    return entry;
  });
  enqueue(entries);
}

/** Stop the uploads; what was added stays. */
export function cancel() {
  cancellation.abort(new Error("cancelled"));
  paused = false;
  for (const entry of waiting.splice(0)) discard(entry);
  conclude();
  for (const row of byId("uploads").querySelectorAll(":scope > :not(.ended)")) row.remove();
  finished = total;
  show();
  sendReport(true);
}

function dismiss() {
  for (const { entry } of failed.values()) if (entry.kept) queue.forget(entry.id);
  failed.clear();
  byId("failed").replaceChildren();
  show();
}

/** Set up the panel, and go on with what an earlier page left; `changed({ fresh, over })` lets the page follow. */
export async function start(changed) {
  report = changed;
  byId("cancel-uploads").onclick = cancel;
  byId("resume-uploads").onclick = resume;
  key.onEntered(resume);
  byId("retry-all").onclick = () => retry([...failed.keys()]);
  byId("dismiss-failures").onclick = dismiss;
  byId("close-uploads").onclick = () => {
    total = finished = 0;
    byId("uploads").replaceChildren();
    dismiss();
  };
  addEventListener("beforeunload", (event) => {
    if (running() && unsaved()) event.preventDefault();
  });
  const left = (await queue.adopt()).map((entry) => ({ ...entry, kept: true }));
  // Of those that were sent, the state may be known by now.
  for (const entry of left.filter(({ failure, uploadId }) => failure && !uploadId)) fail(entry, entry.failure);
  const rest = left.filter(({ failure, uploadId }) => !failure || uploadId).map(({ failure, ...entry }) => entry);
  if (rest.length) enqueue(rest);
  show();
}
