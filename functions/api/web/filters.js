import { byId } from "./dom.js";
import * as route from "./route.js";

const ORDERS = ["sort", "order"];
const HIDDEN = ["format", "size", "taken_from", "taken_to", "since", "until", "external_id", "field"];
const NAMES = [...ORDERS, "filename", ...HIDDEN];
const SIZES = { small: "max_pixels=499999", medium: "min_pixels=500000&max_pixels=4000000", large: "min_pixels=4000001" };

const SEARCHED = ["label", "tag", "favourite"];
const LISTED = [...SEARCHED, "match", "album", "people"];

export const names = [...NAMES, ...LISTED];

const EARLIEST = "1800"; // no photograph is older
const LATEST = "2200";

const form = byId("filters");

/** Return some of the values in an address as a query string, each with `&` before it. */
const part = (now, chosen) =>
  chosen.filter((name) => now[name]).map((name) => `&${name}=${encodeURIComponent(now[name])}`).join("");

/** Return the conditions of a listing as a query string. */
export const ofListing = (now) =>
  `${part(now, [...LISTED, ...ORDERS, "filename", "format", "taken_from", "taken_to", "since", "until", "external_id", "field"])}${SIZES[now.size] ? `&${SIZES[now.size]}` : ""}`;

/** Return the conditions that searches have too. */
export const ofSearch = (now) => part(now, ["label", "external_id", "field"]);

export const any = (now) => [...NAMES, ...SEARCHED, "people"].some((name) => !ORDERS.includes(name) && now[name]);

/** Return the conditions that say where in its order a listing begins, and where it ends. */
const bounds = (now) => (now.sort === "taken" ? ["taken_from", "taken_to"] : ["since", "until"]);
const jump = (now) => bounds(now)[now.order === "oldest" ? 0 : 1];

/** Show the conditions of an address in the form. */
export function show(now) {
  byId("label").value = now.label ?? "";
  for (const name of NAMES) form.elements[name].value = now[name] ?? "";
  form.elements.jump.value = now[jump(now)] ?? "";
  const hidden = HIDDEN.filter((name) => now[name]).length;
  byId("filter-count").textContent = hidden;
  byId("filter-count").hidden = hidden === 0;
  if (!any(now) && document.activeElement === byId("clear-filters")) byId("collection-title").focus();
  byId("clear-filters").hidden = !any(now);
}

let typed = null; // the date field in which something is being typed

/** Apply what was chosen in a field, unless it is no date yet: browsers take a year for complete with its first digit. */
function apply({ name, type, value, validity }) {
  if (type === "date" && (validity.badInput || (value && (value < EARLIEST || value > LATEST)))) return;
  route.go({ [name === "jump" ? jump(route.current()) : name]: value.trim() });
}

/** Apply what was typed in a date field. */
function applyTyped() {
  const field = typed;
  typed = null;
  if (field) apply(field);
}

export function start() {
  form.onsubmit = (event) => event.preventDefault();
  form.onchange = ({ target }) => target !== typed && apply(target);
  form.onkeydown = ({ target, key }) => {
    if (target.type !== "date") return;
    if (key === "Enter") applyTyped();
    else typed = target;
  };
  for (const name of ["focusout", "pointerdown"]) form.addEventListener(name, applyTyped);
  form.addEventListener("search", ({ target }) => {
    if (!target.value) apply(target);
  }, true);
  byId("clear-filters").onclick = () => route.go(Object.fromEntries(names.filter((name) => !ORDERS.includes(name) && name !== "album").map((name) => [name, null])));
}
