/** Compare a whole collection again, with its progress. */
import * as api from "./api.js";
import { byId, pause } from "./dom.js";
import { text } from "./text.js";

const POLL_MS = 2000;

let latest = 0;

/** Show the progress of a check until it ends; return whether one ended while it was shown. */
async function follow(state) {
  const mine = ++latest;
  while (state.status === "running") {
    byId("check-status").textContent = text.checking(state.done, state.images);
    await pause(POLL_MS);
    if (mine !== latest || byId("duplicates").hidden) return false;
    state = await api.checkState();
  }
  byId("check-status").textContent = state.status === "done" ? text.checked(state.changed) : text.checkFailed(state.done, state.images);
  return true;
}

/** Start a check and follow it; call `done` when it ends. */
export async function start(done) {
  byId("look-again").disabled = true;
  try {
    if (await follow(await api.startCheck())) await done();
  } catch (problem) {
    byId("check-status").textContent = problem.message;
  } finally {
    byId("look-again").disabled = false;
  }
}
