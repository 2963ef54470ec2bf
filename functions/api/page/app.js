import * as api from "./api.js";
import { start } from "./background.js";
import * as browse from "./browse.js";
import { byId, nameOf } from "./dom.js";
import * as duplicates from "./duplicates.js";
import * as key from "./key.js";
import * as results from "./results.js";
import { add } from "./upload.js";
import { open as view } from "./viewer.js";

const SHRUNK_SIDE = 1024;

let limits = { max_query_bytes: 4_400_000 };
let query = null; // { ask(how), part, shown, name, file } of the last search; `part` stands for it in a comparison
let turn = 0;

const how = () => `ranking=${document.querySelector("input[name=ranking]:checked").value}&effort=${byId("effort").value}`;

function say(text) {
  byId("status").textContent = text;
}

function complain(problem) {
  byId("problem").textContent = problem ? problem.message : "";
  byId("problem").hidden = !problem;
  if (problem) say("");
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
  byId("query-image").src = asked.shown;
  byId("query-image").alt = `Your picture: ${asked.name}`;
  byId("query-name").textContent = asked.name;
  byId("keep").hidden = !asked.file;
  try {
    const answer = await asked.ask(how());
    if (mine !== turn) return;
    say(results.show(answer, (match) => open(match.image, match)));
    byId("results-title").focus({ preventScroll: true });
    byId("results").scrollIntoView({ block: "start" });
  } catch (problem) {
    if (mine === turn) complain(problem);
  }
}

function searchFile(file) {
  const small = fitting(file);
  const name = file.name || "pasted picture";
  const shown = URL.createObjectURL(file);
  search({ ask: async (by) => api.searchFile(await small, by), part: small, shown, name, file });
}

async function searchStored(image) {
  const shown = await api.link(image.thumbnail_url).catch(() => "/static/icon.svg");
  search({ ask: (by) => api.similar(image.image_id, by), part: image.image_id, shown, name: nameOf(image), file: null });
}

function open(image, match = null) {
  view(image, {
    match,
    query: match ? query : null,
    moreLikeThis: searchStored,
    removed: async () => {
      say("Deleted.");
      await Promise.all([refresh(), query ? search(query) : null]);
    },
  });
}

const refresh = () =>
  Promise.all([browse.refresh(open), duplicates.refresh(open, refresh), count()]).catch(complain);

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
  const states = await Promise.all([...files].map(add));
  const done = states.filter((state) => state && state.status !== "rejected").length;
  say(`${done} of ${states.length} ${states.length === 1 ? "picture is" : "pictures are"} in the collection.`);
  await refresh();
}

const firstPicture = (files) => [...files].find((file) => file.type.startsWith("image/"));

byId("choose").onclick = () => byId("file").click();
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
byId("more").onclick = () => browse.more(open).catch(complain);
byId("more-groups").onclick = () => duplicates.more(open, refresh).catch(complain);
byId("address").onsubmit = (event) => {
  event.preventDefault();
  const url = byId("url").value.trim();
  search({ ask: (by) => api.searchUrl(url, by), part: url, shown: "/static/icon.svg", name: url, file: null });
};
byId("how").onchange = () => query && search(query);

addEventListener("paste", (event) => {
  const file = firstPicture(event.clipboardData?.files ?? []);
  if (file) searchFile(file);
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
  const file = firstPicture(event.dataTransfer?.files ?? []);
  if (file) searchFile(file);
  else complain(new api.Problem("That is not a picture."));
});

start();
key.start();
refresh();
