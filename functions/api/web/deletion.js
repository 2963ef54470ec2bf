import * as api from "./api.js";
import * as collections from "./collections.js";
import { each } from "./dom.js";
import { confirm, progress, toast } from "./notices.js";
import { text } from "./text.js";
import { restore } from "./trash.js";

const CONCURRENT_DELETIONS = 4;

/** Delete images; return the ids of those that are gone. */
export async function remove(images) {
  const gone = [];
  let why = "";
  await each(images, CONCURRENT_DELETIONS, async (image) => {
    try {
      await api.remove(image);
      gone.push(image);
      if (images.length > 1) progress(text.deleting(gone.length, images.length));
    } catch (problem) {
      why = problem.message;
    }
  });
  const undo = gone.length ? [text.undo, () => restore(gone)] : null;
  toast(why ? text.notDeleted(images.length - gone.length, why) : text.deleted(gone.length), undo);
  return new Set(gone.map(({ image_id: id }) => id));
}

/** Ask whether to delete images, and delete them; return the ids of those that are gone. */
export async function ask(images) {
  const [{ collection }] = images;
  const yes = await confirm({
    title: text.askDelete(images.length),
    explanation: text.whereDeleted(collections.titleFor(collection)),
    action: text.doDelete(images.length),
    danger: true,
  });
  return yes ? remove(images) : new Set();
}
