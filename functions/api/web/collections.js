/** The collections: listed, shown, created, named, removed, and their faces turned on and off. */
import * as api from "./api.js";
import { byId, each, make, oneAtATime } from "./dom.js";
import { number } from "./locale.js";
import { confirm, progress, toast } from "./notices.js";
import * as route from "./route.js";
import { text } from "./text.js";

const CONCURRENT_DELETIONS = 4;
const NOT_EMPTY = 409;

const dialog = byId("collections");
const list = byId("collection-list");
let next = null;
let opened = 0; // how often the list was opened; a page of an earlier time is dropped
let changed = () => {};
let shown = null; // the name of the collection that the page shows
let shownTitle = null;

const titleOf = (entry) => entry.title || entry.collection;

/** Return what a collection is called, as far as that is known. */
export const titleFor = (name) => (name === shown && shownTitle) || name;

const report = (message) => (byId("collections-status").textContent = message);

/** Return a name made of a title, in the characters that names may have. */
function nameFrom(title) {
  const plain = title.toLowerCase().replaceAll("ß", "ss").normalize("NFKD").replace(/\p{M}/gu, "");
  return plain.replace(/[^a-z0-9_]+/g, "-").replace(/^[-_]+|-+$/g, "").slice(0, 64);
}

function rename(entry, row) {
  const input = make("input", { value: titleOf(entry), maxLength: 100, required: true, "aria-label": text.newNameOf(titleOf(entry)) });
  const form = make("form", { className: "address" }, input, make("button", { type: "submit" }, text.save));
  form.onsubmit = async (event) => {
    event.preventDefault();
    await attempt(async () => {
      const title = input.value.trim();
      const renamed = await api.putCollection(entry.collection, title === entry.collection ? null : title);
      row.replaceWith(line(renamed));
      if (renamed.collection === shown) show(renamed);
    });
  };
  row.replaceChildren(form);
  input.select();
}

/** Show the trash of a collection, which has to be emptied before the collection can be removed. */
function showTrash({ collection }) {
  if (!route.open(route.bare({ collection, view: "trash" }))) changed();
}

/** Remove a collection, or delete its images: it can be removed once its trash is empty. */
async function remove(entry) {
  const yes = await confirm({
    title: text.askRemoveCollection(titleOf(entry), entry.images, entry.exact),
    explanation: text.whyRemoveCollection(entry.images),
    action: text.doRemoveCollection(entry.images),
    danger: true,
  });
  if (!yes) return;
  dialog.close();
  let done = 0;
  let failure = null;
  const read = () => {
    if (!failure) return api.imagesOf(entry.collection);
    if (entry.collection === shown) changed();
    throw failure;
  };
  for (let page = await read(); page.images.length; page = await read()) {
    await each(page.images, CONCURRENT_DELETIONS, async (image) => {
      if (failure) return;
      try {
        await api.remove(image);
        done += 1;
        progress(text.deleting(done, Math.max(done, entry.images)));
      } catch (problem) {
        failure = problem;
      }
    });
  }
  if (done) {
    toast(text.collectionEmptied(titleOf(entry)));
    showTrash(entry);
    return;
  }
  await api.removeCollection(entry.collection);
  toast(text.collectionRemoved(titleOf(entry)));
  if (entry.collection === shown) route.open(route.bare({ collection: null }), { replace: true });
}

/** Remove a collection; show its trash if it has to be emptied first. */
async function removeOrShowTrash(entry) {
  try {
    await remove(entry);
  } catch (problem) {
    if (problem.status === NOT_EMPTY) showTrash(entry);
    throw problem;
  }
}

/** Turn faces on or off, once somebody has read what is stored. */
async function setFaces(entry, row) {
  const on = !entry.faces;
  const yes = await confirm({ title: text.askFaces(titleOf(entry), on), explanation: text.whyFaces(on), action: text.doFaces(on) });
  if (!yes) return;
  const changed = await api.setFaces(entry.collection, on);
  row.replaceWith(line(changed));
  toast(text.facesSet(titleOf(changed), on));
}

function line(entry) {
  const name = titleOf(entry);
  const count = make("span", { className: "pill" }, `${number(entry.images)}${entry.exact ? "" : "+"}`);
  const link = make("a", { href: route.bare({ collection: entry.collection }) }, make("span", { className: "name" }, name), count);
  if (entry.collection === shown) link.setAttribute("aria-current", "true");
  link.addEventListener("click", () => dialog.close());
  const row = make("li", {}, link);
  row.append(
    make(
      "button",
      { type: "button", "aria-pressed": String(entry.faces), "aria-label": text.facesOf(name), onclick: () => attempt(() => setFaces(entry, row)) },
      text.faces,
    ),
    make("button", { type: "button", "aria-label": text.renameOf(name), onclick: () => rename(entry, row) }, text.rename),
    make("button", { type: "button", className: "danger", "aria-label": text.removeCollectionOf(name), onclick: () => attempt(() => removeOrShowTrash(entry)) }, text.removeCollection),
  );
  return row;
}

async function attempt(work) {
  report("");
  try {
    await work();
  } catch (problem) {
    report(problem.message);
    if (!dialog.open) toast(problem.message);
  }
}

async function append(cursor) {
  const mine = opened;
  const page = await api.collections(cursor);
  if (mine !== opened) return;
  list.append(...page.collections.map(line));
  next = page.cursor;
  byId("more-collections").hidden = next === null;
}

/** Show the name of the collection that the page shows; the heading of an album stays. */
export function show({ collection, title }) {
  shown = collection;
  shownTitle = title;
  const own = title || (collection === "default" ? null : collection);
  byId("switch-name").textContent = title || collection;
  if (route.current().album) return;
  byId("collection-title").textContent = text.theCollection(own);
  document.title = own ? `${own} – PicTrace` : "PicTrace";
}

/** Create a collection and show it, unless there is one whose title makes the same name. */
async function create(title) {
  const name = nameFrom(title);
  if (!name) return report(text.nameless);
  const existing = await api.collection(name);
  if (existing) return report(text.nameTaken(titleOf(existing), name));
  await api.putCollection(name, title === name ? null : title);
  byId("new-name").value = "";
  dialog.close();
  route.open(route.bare({ collection: name }));
}

/** Set up the list; `follow` shows again what the page shows, once images are removed. */
export function start(follow) {
  changed = follow;
  byId("switch").onclick = () => {
    opened += 1;
    list.replaceChildren();
    dialog.showModal();
    attempt(() => append(null));
  };
  byId("more-collections").onclick = oneAtATime(byId("more-collections"), () => attempt(() => append(next)));
  byId("new-collection").onsubmit = (event) => {
    event.preventDefault();
    attempt(() => create(byId("new-name").value.trim()));
  };
}
