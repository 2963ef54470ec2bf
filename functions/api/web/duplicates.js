/** Groups of near-duplicates: one image to keep of each, and the others. */
import * as api from "./api.js";
import { askFirst, byId, make, nameOf, sizeOf } from "./dom.js";
import { toast } from "./notices.js";
import * as resolution from "./resolution.js";
import * as route from "./route.js";
import { open as compare } from "./slider.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";

const PAGE = 12;

const images = new Map();
let next = null;
let latest = 0;
let changed = () => {};

export const find = (id) => images.get(id) ?? null;

/** Let the groups follow a change of the record of an image. */
export function replace(record) {
  const image = find(record.image_id);
  if (image) Object.assign(image, record);
}

const button = (label, onclick, properties = {}) => make("button", { type: "button", onclick, ...properties }, label);

/** Return what is shown of one image of a group, with what can be done with it. */
function copy(image, group, state) {
  const name = nameOf(image);
  const isBest = image.image_id === group.best;
  const reason = group.reasons?.[image.image_id]; // why the best one is kept and not this one
  const best = find(group.best);
  const box = make("input", { type: "checkbox", checked: isBest, "aria-label": text.keepOf(name) });
  box.onchange = () => state.keep(image.image_id, box.checked);
  const actions = isBest
    ? []
    : [
        button(text.compareWith, () => compare(best, image), { "aria-label": text.compareOf(name) }),
        button(text.prefer, () => state.prefer(image), { "aria-label": text.preferOf(name) }),
        button(text.notADuplicate, () => state.separate(best, image), { "aria-label": text.notADuplicateOf(name) }),
      ];
  const row = make(
    "li",
    { className: isBest ? "kept" : "" },
    button(thumbnail(image), () => route.go({ image: image.image_id }), { className: "open", "aria-label": text.open(name) }),
    make(
      "span",
      { className: "what" },
      isBest ? make("b", {}, group.chosen ? text.chosen : text.proposed) : null,
      make("span", { className: "name", title: name }, name),
      make("small", {}, sizeOf(image)),
      reason && !group.chosen ? make("small", { className: "reason" }, `${text.proposed}: ${reason}`) : null,
    ),
    make("label", { className: "keep" }, box, text.keep),
    make("span", { className: "actions" }, ...actions),
  );
  row.dataset.id = image.image_id;
  return row;
}

function card(group) {
  for (const image of group.images) images.set(image.image_id, image);
  const kept = new Set([group.best]);
  const copies = make("ul", { className: "copies" });
  const others = () => group.images.filter(({ image_id: id }) => !kept.has(id));
  const label = () => (others().length || group.truncated ? text.deleteOthers(others().length, group.truncated) : text.keepAll);
  const question = () => (others().length || group.truncated ? text.reallyDeleteOthers(others().length, group.truncated) : text.keepAll);
  const problem = make("p", { className: "problem", role: "alert", hidden: true });
  const act = async (work) => {
    problem.hidden = true;
    discard.disabled = true;
    try {
      await work();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      discard.disabled = false;
    }
  };
  const discard = button(label(), null, { className: "danger" });
  askFirst(discard, label, question, () => act(() => resolution.resolve([{ group, keep: [...kept] }]).then(changed)));
  const state = {
    keep(id, wanted) {
      if (wanted) kept.add(id);
      else kept.delete(id);
      for (const row of copies.children) row.classList.toggle("kept", kept.has(row.dataset.id));
      discard.disabled = kept.size === 0;
      discard.textContent = label();
    },
    prefer: (image) =>
      act(async () => {
        const chosen = card(await api.prefer(group, image));
        shown.replaceWith(chosen);
        chosen.querySelector(".copies button").focus();
        toast(text.preferred(nameOf(image)));
      }),
    separate: (best, image) =>
      act(async () => {
        await api.separate(best, image);
        toast(text.separated);
        await changed(new Set());
      }),
  };
  copies.append(...group.images.map((image) => copy(image, group, state)));
  const shown = make(
    "li",
    {},
    make(
      "div",
      { className: "heading" },
      make("h2", { className: "title" }, text.copiesOfOne(group.images.length, group.truncated)),
      make("a", { href: route.href({ group: group.group_id }) }, text.groupAddress),
    ),
    copies,
    problem,
    make("div", { className: "actions" }, discard),
  );
  return shown;
}

/** Show no groups, as before those of another collection. */
export function clear() {
  latest += 1;
  images.clear();
  byId("groups").replaceChildren();
  for (const id of ["no-groups", "no-group", "more-groups", "resolve-all"]) byId(id).hidden = true;
}

/** Return the one group that an address names as a page, which is empty if it does not exist any more. */
async function only(id) {
  try {
    return { groups: [await api.duplicateGroup(id)], cursor: null };
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return { groups: [], cursor: null };
  }
}

/** Return the page that `ask` asks for, or null if others are shown by the time it arrives. */
async function read(ask) {
  const mine = latest;
  try {
    const page = await ask();
    return mine === latest ? page : null;
  } catch (problem) {
    if (mine === latest) throw problem;
    return null;
  }
}

/** Show the groups, or the one group, that an address names. */
export async function load(now) {
  latest += 1;
  byId("more-groups").hidden = true;
  const page = await read(() => (now.group ? only(now.group) : api.duplicates(null, PAGE)));
  if (!page) return;
  const { groups } = page;
  next = page.cursor;
  images.clear();
  byId("groups").replaceChildren(...groups.map(card));
  byId("no-groups").hidden = Boolean(now.group) || groups.length > 0 || next !== null;
  byId("no-group").hidden = !now.group || groups.length > 0;
  byId("one-group").hidden = !now.group;
  byId("all-groups").href = route.bare({ view: "duplicates" });
  byId("resolve-all").hidden = Boolean(now.group) || groups.length === 0;
  byId("more-groups").hidden = next === null;
}

/** Append the next page and focus its first image. */
export async function more() {
  const page = await read(() => api.duplicates(next, PAGE));
  if (!page) return;
  next = page.cursor;
  const cards = page.groups.map(card);
  byId("groups").append(...cards);
  byId("more-groups").hidden = next === null;
  cards[0]?.querySelector(".copies button").focus();
}

/** Set what lets the page follow the removal of images. */
export function start(follow) {
  changed = follow;
}
