/** Compare a whole collection again, with its progress. */
import * as api from "./api.js";
import { byId, pause } from "./dom.js";
import * as route from "./route.js";
import { text } from "./text.js";

const POLL_MS = 2000;
const NOT_FOUND = 404;

let latest = 0;
let about = null; // the collection whose check the line is about
let running = false; // as far as the line says

const say = (sentence) => (byId("check-status").textContent = sentence);

/** Show the progress of the check whose state `ask` returns, while its collection is shown; call `done` when it ends. */
async function follow(ask, done) {
  const mine = ++latest;
  const { collection } = route.current();
  const isShown = () => mine === latest && !byId("duplicates").hidden && route.current().collection === collection;
  about = collection;
  byId("look-again").disabled = true;
  try {
    let state = await ask();
    running = true;
    while (state.status === "running") {
      if (!isShown()) return;
      say(text.checking(state.done, state.images));
      await pause(POLL_MS);
      if (!isShown()) return;
      state = await api.checkState();
    }
    if (!isShown()) return;
    running = false;
    say(state.status === "done" ? text.checked(state.changed) : text.checkFailed(state.done, state.images));
    await done();
  } catch (problem) {
    if (!isShown()) return;
    say(running && problem.status === NOT_FOUND ? "" : problem.message);
    running = false;
  } finally {
    if (mine === latest) byId("look-again").disabled = false;
  }
}

/** Start a check and follow it; call `done` when it ends. */
export const start = (done) => follow(api.startCheck, done);

/** Go on following the check that was running when its collection was shown last; of another one, say nothing. */
export async function resume(done) {
  if (about !== route.current().collection) {
    latest += 1;
    running = false;
    byId("look-again").disabled = false;
    say("");
  } else if (running) await follow(api.checkState, done);
}
