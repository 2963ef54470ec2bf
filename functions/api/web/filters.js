import { byId } from "./dom.js";
import * as route from "./route.js";

const NAMES = ["order", "filename", "format", "size", "since", "until", "external_id", "field"];
const HIDDEN = ["format", "size", "since", "until", "external_id", "field"];
const SIZES = { small: "max_pixels=499999", medium: "min_pixels=500000&max_pixels=4000000", large: "min_pixels=4000001" };

export const names = [...NAMES, "label"];

const form = byId("filters");

/** Return some of the values in an address as a query string, each with `&` before it. */
const part = (now, chosen) =>
  chosen.filter((name) => now[name]).map((name) => `&${name}=${encodeURIComponent(now[name])}`).join("");

/** Return the conditions of a listing as a query string. */
export const ofListing = (now) =>
  `${part(now, ["label", "order", "filename", "format", "since", "until", "external_id", "field"])}${SIZES[now.size] ? `&${SIZES[now.size]}` : ""}`;

/** Return the conditions that searches have too. */
export const ofSearch = (now) => part(now, ["label", "external_id", "field"]);

export const any = (now) => names.some((name) => name !== "order" && now[name]);

/** Show the conditions of an address in the form. */
export function show(now) {
  byId("label").value = now.label ?? "";
  for (const name of NAMES) form.elements[name].value = now[name] ?? "";
  form.elements.jump.value = (now.order === "oldest" ? now.since : now.until) ?? "";
  const hidden = HIDDEN.filter((name) => now[name]).length;
  byId("filter-count").textContent = hidden;
  byId("filter-count").hidden = hidden === 0;
  byId("clear-filters").hidden = !any(now);
}

export function start() {
  form.onsubmit = (event) => event.preventDefault();
  form.onchange = ({ target }) => {
    const { name, value } = target;
    if (name !== "jump") route.go({ [name]: value.trim() });
    else route.go(route.current().order === "oldest" ? { since: value } : { until: value });
  };
  form.addEventListener("search", ({ target }) => {
    if (!target.value) form.onchange({ target });
  }, true);
  byId("clear-filters").onclick = () => route.go(Object.fromEntries(names.filter((name) => name !== "order").map((name) => [name, null])));
}
