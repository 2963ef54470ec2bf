/** Groups of near-duplicates: one image to keep of each, and the others. */
import * as api from "./api.js";
import * as deletion from "./deletion.js";
import { byId, make, nameOf, sizeOf } from "./dom.js";
import * as route from "./route.js";
import { open as compare } from "./slider.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";

const PAGE = 12;
const MOST_PAGES = 20; // that are read to find one group

const images = new Map();
let next = null;
let latest = 0;
let removed = () => {};

export const find = (id) => images.get(id) ?? null;

const button = (label, onclick, properties = {}) => make("button", { type: "button", onclick, ...properties }, label);

/** Return a button that asks once more before it works; `words` are its label and its question. */
function careful(words, work) {
  const made = button(words()[0], async () => {
    const [, question] = words();
    if (made.textContent !== question) made.textContent = question;
    else await work(made);
  }, { className: "danger" });
  made.reset = () => ([made.textContent] = words());
  return made;
}

function copy(image, group, state) {
  const name = nameOf(image);
  const isBest = image.image_id === group.best;
  const reason = group.reasons?.[image.image_id]; // why the best one is kept and not this one
  const box = make("input", { type: "checkbox", checked: state.kept.has(image.image_id), "aria-label": text.keepOf(name) });
  box.onchange = () => state.keep(image.image_id, box.checked);
  const row = make(
    "li",
    {},
    button(thumbnail(image), () => route.go({ image: image.image_id }), { className: "open", "aria-label": text.open(name) }),
    make("span", { className: "what" }, isBest ? make("b", {}, text.proposed) : null, make("span", { className: "name", title: name }, name), make("small", {}, sizeOf(image)), reason ? make("small", { className: "reason" }, reason) : null),
    make("label", { className: "keep" }, box, text.keep),
    button(text.compareWith, () => compare(find(state.first(image.image_id)), image), { className: "compare-with", "aria-label": text.compareOf(name) }),
  );
  row.dataset.id = image.image_id;
  return row;
}

function card(group) {
  for (const image of group.images) images.set(image.image_id, image);
  const kept = new Set([group.best]);
  const others = () => group.images.filter(({ image_id: id }) => !kept.has(id));
  const discard = careful(
    () => (others().length ? [text.deleteOthers(others().length), text.reallyDeleteOthers(others().length)] : [text.keepAll, text.keepAll]),
    async (made) => {
      made.disabled = true;
      const gone = await deletion.remove(others());
      made.disabled = false;
      if (gone.size) await removed(gone);
    },
  );
  const copies = make("ul", { className: "copies" });
  const state = {
    kept,
    /** Return the image that another one is compared with. */
    first: (id) => [...kept].find((one) => one !== id) ?? group.images.find((image) => image.image_id !== id).image_id,
    keep(id, wanted) {
      if (wanted) kept.add(id);
      else kept.delete(id);
      discard.disabled = kept.size === 0 || others().length === 0;
      discard.reset();
      show();
    },
  };
  const show = () => {
    for (const row of copies.children) row.classList.toggle("kept", kept.has(row.dataset.id));
  };
  copies.append(...group.images.map((image) => copy(image, group, state)));
  show();
  return make(
    "li",
    {},
    make("div", { className: "heading" }, make("h2", { className: "title" }, text.copiesOfOne(group.images.length, group.truncated)), make("a", { href: route.href({ group: group.group_id }) }, text.groupAddress)),
    copies,
    make("div", { className: "actions" }, discard),
  );
}

async function append() {
  const page = await api.duplicates(next, PAGE);
  next = page.cursor;
  byId("more-groups").hidden = next === null;
  return page.groups;
}

/** Read pages until one has the group; return it, or nothing. */
async function search(id, mine) {
  for (let page = 0; page < MOST_PAGES; page++) {
    const groups = await append();
    const found = groups.find((group) => group.group_id === id);
    if (found || next === null || mine !== latest) return found ? [found] : [];
  }
  return [];
}

/** Show the groups, or the one group, that an address names. */
export async function load(now) {
  const mine = ++latest;
  next = null;
  const groups = now.group ? await search(now.group, mine) : await append();
  if (mine !== latest) return;
  images.clear();
  byId("groups").replaceChildren(...groups.map(card));
  byId("no-groups").hidden = groups.length > 0 || next !== null;
  byId("one-group").hidden = !now.group;
  byId("all-groups").href = route.bare({ view: "duplicates" });
  if (now.group) byId("more-groups").hidden = true;
}

/** Append the next page and focus its first image. */
export async function more() {
  const cards = (await append()).map(card);
  byId("groups").append(...cards);
  cards[0]?.querySelector(".copies button").focus();
}

/** Set what lets the page follow the removal of images. */
export function start(followRemoval) {
  removed = followRemoval;
}
