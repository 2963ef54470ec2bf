import * as api from "./api.js";
import { start } from "./background.js";
import * as browse from "./browse.js";
import { byId, nameOf } from "./dom.js";
import * as duplicates from "./duplicates.js";
import * as key from "./key.js";
import * as picture from "./picture.js";
import * as results from "./results.js";
import { addEach } from "./upload.js";
import { open as view } from "./viewer.js";

const SHRUNK_SIDE = 1024;

let limits = { max_query_bytes: 4_400_000, max_upload_bytes: 25 * 2 ** 20 };
let query = null; // { ask(how), part, shown or image, name, file } of the last search; `part` stands for it in a comparison
let turn = 0;

const how = () =>
  `ranking=${document.querySelector("input[name=ranking]:checked").value}&effort=${byId("effort").value}${browse.only()}`;

function say(text) {
  byId("status").textContent = text;
}

/** Show a problem, with a button for `again` where there is something to try again. */
function complain(problem, again = null) {
  byId("problem").textContent = problem ? problem.message : "";
  byId("problem").hidden = !problem;
  byId("again").hidden = !again;
  byId("again").onclick = () => {
    complain(null);
    again();
  };
  if (!problem) return;
  say("");
  byId("problem").scrollIntoView({ block: "nearest" });
}

async function attempt(work) {
  try {
    await work();
  } catch (problem) {
    complain(problem, () => attempt(work));
  }
}

/** A picture too large for a request, made smaller; what the browser cannot read goes as it is. */
async function fitting(file) {
  if (file.size <= limits.max_query_bytes) return file;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return file;
  const scale = Math.min(1, SHRUNK_SIDE / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

async function search(asked) {
  query = asked;
  const mine = ++turn;
  complain(null);
  say("Searching …");
  byId("results").setAttribute("aria-busy", "true");
  byId("query-image").onerror = null;
  if (asked.image) picture.show(byId("query-image"), asked.image);
  else byId("query-image").src = asked.shown;
  byId("query-image").alt = `Your picture: ${asked.name}`;
  byId("query-name").textContent = asked.name;
  byId("keep").hidden = !asked.file;
  try {
    const answer = await asked.ask(how());
    if (mine !== turn) return;
    picture.count();
    say(results.show(answer, (match) => open(match.image, match)));
    byId("keep").hidden = !asked.file || answer.matches.some((match) => match.verdict === "identical");
    byId("results-title").focus({ preventScroll: true });
    byId("results").scrollIntoView({ block: "start" });
  } catch (problem) {
    if (mine !== turn) return;
    byId("results").hidden = true;
    complain(problem, () => search(asked));
  } finally {
    if (mine === turn) byId("results").removeAttribute("aria-busy");
  }
}

function searchFile(file) {
  const small = fitting(file);
  const name = file.name || "pasted picture";
  const shown = URL.createObjectURL(file);
  search({ ask: async (by) => api.searchFile(await small, by), part: small, shown, name, file });
}

function searchStored(image) {
  search({ ask: (by) => api.similar(image.image_id, by), part: image.image_id, image, name: nameOf(image), file: null });
}

/** List what has a label. */
function showLabel(label) {
  byId("label").value = label;
  browse.refresh(open).catch(complain);
  byId("collection-title").focus();
}

function open(image, match = null) {
  view(image, {
    match,
    query: match ? query : null,
    moreLikeThis: searchStored,
    others: showLabel,
    removed: async () => {
      await Promise.all([refresh(), match ? search(query) : null]);
      if (!match) byId("collection-title").focus();
      say("Deleted.");
    },
  });
}

/** The images come first; where a key is missing, only that one call is refused. */
const refresh = () =>
  attempt(async () => {
    await browse.refresh(open);
    await Promise.all([duplicates.refresh(open, refresh), count()]);
    picture.count();
  });

async function count() {
  const stats = await api.stats();
  limits = stats.limits;
  byId("count").textContent = `${stats.images}${stats.exact ? "" : "+"}`;
  byId("count").hidden = false;
  byId("notice").textContent = stats.notice ?? "";
  byId("notice").hidden = !stats.notice;
  byId("model").textContent = `Model: ${stats.model.id}.`;
}

async function addAll(files) {
  complain(null);
  const states = await addEach(files, limits.max_upload_bytes);
  const done = states.filter((state) => state.status !== "rejected").length;
  const why = states.length === 1 && states[0].reason ? ` ${states[0].reason}` : "";
  say(`${done} of ${states.length} ${states.length === 1 ? "picture is" : "pictures are"} in the collection.${why}`);
  await refresh();
}

function searchAddress(url) {
  search({ ask: (by) => api.searchUrl(url, by), part: url, shown: "/static/icon.svg", name: url, file: null });
}

/** Search what was dropped or pasted: a picture, or the address of one. Says whether there was either. */
function searchTransfer(transfer) {
  const file = [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) {
    searchFile(file);
    return true;
  }
  const words = (transfer?.getData("text/uri-list") || transfer?.getData("text/plain") || "").trim();
  if (!/^https?:\/\/\S+$/.test(words)) return false;
  searchAddress(words);
  return true;
}

for (const id of ["choose", "another"]) byId(id).onclick = () => byId("file").click();
byId("file").onchange = ({ target }) => {
  if (target.files[0]) searchFile(target.files[0]);
  target.value = "";
};
byId("add").onclick = () => byId("files").click();
byId("files").onchange = async ({ target }) => {
  const files = [...target.files];
  target.value = "";
  await addAll(files);
};
byId("keep").onclick = () => addAll([query.file]);
byId("more").onclick = () => attempt(() => browse.more(open));
byId("more-groups").onclick = () => attempt(() => duplicates.more(open, refresh));
byId("address").onsubmit = (event) => {
  event.preventDefault();
  searchAddress(byId("url").value.trim());
};
byId("how").onchange = ({ target }) => {
  complain(null);
  if (target.id === "label") browse.refresh(open).catch(complain);
  if (query) search(query);
};
byId("label").onsearch = ({ target }) => target.value || target.dispatchEvent(new Event("change", { bubbles: true }));

addEventListener("paste", (event) => {
  if (!event.target.closest?.("input")) searchTransfer(event.clipboardData);
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("drop").classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  if (!searchTransfer(event.dataTransfer)) complain(new api.Problem("That is neither a picture nor the address of one."));
});

let before = null; // the status line's text while it says that the server is busy, and what it said then
api.onBusy((seconds) => {
  const said = byId("status").textContent;
  if (seconds) {
    before = { text: before?.busy === said ? before.text : said, busy: `The server is busy. Trying again in ${Math.ceil(seconds)} s …` };
    say(before.busy);
  } else if (before?.busy === said) {
    say(before.text);
  }
});
start();
key.start();
refresh();
