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

/** Show the first page of the collection. */
export async function refresh(open) {
  const page = await api.images(null);
  byId("pictures").replaceChildren(...page.images.map((image) => entry(image, open)));
  byId("nothing").hidden = page.images.length > 0;
  remember(page.cursor);
}

/** Add the next page, and put the focus on its first picture. */
export async function more(open) {
  const page = await api.images(next);
  const entries = page.images.map((image) => entry(image, open));
  byId("pictures").append(...entries);
  entries[0]?.firstChild.focus();
  remember(page.cursor);
}

function remember(cursor) {
  next = cursor;
  byId("more").hidden = cursor === null;
}
