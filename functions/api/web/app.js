import * as albumChoice from "./album_choice.js";
import * as albums from "./albums.js";
import * as api from "./api.js";
import { start as startBackground } from "./background.js";
import * as collections from "./collections.js";
import * as deletion from "./deletion.js";
import { byId, oneAtATime } from "./dom.js";
import * as duplicateCheck from "./duplicate_check.js";
import * as duplicates from "./duplicates.js";
import * as files from "./files.js";
import * as filters from "./filters.js";
import * as find from "./find.js";
import * as grid from "./grid.js";
import * as key from "./key.js";
import { offer as offerLanguages, translatePage } from "./language.js";
import { number } from "./locale.js";
import * as marks from "./marks.js";
import * as notices from "./notices.js";
import { confirm, toast } from "./notices.js";
import * as queries from "./query_files.js";
import * as resolution from "./resolution.js";
import * as route from "./route.js";
import * as search from "./search.js";
import * as selection from "./selection.js";
import { text } from "./text.js";
import * as thumbnails from "./thumbnails.js";
import * as people from "./people.js";
import * as trash from "./trash.js";
import * as uploadQueue from "./upload_queue.js";
import * as uploads from "./uploads.js";
import * as viewer from "./viewer.js";

const SEARCH_PARTS = ["hero", "collection"];
const NEEDS_KEY = 401;
const VIEWS = { albums: ["albums"], duplicates: ["duplicates"], people: ["people"], trash: ["trash"] };

let here = null; // the collection that the API chooses for an address that names none
let views = 0; // how often a view was shown; what an earlier one still brings is dropped

/** Return the collection that the page shows, or null until the API has named it. */
const collection = () => route.current().collection ?? here;

function setStatus(sentence) {
  byId("status").textContent = sentence;
}

/** Show a problem, or hide it if `problem` is null, with a button that calls `retry` if there is one. */
function showProblem(problem, retry = null) {
  byId("problem").textContent = problem ? problem.message : "";
  byId("problem").hidden = !problem;
  byId("again").hidden = !retry;
  const again = () => {
    showProblem(null);
    retry();
  };
  byId("again").onclick = again;
  if (!problem) return;
  setStatus("");
  if (notices.isCovered()) toast(problem.message, retry && [text.retry, again]);
  byId("problem").scrollIntoView({ block: "nearest" });
}

/** Do work, and show what goes wrong: with a button to try again, unless another view is shown by then. */
async function attempt(work) {
  const mine = views;
  try {
    await work();
  } catch (problem) {
    if (mine === views) showProblem(problem, () => attempt(work));
    else toast(problem.message);
  }
}

async function showStats() {
  const { collection: named } = route.current();
  const stats = await api.stats();
  if (route.current().collection !== named) return;
  here = stats.collection;
  search.setLimits(stats.limits.max_query_bytes, stats.limits.max_query_pixels);
  uploads.setLimit(stats.limits.max_upload_bytes);
  files.setEndings(stats.endings);
  collections.show(stats);
  byId("count").textContent = `${number(stats.images)}${stats.exact ? "" : "+"}`;
  byId("count").hidden = false;
  const { id, network, instead_of: wanted } = stats.model;
  byId("notice").textContent = wanted ? text.otherModel(network, id, wanted) : "";
  byId("notice").hidden = !wanted;
  byId("model").textContent = text.model(id);
}

function showLoading(on) {
  byId("main").ariaBusy = on ? "true" : null;
}

/** Show the view that an address names; the images are loaded first, so that without a key only one call is refused. */
async function showView(now) {
  const mine = ++views;
  const view = VIEWS[now.view] ? now.view : null;
  for (const id of SEARCH_PARTS) byId(id).hidden = view !== null;
  for (const id of Object.keys(VIEWS)) byId(id).hidden = id !== view;
  const isHeaded = Boolean(view === null && (now.album || now.people)); // by the name of an album or a person
  if (isHeaded) byId("hero").hidden = true;
  byId("collection-title").ariaLevel = isHeaded ? "1" : null;
  for (const [id, name] of [["to-images", null], ["to-albums", "albums"], ["to-duplicates", "duplicates"], ["to-people", "people"], ["to-trash", "trash"]]) {
    byId(id).href = route.bare(name ? { view: name } : {});
    if (name === (isHeaded ? (now.album ? "albums" : "people") : view)) byId(id).setAttribute("aria-current", "page");
    else byId(id).removeAttribute("aria-current");
  }
  let loaded = false;
  showLoading(true);
  try {
    if (view === "duplicates") await duplicates.load(now);
    else if (view === "people") await people.load();
    else if (view === "trash") await trash.load();
    else if (view === "albums") await albums.load();
    else if (view === null) await grid.load(now);
    loaded = true;
    await showStats();
    if (mine !== views) return;
    await albums.open(view === null ? now.album : null);
    thumbnails.reportMissing();
    if (view === "duplicates") duplicateCheck.resume(showAgain);
    if (view === "people") await people.explain(collection());
  } catch (problem) {
    if (mine !== views) return;
    showProblem(problem, showAgain);
    if (!loaded && problem.status !== NEEDS_KEY) await showStats().catch(() => {}); // whose images are missing
  } finally {
    if (mine === views) showLoading(false);
  }
}

const showAgain = () => showView(route.current());

async function runSearch(now) {
  showProblem(null);
  setStatus(text.searching);
  try {
    const said = await search.run(now, (match) => route.go({ image: match.image_id }));
    if (said === null) return;
    thumbnails.reportMissing();
    setStatus(said);
    byId("results-title").focus({ preventScroll: true });
    byId("results").scrollIntoView({ block: "start" });
  } catch (problem) {
    showProblem(problem, () => runSearch(route.current()));
  }
}

/** Return what opens the image before or after another one, or null where the page shows no order that it is in. */
function stepper(id) {
  const order = search.matchOf(id) ? search : grid.has(id) ? grid : null;
  if (!order) return null;
  return async (by) => {
    const other = await order.neighbour(id, by);
    if (other && route.current().image === id) route.go({ image: other.image_id }, { replace: true });
  };
}

async function showImage(id) {
  const match = search.matchOf(id);
  const isWanted = () => route.current().image === id;
  const read = () =>
    api.image(id).catch((problem) => {
      if (isWanted()) throw problem;
    });
  const image = match?.image ?? grid.find(id) ?? duplicates.find(id) ?? (await read());
  if (!isWanted()) return;
  viewer.show(image, {
    match,
    query: match ? search.shown() : null,
    step: stepper(id),
    onMoreLikeThis: search.byImage,
    onLabel: (label) => {
      route.go({ ...NOTHING_OPEN, label });
      byId("collection-title").focus();
    },
    onTag: (tag) => {
      route.go({ ...NOTHING_OPEN, tag });
      byId("collection-title").focus();
    },
    onRemoved: () => removed(new Set([id])),
    onChanged: changed,
  });
}

/** Let the page follow a change of an image's record. */
function changed(record) {
  for (const shown of [grid, search, duplicates, viewer]) shown.replace(record);
}

const NOTHING_OPEN = { image: null, album: null, similar: null, url: null, query: null, view: null, group: null };

/** Let the page follow the removal of images; the place in the grid stays. */
async function removed(gone) {
  const next = grid.remove(gone);
  search.forget();
  if (gone.has(route.current().image)) await route.leave("image");
  await attempt(async () => {
    const now = route.current();
    if (now.group) route.go({ group: null }, { replace: true }); // it may be gone
    else if (now.view === "duplicates") await duplicates.load(now);
    await showStats();
    if ([...gone].some(search.matchOf)) await runSearch(now);
    else if (!now.view) grid.focus(next);
  });
}

/** Let the page follow the return of images from the trash. */
async function returned() {
  search.forget();
  await attempt(async () => {
    const now = route.current();
    if (now.view === "duplicates") await duplicates.load(now);
    else if (!now.view) await grid.load(now);
    await showStats();
    if (search.wanted(now)) await runSearch(now);
  });
}

async function askDelete(images) {
  const gone = await deletion.ask(images);
  if (gone.size) await removed(gone);
}

/** Show what an address names, and change only what differs from the address before. */
function show(now, before) {
  const differs = (names) => before === null || names.some((name) => now[name] !== before[name]);
  const moved = differs(["collection", "view", "group"]);
  filters.show(now);
  find.show(now);
  byId("effort").value = now.effort ?? "balanced";
  for (const choice of document.getElementsByName("ranking")) choice.checked = choice.value === (now.ranking ?? "fused");
  if (moved) {
    setStatus("");
    search.forget();
    selection.clear(); // what is selected is not shown any more
    if (before?.collection !== now.collection) {
      here = null;
      grid.clear();
      duplicates.clear();
      byId("count").hidden = true;
      if (before || now.collection) collections.show({ collection: now.collection ?? "default", title: null }); // until its title is known
    }
  }
  showProblem(null);
  const jobs = [];
  if (moved || (!now.view && differs(filters.names))) jobs.push(showView(now));
  if (!search.wanted(now)) search.hide();
  else if (moved || differs(search.names)) jobs.push(runSearch(now));
  if (before && search.wanted(before) && !search.wanted(now)) setStatus("");
  if (!now.image) viewer.hide();
  else if (differs(["image"])) Promise.all(jobs).then(() => attempt(() => showImage(now.image)));
}

/** Ask whether to add files, and upload them. */
async function offer(all, skipped) {
  if (!all.length) {
    showProblem(new api.Problem(text.noImages));
    return;
  }
  const yes = await confirm({ title: text.askAdd(all.length), explanation: text.whereAdded(collections.titleFor(collection() ?? text.defaultCollection)), action: text.doAdd(all.length) });
  if (yes) addAll(all, skipped);
}

function addAll(all, skipped = 0) {
  showProblem(null);
  if (skipped) toast(text.skipped(skipped));
  uploads.add(all, collection());
}

/** Delete the files that the browser keeps for a key; return false if somebody wants those that are not added yet. */
async function forgetFiles() {
  const left = uploads.left();
  if (left) {
    const yes = await confirm({ title: text.askForget(left), explanation: text.whyForget, action: text.doForget, danger: true });
    if (!yes) return false;
    uploads.cancel();
  }
  await Promise.all([uploadQueue.clear(), queries.clear()]);
  return true;
}

/** Let the page follow the uploads while they go on; `fresh` says of collections how many images were added to each. */
async function followUploads({ fresh, over }) {
  search.forget();
  const count = fresh.get(collection()) ?? 0;
  if (!count && !over) return;
  await attempt(async () => {
    if (!route.current().view) await grid.update();
    if (over) await showStats();
    else byId("count").textContent = number(Number(byId("count").textContent.replace(/\D/g, "")) + count);
  });
}

/** Search by the web address of an image in what was dropped or pasted; return whether there was one. */
function searchAddress(transfer) {
  const words = (transfer?.getData("text/uri-list") || transfer?.getData("text/plain") || "").trim();
  if (!/^https?:\/\/\S+$/.test(words)) return false;
  search.byUrl(words);
  return true;
}

async function onDrop(event) {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const { dataTransfer: transfer } = event;
  if (!transfer?.files.length && searchAddress(transfer)) return;
  const { files: found, folder } = await files.dropped(transfer);
  const images = folder ? files.imagesAmong(found) : files.possibleImagesAmong(found);
  if (folder || found.length > 1) offer(images, found.length - images.length);
  else if (found.length) await attempt(() => search.byFile(found[0])); // whatever its name: the server says what it is, if it is no image
  else showProblem(new api.Problem(text.notAnImage));
}

function choose(id, work) {
  byId(id).onchange = ({ target }) => {
    const chosen = [...target.files];
    target.value = "";
    if (chosen.length) work(chosen);
  };
}

for (const id of ["choose", "another"]) byId(id).onclick = () => byId("file").click();
byId("add").onclick = () => byId("files").click();
byId("add-folder").onclick = () => byId("folder").click();
choose("file", ([file]) => attempt(() => search.byFile(file)));
choose("files", (chosen) => addAll(chosen));
choose("folder", (chosen) => offer(files.imagesAmong(chosen), chosen.length - files.imagesAmong(chosen).length));
byId("keep").onclick = () => addAll([search.shown().file]);
byId("leave-search").onclick = () => route.go({ similar: null, url: null, query: null });
byId("more").onclick = () => attempt(grid.more);
byId("address").onsubmit = (event) => {
  event.preventDefault();
  search.byUrl(byId("url").value.trim());
};
byId("how").onchange = ({ target }) => {
  const plain = { fused: null, balanced: null };
  route.go({ [target.name || target.id]: target.value in plain ? null : target.value.trim() });
};
byId("label").onsearch = ({ target }) => target.value || target.dispatchEvent(new Event("change", { bubbles: true }));

addEventListener("paste", (event) => {
  if (event.target.closest?.("input, textarea")) return;
  const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) attempt(() => search.byFile(file));
  else searchAddress(event.clipboardData);
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("drop").classList.remove("over");
});
addEventListener("drop", (event) => onDrop(event).catch((problem) => showProblem(problem)));

let said = null; // in front of a dialog, while the server is busy
let saved = null; // while the server is busy, { text, busy }: the previous text of the status line and the one that replaced it
api.onBusy((seconds) => {
  const current = byId("status").textContent;
  if (seconds && notices.isCovered() && !byId("toast").querySelector("button")) notices.progress((said = text.busy(Math.ceil(seconds))));
  else if (!seconds && said === byId("toast").textContent) notices.hide();
  if (seconds) {
    saved = { text: saved?.busy === current ? saved.text : current, busy: text.busy(Math.ceil(seconds)) };
    setStatus(saved.busy);
  } else if (saved?.busy === current) {
    setStatus(saved.text);
  }
});
translatePage();
offerLanguages(byId("language"));
startBackground();
key.start(forgetFiles);
queries.start();
filters.start();
collections.start(showAgain);
find.start();
marks.start(changed);
albums.start(attempt);
selection.onDelete(askDelete);
byId("album-selected").onclick = () => albumChoice.choose(selection.images());
byId("tag-selected").onclick = () => marks.tagMany(selection.images());
byId("favourite-selected").onclick = () => marks.toggleFavourites(selection.images());
byId("unalbum-selected").onclick = () => attempt(async () => grid.remove(await albums.takeOut(selection.images())));
byId("cover-selected").onclick = () => attempt(() => albums.chooseCover(selection.images()[0]));
grid.start((image) => route.go({ image: image.image_id }));
byId("look-again").onclick = () => duplicateCheck.start(showAgain);
byId("resolve-all").onclick = () =>
  attempt(async () => {
    const gone = await resolution.preview();
    if (gone) await removed(gone);
  });
byId("more-groups").onclick = oneAtATime(byId("more-groups"), () => attempt(duplicates.more));
byId("empty-trash").onclick = () => attempt(trash.empty);
byId("more-trash").onclick = oneAtATime(byId("more-trash"), () => attempt(trash.more));
byId("more-people").onclick = oneAtATime(byId("more-people"), () => attempt(people.more));
people.start(collection);
duplicates.start(removed);
trash.start(returned);
search.start(runSearch);
route.start(show);
uploads.start(followUploads);
