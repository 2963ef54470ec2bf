/** Resolve groups of near-duplicates: keep some images of each and delete the others; all groups with a preview. */
import * as api from "./api.js";
import { byId, make, nameOf } from "./dom.js";
import { hide, progress, toast } from "./notices.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";
import { restore } from "./trash.js";

const AT_ONCE = 8;
const NOT_FOUND = 404;
const PAGE = 100;
const SHOWN = 100;

/** Resolve some groups with one call; return how many of them it resolved, from the first, and add what it deleted to `deleted`. */
async function send(choices, deleted) {
  const { collection } = choices[0].group.images[0];
  const wanted = choices.map(({ group: { group_id }, keep }) => ({ group_id, keep }));
  const done = await api.resolve(wanted, collection);
  for (const one of done.groups) for (const { image_id } of one.deleted) deleted.push({ image_id, collection });
  return Math.max(1, done.groups.length);
}

/**
 * Resolve groups, as [{ group, keep }]; return the ids of the images that were deleted.
 *
 * What was deleted before a call fails can be restored. Where one of the groups in a call has changed since it was
 * shown, each of them is sent alone, and that one is left out.
 */
export async function resolve(choices) {
  const deleted = []; // what the server says: a group may have more images than are shown
  let missed = 0;
  let alone = 0; // up to which group each is sent alone
  let failure = null;
  let at = 0;
  while (at < choices.length) {
    const batch = choices.slice(at, at + (at < alone ? 1 : AT_ONCE));
    try {
      at += await send(batch, deleted);
    } catch (problem) {
      failure = problem;
      if (problem.status !== NOT_FOUND) break;
      if (batch.length === 1) {
        missed += 1;
        at += 1;
      } else alone = at + batch.length;
    }
    if (choices.length > AT_ONCE) progress(text.resolving(at, choices.length));
  }
  const left = missed + choices.length - at;
  if (left && choices.length === 1) throw failure;
  const undo = deleted.length ? [text.undo, () => restore(deleted)] : null;
  if (left) toast(text.notResolved(left, deleted.length, failure.message), undo);
  else toast(undo ? text.deleted(deleted.length) : text.allKept, undo);
  return new Set(deleted.map(({ image_id: id }) => id));
}

/** Return all groups of the collection. */
async function all() {
  const groups = [];
  let cursor = null;
  do {
    const page = await api.duplicates(cursor, PAGE);
    groups.push(...page.groups);
    cursor = page.cursor;
    if (cursor) progress(text.reading(groups.length));
  } while (cursor);
  return groups;
}

function line(group, change) {
  const best = group.images.find(({ image_id: id }) => id === group.best);
  const others = group.images.filter((image) => image !== best);
  const box = make("input", { type: "checkbox", checked: true, "aria-label": text.resolveGroup(nameOf(best)) });
  box.onchange = () => change(group, box.checked);
  return make(
    "li",
    { className: "resolved" },
    make("label", {}, box, make("span", { className: "thumb kept" }, thumbnail(best)), make("span", { className: "name", title: nameOf(best) }, nameOf(best))),
    make("span", { className: "gone" }, ...others.slice(0, 4).map((image) => make("span", { className: "thumb", title: `${nameOf(image)}. ${group.reasons?.[image.image_id] ?? ""}` }, thumbnail(image, nameOf(image))))),
  );
}

/** Show what resolving all groups would do; return the ids of the images that were deleted, or null if that was not wanted. */
export async function preview() {
  const groups = await all();
  hide(); // the progress
  const chosen = new Set(groups);
  const dialog = byId("preview");
  const show = () => {
    const count = [...chosen].reduce((sum, group) => sum + group.images.length - 1, 0);
    const more = [...chosen].some((group) => group.truncated);
    byId("preview-title").textContent = text.askResolve(chosen.size, count, more);
    byId("preview-yes").textContent = text.doDelete(count, more);
    byId("preview-yes").disabled = chosen.size === 0;
  };
  const change = (group, wanted) => {
    if (wanted) chosen.add(group);
    else chosen.delete(group);
    show();
  };
  const rest = groups.length - SHOWN;
  byId("preview-list").replaceChildren(
    ...groups.slice(0, SHOWN).map((group) => line(group, change)),
    ...(rest > 0 ? [make("li", {}, text.moreGroups(rest))] : []),
  );
  show();
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((done) => (dialog.onclose = done));
  if (dialog.returnValue !== "yes") return null;
  return resolve([...chosen].map((group) => ({ group, keep: [group.best] })));
}
