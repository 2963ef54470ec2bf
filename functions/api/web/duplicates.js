import * as api from "./api.js";
import { byId, make, nameOf, sizeOf } from "./dom.js";
import { thumbnail } from "./thumbnails.js";

let next = null;

function copy(image, best, open) {
  const label = `Open ${nameOf(image)}, ${sizeOf(image)}${best ? ", the best of its group" : ""}`;
  return make(
    "li",
    { className: best ? "best" : "" },
    make("button", { type: "button", "aria-label": label, onclick: () => open(image) }, thumbnail(image)),
    make("span", {}, best ? "Best" : "Copy", make("small", {}, nameOf(image)), make("small", {}, sizeOf(image))),
  );
}

function group(found, open, changed) {
  const others = found.images.slice(1);
  const question = `Really delete ${others.length === 1 ? "the other" : `the ${others.length} others`}?`;
  const keep = make("button", { type: "button", className: "danger" }, "Keep only the best");
  keep.onclick = async () => {
    if (keep.textContent !== question) {
      keep.textContent = question;
      return;
    }
    keep.disabled = true;
    try {
      for (const image of others) await api.remove(image);
      await changed();
      byId("collection-title").focus();
    } catch (problem) {
      keep.disabled = false;
      keep.textContent = problem.message;
    }
  };
  return make(
    "li",
    {},
    make("div", { className: "heading" }, make("h3", {}, `${found.images.length}${found.truncated ? "+" : ""} copies of one picture`), keep),
    make("ul", { className: "copies" }, ...found.images.map((image) => copy(image, image.image_id === found.best, open))),
  );
}

async function append(cursor, open, changed) {
  const page = await api.duplicates(cursor);
  const entries = page.groups.map((found) => group(found, open, changed));
  byId("groups").append(...entries);
  next = page.cursor;
  byId("more-groups").hidden = next === null;
  return entries;
}

/** Show the first page of groups, or hide the section if there are none. */
export async function refresh(open, changed) {
  byId("groups").replaceChildren();
  const entries = await append(null, open, changed);
  byId("duplicates").hidden = entries.length === 0 && next === null;
}

/** Append the next page and focus its first picture. */
export async function more(open, changed) {
  const entries = await append(next, open, changed);
  entries[0]?.querySelector("ul button").focus();
}
