import * as api from "./api.js";
import { start } from "./background.js";
import * as browse from "./browse.js";
import { byId, nameOf } from "./dom.js";
import * as duplicates from "./duplicates.js";
import * as key from "./key.js";
import * as thumbnails from "./thumbnails.js";
import * as results from "./results.js";
import { addEach } from "./upload.js";
import { open as view } from "./viewer.js";

const SHRUNK_SIDE = 1024;

let limits = { max_query_bytes: 4_400_000, max_upload_bytes: 25 * 2 ** 20 };
let query = null; // { run(options), operand, preview or image, name, file } of the last search; `operand` is for comparisons
let latest = 0;

const searchOptions = () =>
  `ranking=${document.querySelector("input[name=ranking]:checked").value}&effort=${byId("effort").value}${browse.labelFilter()}`;

function setStatus(text) {
  byId("status").textContent = text;
}

/** Show a problem, or hide it if `problem` is null, with a button that calls `retry` if there is one. */
function showProblem(problem, retry = null) {
  byId("problem").textContent = problem ? problem.message : "";
  byId("problem").hidden = !problem;
  byId("again").hidden = !retry;
  byId("again").onclick = () => {
    showProblem(null);
    retry();
  };
  if (!problem) return;
  setStatus("");
  byId("problem").scrollIntoView({ block: "nearest" });
}

async function attempt(work) {
  try {
    await work();
  } catch (problem) {
    showProblem(problem, () => attempt(work));
  }
}

/** Return a file, shrunk if it is too large for a request and the browser can read it. */
async function shrinkToLimit(file) {
  if (file.size <= limits.max_query_bytes) return file;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return file;
  const scale = Math.min(1, SHRUNK_SIDE / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

async function search(request) {
  query = request;
  const mine = ++latest;
  showProblem(null);
  setStatus("Searching …");
  byId("results").setAttribute("aria-busy", "true");
  byId("query-image").onerror = null;
  if (request.image) thumbnails.show(byId("query-image"), request.image);
  else byId("query-image").src = request.preview;
  byId("query-image").alt = `Your picture: ${request.name}`;
  byId("query-name").textContent = request.name;
  byId("keep").hidden = !request.file;
  try {
    const answer = await request.run(searchOptions());
    if (mine !== latest) return;
    thumbnails.reportMissing();
    setStatus(results.show(answer, (match) => open(match.image, match)));
    byId("keep").hidden = !request.file || answer.matches.some((match) => match.verdict === "identical");
    byId("results-title").focus({ preventScroll: true });
    byId("results").scrollIntoView({ block: "start" });
  } catch (problem) {
    if (mine !== latest) return;
    byId("results").hidden = true;
    showProblem(problem, () => search(request));
  } finally {
    if (mine === latest) byId("results").removeAttribute("aria-busy");
  }
}

function searchFile(file) {
  const small = shrinkToLimit(file);
  const name = file.name || "pasted picture";
  const preview = URL.createObjectURL(file);
  search({ run: async (options) => api.searchFile(await small, options), operand: small, preview, name, file });
}

function searchStored(image) {
  search({
    run: (options) => api.similar(image.image_id, options),
    operand: image.image_id,
    image,
    name: nameOf(image),
    file: null,
  });
}

/** List the pictures that have a label. */
function showLabel(label) {
  byId("label").value = label;
  browse.refresh(open).catch(showProblem);
  byId("collection-title").focus();
}

function open(image, match = null) {
  view(image, {
    match,
    query: match ? query : null,
    moreLikeThis: searchStored,
    onLabel: showLabel,
    onRemoved: async () => {
      await Promise.all([refresh(), match ? search(query) : null]);
      if (!match) byId("collection-title").focus();
      setStatus("Deleted.");
    },
  });
}

/** Show the collection. The pictures are loaded first, so that without a key only one call is refused. */
const refresh = () =>
  attempt(async () => {
    await browse.refresh(open);
    await Promise.all([duplicates.refresh(open, refresh), showStats()]);
    thumbnails.reportMissing();
  });

async function showStats() {
  const stats = await api.stats();
  limits = stats.limits;
  byId("count").textContent = `${stats.images}${stats.exact ? "" : "+"}`;
  byId("count").hidden = false;
  byId("collection-title").textContent = stats.collection === "default" ? "The collection" : `The collection “${stats.collection}”`;
  byId("notice").textContent = stats.notice ?? "";
  byId("notice").hidden = !stats.notice;
  byId("model").textContent = `Model: ${stats.model.id}.`;
}

async function addAll(files) {
  showProblem(null);
  const states = await addEach(files, limits.max_upload_bytes);
  const done = states.filter((state) => state.status !== "rejected").length;
  const why = states.length === 1 && states[0].reason ? ` ${states[0].reason}` : "";
  setStatus(`${done} of ${states.length} ${states.length === 1 ? "picture is" : "pictures are"} in the collection.${why}`);
  await refresh();
}

function searchAddress(url) {
  search({
    run: (options) => api.searchUrl(url, options),
    operand: url,
    preview: "/static/icon.svg",
    name: url,
    file: null,
  });
}

/** Search by what was dropped or pasted, a picture or the URL of one; return whether it was either. */
function searchTransfer(transfer) {
  const files = [...(transfer?.files ?? [])];
  const file = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
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
  showProblem(null);
  if (target.id === "label") browse.refresh(open).catch(showProblem);
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
  if (!searchTransfer(event.dataTransfer)) showProblem(new api.Problem("That is not a picture, nor the web address of one."));
});

let saved = null; // while the server is busy, { text, busy }: the previous text of the status line and the one that replaced it
api.onBusy((seconds) => {
  const current = byId("status").textContent;
  if (seconds) {
    saved = { text: saved?.busy === current ? saved.text : current, busy: `The server is busy. Trying again in ${Math.ceil(seconds)} s …` };
    setStatus(saved.busy);
  } else if (saved?.busy === current) {
    setStatus(saved.text);
  }
});
start();
key.start();
refresh();
