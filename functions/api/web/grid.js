import * as api from "./api.js";
import { byId, datedAt, make, monthOf, nameOf } from "./dom.js";
import * as filters from "./filters.js";
import * as marks from "./marks.js";
import * as selection from "./selection.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";

const FIRST_PAGE = 24;
const FURTHER_PAGES = 96;
const MOST_NEW_PAGES = 5;
const LONG_PRESS_MS = 500;

const list = byId("images");
const tiles = new Map(); // of image ids, in the order of the grid: { image, row, open, box }
let conditions = "";
let listed = ""; // the conditions of the images that are shown
let next = null;
let latest = 0;
let emptyText = "";
let view = () => {};

const idOf = (element) => element.closest("li")?.dataset.id;
const ids = () => [...tiles.keys()];
const isTimeline = () => conditions.includes("&sort=taken");
const isOldestFirst = () => conditions.includes("&order=oldest");

function tile(image) {
  const name = nameOf(image);
  const open = make(
    "button",
    { type: "button", className: "open", tabIndex: -1, title: name, "aria-label": text.open(name) },
    thumbnail(image),
    make("span", { className: "caption", "aria-hidden": "true" }, make("span", {}, name)),
  );
  const box = make("input", { type: "checkbox", tabIndex: -1, "aria-label": text.select(name) });
  const heart = marks.heart(image, { tabIndex: -1 });
  const row = make("li", {}, open, box, heart);
  row.dataset.id = image.image_id;
  return { image, row, open, box, heart };
}

/** Add images that the grid does not have yet; return their tiles. `place` is "append", "prepend" or "merge". */
function add(images, place) {
  const fresh = images.filter((image) => !tiles.has(image.image_id)).map(tile);
  const all = place === "append" ? [...tiles.values(), ...fresh] : [...fresh, ...tiles.values()];
  if (place === "merge") {
    const sign = isOldestFirst() ? 1 : -1;
    all.sort((one, other) => sign * (datedAt(one.image) < datedAt(other.image) ? -1 : 1));
    for (const one of fresh) list.insertBefore(one.row, all.slice(all.indexOf(one) + 1).find(({ row }) => row.isConnected)?.row ?? null);
  } else list[place](...fresh.map(({ row }) => row));
  tiles.clear();
  for (const one of all) tiles.set(one.image.image_id, one);
  showMonths();
  reach();
  byId("nothing").hidden = tiles.size > 0;
  return fresh;
}

/** Put a heading before the first image of each month, if the images are sorted by when they were taken. */
function showMonths() {
  for (const heading of list.querySelectorAll(".month")) heading.remove();
  if (!isTimeline()) return;
  let last = null;
  for (const { image, row } of tiles.values()) {
    const month = monthOf(datedAt(image));
    if (month !== last) row.before(make("li", { className: "month" }, make("h3", {}, month)));
    last = month;
  }
}

/** Return the place in the order of the image below (1) or above (-1) another one, or -1. */
function vertical(order, id, step) {
  const here = tiles.get(id).row;
  let line = null;
  let best = -1;
  let distance = Infinity;
  for (let at = order.indexOf(id) + step; at >= 0 && at < order.length; at += step) {
    const { offsetTop, offsetLeft } = tiles.get(order[at]).row;
    if (offsetTop === here.offsetTop) continue;
    line ??= offsetTop;
    if (offsetTop !== line) break;
    if (Math.abs(offsetLeft - here.offsetLeft) < distance) {
      distance = Math.abs(offsetLeft - here.offsetLeft);
      best = at;
    }
  }
  return best;
}

/** Make exactly one tile reachable with the Tab key. */
function reach(id = null) {
  const old = list.querySelector(".open[tabindex='0']");
  const chosen = tiles.get(id) ?? (old ? tiles.get(idOf(old)) : null) ?? tiles.values().next().value;
  for (const element of list.querySelectorAll("[tabindex='0']")) element.tabIndex = -1;
  if (chosen) chosen.open.tabIndex = chosen.box.tabIndex = 0;
  return chosen;
}

/** Focus an image, or the title of the collection if the grid does not have it. */
export function focus(id) {
  (tiles.has(id) ? reach(id).open : byId("collection-title")).focus();
}

/** Return a page of the images that the grid shows, or null if it shows others by the time it arrives. */
async function read(wanted, cursor, limit) {
  const mine = latest;
  try {
    const page = await api.images(wanted, cursor, limit);
    return mine === latest ? page : null;
  } catch (problem) {
    if (mine === latest) throw problem;
    return null;
  }
}

/** Show the first page of the images that an address names. */
export async function load(now) {
  const mine = ++latest;
  const wanted = filters.ofListing(now);
  const isNew = wanted !== listed;
  conditions = wanted;
  if (isNew) setCursor(null);
  list.setAttribute("aria-busy", "true");
  try {
    const page = await read(wanted, null, FIRST_PAGE);
    if (!page) return;
    if (!filters.any(now)) emptyText = now.album ? text.emptyAlbum : text.empty;
    else emptyText = now.label ? text.noneWithLabel : text.noneWithFilters;
    const focused = list.contains(document.activeElement) ? idOf(document.activeElement) : null;
    clear();
    listed = wanted;
    add(page.images, "append");
    if (focused) focus(focused);
    byId("nothing").textContent = emptyText;
    setCursor(page.cursor);
  } catch (problem) {
    if (isNew) clear(); // the images are of other conditions
    throw problem;
  } finally {
    if (mine === latest) list.removeAttribute("aria-busy");
  }
}

/** Empty the grid, as for another collection. */
export function clear() {
  tiles.clear();
  list.replaceChildren();
  selection.clear();
  setCursor(null);
}

/** Append the next page and return its tiles. */
async function append() {
  byId("more").disabled = true;
  try {
    const page = await read(conditions, next, FURTHER_PAGES);
    if (!page) return [];
    setCursor(page.cursor);
    return add(page.images, "append");
  } finally {
    byId("more").disabled = false;
  }
}

/** Append the next page and focus its first image. */
export async function more() {
  const [first] = await append();
  if (first) focus(first.image.image_id);
}

/** Add what was indexed since the first page was loaded, where it belongs in front of it. */
export async function update() {
  if (isTimeline()) return updateTimeline();
  if (isOldestFirst() && tiles.size) return; // they belong behind what is shown
  const fresh = [];
  let cursor = null;
  for (let page = 0; page < MOST_NEW_PAGES; page++) {
    const found = await read(conditions, cursor, cursor ? FURTHER_PAGES : FIRST_PAGE);
    if (!found) return;
    fresh.push(...found.images);
    cursor = found.cursor;
    if (cursor === null || found.images.some(({ image_id: id }) => tiles.has(id))) break;
  }
  if (!tiles.size) setCursor(cursor);
  add(fresh, "prepend");
}

/** Add those of the last images that were indexed that were taken in the time that is shown. */
async function updateTimeline() {
  const found = await read(conditions.replace(/&(sort|order)=\w+/g, ""), null, FURTHER_PAGES);
  if (!found) return;
  const last = [...tiles.values()].at(-1)?.image;
  const isShown = (image) => next === null || !last || (isOldestFirst() ? datedAt(image) <= datedAt(last) : datedAt(image) >= datedAt(last));
  add(found.images.filter(isShown), "merge");
}

function setCursor(cursor) {
  next = cursor;
  byId("more").hidden = cursor === null;
}

/** Take images out of the grid; the place on the page and the focus stay. */
export function remove(gone) {
  const order = ids();
  const first = order.findIndex((id) => gone.has(id));
  for (const id of gone) {
    tiles.get(id)?.row.remove();
    tiles.delete(id);
  }
  showMonths();
  selection.drop(gone);
  byId("nothing").textContent = emptyText;
  byId("nothing").hidden = tiles.size > 0;
  reach();
  return (first < 0 ? null : order.slice(first).find((id) => tiles.has(id))) ?? ids().at(-1) ?? null;
}

export const has = (id) => tiles.has(id);
export const find = (id) => tiles.get(id)?.image ?? null;

/** Replace the record of an image. */
export function replace(image) {
  const known = tiles.get(image.image_id);
  if (!known) return;
  known.image = { ...known.image, ...image };
  marks.showHeart(known.heart, known.image);
}

/** Return the image before (-1) or after (1) another one, or null at an end. The next page is loaded where needed. */
export async function neighbour(id, step) {
  const order = ids();
  const at = order.indexOf(id) + step;
  if (at === order.length && next !== null) await append();
  return find(ids()[at]);
}

function select(id, { range = false, on = null } = {}) {
  if (range) selection.extend(id, ids());
  else selection.toggle(id, on);
}

function onKey(event) {
  const id = idOf(event.target);
  const order = ids();
  const places = {
    Home: () => 0,
    End: () => order.length - 1,
    ArrowLeft: () => order.indexOf(id) - 1,
    ArrowRight: () => order.indexOf(id) + 1,
    ArrowUp: () => vertical(order, id, -1),
    ArrowDown: () => vertical(order, id, 1),
  };
  if (event.key in places) {
    const at = places[event.key]();
    if (at < 0 || at >= order.length) return;
    if (event.shiftKey && !selection.size()) selection.toggle(id, true);
    focus(order[at]);
    if (event.shiftKey) select(order[at], { range: true });
  } else if (event.key === " ") select(id, { range: event.shiftKey });
  else if (event.key === "a" && (event.ctrlKey || event.metaKey)) selection.set(order);
  else if (event.key === "f" && !event.ctrlKey && !event.metaKey) marks.toggleFavourites(selection.size() ? selection.images() : [tiles.get(id).image]);
  else if (event.key === "Delete" && selection.size()) selection.askDelete();
  else if (event.key === "Escape" && selection.size()) selection.clear();
  else return;
  event.preventDefault();
}

/** A long press selects, as there is neither Shift nor Ctrl on a touch screen. */
function watchLongPress() {
  let timer = 0;
  let pressed = null;
  list.addEventListener("pointerdown", (event) => {
    const open = event.target.closest(".open");
    if (event.pointerType === "mouse" || !open) return;
    timer = setTimeout(() => {
      pressed = open;
      select(idOf(open));
      navigator.vibrate?.(20);
    }, LONG_PRESS_MS);
  });
  for (const name of ["pointerup", "pointercancel", "pointermove"]) {
    list.addEventListener(name, (event) => {
      if (name !== "pointermove" || Math.hypot(event.movementX, event.movementY) > 4) clearTimeout(timer);
    });
  }
  list.addEventListener("contextmenu", (event) => {
    if (pressed) event.preventDefault();
  });
  return (open) => {
    const was = pressed === open;
    pressed = null;
    return was;
  };
}

/** Set up the grid; `found(image)` opens an image. */
export function start(found) {
  view = found;
  const wasLongPress = watchLongPress();
  list.addEventListener("click", (event) => {
    const id = idOf(event.target);
    if (!id) return;
    if (event.target.closest(".heart")) marks.toggleFavourites([tiles.get(id).image]);
    else if (event.target.matches("input")) select(id, { range: event.shiftKey, on: event.target.checked });
    else if (event.target.closest(".open")) {
      reach(id);
      if (wasLongPress(event.target.closest(".open"))) return;
      // Enter clicks a button too, and always opens.
      const byKey = event.detail === 0 && !event.shiftKey && !event.ctrlKey && !event.metaKey;
      if (event.shiftKey || event.ctrlKey || event.metaKey || (selection.size() && !byKey)) select(id, { range: event.shiftKey });
      else view(tiles.get(id).image);
    }
  });
  list.addEventListener("keydown", onKey);
  list.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target.matches(".open")) event.preventDefault(); // it would click the button
  });
  selection.start({
    show: (chosen) => {
      for (const [id, { row, box }] of tiles) {
        box.checked = chosen.has(id);
        row.classList.toggle("selected", box.checked);
      }
      list.classList.toggle("selecting", chosen.size > 0);
    },
    imageOf: find,
    all: ids,
    focus,
  });
}
