import * as api from "./api.js";
import { byId, make, nameOf } from "./dom.js";
import { thumbnail } from "./picture.js";

let next = null;

function entry(image, open) {
  const button = make(
    "button",
    { type: "button", title: nameOf(image), "aria-label": `Open ${nameOf(image)}`, onclick: () => open(image) },
    thumbnail(image),
  );
  return make("li", {}, button);
}

/** What lists and searches are limited to, as a query string: the label that was typed, if any. */
export function only() {
  const label = byId("label").value.trim();
  return label ? `&label=${encodeURIComponent(label)}` : "";
}

/** Show the first page of the collection. */
export async function refresh(open) {
  const page = await api.images(only(), null);
  byId("pictures").replaceChildren(...page.images.map((image) => entry(image, open)));
  byId("nothing").hidden = page.images.length > 0;
  byId("nothing").textContent = only() ? "No image here has this label." : "Nothing is stored yet. Upload the first picture.";
  remember(page.cursor);
}

/** Add the next page, and put the focus on its first picture. */
export async function more(open) {
  const page = await api.images(only(), next);
  const entries = page.images.map((image) => entry(image, open));
  byId("pictures").append(...entries);
  entries[0]?.firstChild.focus();
  remember(page.cursor);
}

function remember(cursor) {
  next = cursor;
  byId("more").hidden = cursor === null;
}
