import * as api from "./api.js";
import { byId, make, nameOf } from "./dom.js";
import { thumbnail } from "./thumbnails.js";

let next = null;

function entry(image, open) {
  const button = make(
    "button",
    { type: "button", title: nameOf(image), "aria-label": `Open ${nameOf(image)}`, onclick: () => open(image) },
    thumbnail(image),
  );
  return make("li", {}, button);
}

/** Return the label that limits lists and searches, if any, as a query string. */
export function labelFilter() {
  const label = byId("label").value.trim();
  return label ? `&label=${encodeURIComponent(label)}` : "";
}

/** Show the first page of the collection. */
export async function refresh(open) {
  const page = await api.images(labelFilter(), null);
  byId("pictures").replaceChildren(...page.images.map((image) => entry(image, open)));
  byId("nothing").hidden = page.images.length > 0;
  byId("nothing").textContent = labelFilter() ? "No picture here has this label." : "The collection is empty. Upload your first picture.";
  setCursor(page.cursor);
}

/** Append the next page and focus its first picture. */
export async function more(open) {
  const page = await api.images(labelFilter(), next);
  const entries = page.images.map((image) => entry(image, open));
  byId("pictures").append(...entries);
  entries[0]?.firstChild.focus();
  setCursor(page.cursor);
}

function setCursor(cursor) {
  next = cursor;
  byId("more").hidden = cursor === null;
}
