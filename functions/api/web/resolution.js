/** Resolve groups of near-duplicates: keep some images of each and delete the others; all groups with a preview. */
import * as api from "./api.js";
import { byId, make, nameOf } from "./dom.js";
import { progress, toast } from "./notices.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";
import { restore } from "./trash.js";

const AT_ONCE = 8;
const PAGE = 100;
const SHOWN = 100;

/** Resolve groups, as [{ group, keep }]; return the ids of the images that were deleted. */
export async function resolve(choices) {
  const deleted = [];
  const gone = new Set();
  let at = 0;
  while (at < choices.length) {
    const wanted = choices.slice(at, at + AT_ONCE).map(({ group: { group_id }, keep }) => ({ group_id, keep }));
    const done = await api.resolve(wanted, choices[at].group.images[0].collection);
    const batch = choices.slice(at, at + done.groups.length); // the first ones, if the images of all are too many
    at += batch.length;
    for (const one of done.groups) for (const { image_id: id } of one.deleted) gone.add(id);
    deleted.push(...batch.flatMap((one) => one.group.images).filter(({ image_id: id }) => gone.has(id)));
    if (choices.length > AT_ONCE) progress(text.resolving(at, choices.length));
  }
  if (gone.size) toast(text.deleted(gone.size), [text.undo, () => restore(deleted)]);
  else toast(text.allKept);
  return gone;
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

/** Show what resolving all groups would do; return the ids of the images that were deleted, if that was wanted. */
export async function preview() {
  const groups = await all();
  toast(text.groups(groups.length));
  const chosen = new Set(groups);
  const dialog = byId("preview");
  const show = () => {
    const count = [...chosen].reduce((sum, group) => sum + group.images.length - 1, 0);
    byId("preview-title").textContent = text.askResolve(chosen.size, count);
    byId("preview-yes").textContent = text.doDelete(count);
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
  if (dialog.returnValue !== "yes") return new Set();
  return resolve([...chosen].map((group) => ({ group, keep: [group.best] })));
}
