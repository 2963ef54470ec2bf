/** Favourites and tags: of one image, and of many at once. */
import * as api from "./api.js";
import { byId, each, make, nameOf } from "./dom.js";
import { progress, toast } from "./notices.js";
import { text } from "./text.js";

const CONCURRENT_CHANGES = 4;

let changed = () => {};

/** Change images one by one; return how many were changed. */
async function changeAll(images, change) {
  let done = 0;
  let why = "";
  await each(images, CONCURRENT_CHANGES, async (image) => {
    try {
      changed(await change(image));
      done += 1;
      if (images.length > 1) progress(text.changing(done, images.length));
    } catch (problem) {
      why = problem.message;
    }
  });
  if (why) toast(text.notChanged(images.length - done, why));
  return why ? 0 : done;
}

/** Make images favourites, or no favourites any more if all of them are. */
export async function toggleFavourites(images) {
  const favourite = !images.every((image) => image.favourite);
  const count = await changeAll(images, (image) => api.annotate(image, { favourite }));
  if (count && images.length > 1) toast((favourite ? text.nowFavourites : text.noLongerFavourites)(count));
}

/** Return a button that shows whether an image is a favourite, and changes it. */
export function heart(image, properties = {}) {
  const button = make("button", { type: "button", className: "heart", "aria-label": text.makeFavourite(nameOf(image)), ...properties }, "♥");
  showHeart(button, image);
  return button;
}

export function showHeart(button, image) {
  button.setAttribute("aria-pressed", String(image.favourite));
}

/** Ask for a tag, and give it to images or remove it from them. */
export function tagMany(images) {
  const dialog = byId("tag-many");
  byId("tag-many-title").textContent = text.tagImages(images.length);
  byId("tag-many-text").value = "";
  byId("tag-many-form").onsubmit = async (event) => {
    event.preventDefault();
    const tag = byId("tag-many-text").value.trim();
    const wanted = event.submitter?.value !== "remove";
    dialog.close();
    const count = await changeAll(images, (image) => api.setTag(image, tag, wanted));
    if (count) toast((wanted ? text.tagged : text.untagged)(tag, count));
  };
  dialog.showModal();
}

/** Return the tags of an image, each with a button that removes it, and a field that adds one. */
export function tags(image, onTag) {
  const line = make("div", { className: "tags" });
  const status = make("p", { className: "why", role: "status" });
  const work = async (tag, wanted) => {
    status.textContent = "";
    try {
      const record = await api.setTag(image, tag, wanted);
      changed(record);
      const removed = [...line.querySelectorAll(".drop-tag")].indexOf(document.activeElement);
      fill(record);
      if (removed >= 0) (line.querySelectorAll(".drop-tag")[removed] ?? line.querySelector("input")).focus();
    } catch (problem) {
      status.textContent = problem.message;
    }
  };
  function fill(record) {
    const chips = record.tags.map((tag) =>
      make(
        "span",
        { className: "chip" },
        make("button", { type: "button", title: text.listTag(tag), onclick: () => onTag(tag) }, tag),
        make("button", { type: "button", className: "drop-tag", "aria-label": text.removeTag(tag), title: text.removeTag(tag), onclick: () => work(tag, false) }, "×"),
      ),
    );
    const input = make("input", { maxLength: 50, placeholder: text.addTag, "aria-label": text.addTag, autocomplete: "off", spellcheck: false });
    input.setAttribute("list", "find-names");
    const form = make("form", { className: "add-tag" }, input);
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (!input.value.trim()) return;
      await work(input.value.trim(), true);
      line.querySelector("input")?.focus();
    };
    line.replaceChildren(...chips, form);
  }
  fill(image);
  return make("div", {}, line, status);
}

/** Set what lets the page follow a change of an image's record. */
export function start(follow) {
  changed = follow;
}
