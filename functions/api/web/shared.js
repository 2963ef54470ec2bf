/** The page of a link to an album: its images and nothing else. */
import { byId, make, moment, oneAtATime, takenMoment } from "./dom.js";
import { translatePage } from "./language.js";
import { text } from "./text.js";

const PAGE = 48;
const base = `/v1/shared/${location.pathname.split("/").at(-1)}`;
const shown = []; // images, in the order of the page
let cursor = null;
let current = -1;
let loading = null;

async function call(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail || text.sharedUnavailable);
  return body;
}

function report(problem) {
  byId("problem").textContent = problem.message;
  byId("problem").hidden = false;
}

/** Return the thumbnail of an image; a link that has expired is replaced once. */
function thumbnail(image) {
  const img = make("img", { alt: "", loading: "lazy", src: image.thumbnail_url });
  img.onerror = () => {
    img.onerror = null;
    call(`${base}/images/${image.image_id}/thumbnail`).then(({ url }) => (img.src = url), () => {}); // it is only missing
  };
  return img;
}

/** Append the next page; while it is loaded, no other is. */
const append = () => (loading ??= load().finally(() => (loading = null)));

async function load() {
  const page = await call(`${base}/images?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  cursor = page.cursor;
  for (const image of page.images) {
    const at = shown.push(image) - 1;
    const name = text.sharedImage(at + 1);
    const open = make("button", { type: "button", className: "open", "aria-label": text.open(name), onclick: () => view(at) }, thumbnail(image));
    byId("images").append(make("li", {}, open));
  }
  byId("more").hidden = cursor === null;
  byId("nothing").hidden = shown.length > 0;
}

async function view(at) {
  if (at === shown.length && cursor !== null) {
    try {
      await append();
    } catch (problem) {
      byId("taken").textContent = problem.message;
    }
  }
  const image = shown[at];
  if (!image) return;
  current = at;
  byId("taken").textContent = image.taken_at ? takenMoment(image.taken_at) : "";
  byId("previous").disabled = at === 0;
  byId("next").disabled = at === shown.length - 1 && cursor === null;
  byId("shown").src = image.thumbnail_url;
  byId("shown").alt = text.sharedImage(at + 1);
  if (!byId("viewer").open) byId("viewer").showModal();
  try {
    const { url } = await call(`${base}/images/${image.image_id}/content`);
    if (current === at) byId("shown").src = url;
  } catch (problem) {
    byId("taken").textContent = problem.message;
  }
}

byId("previous").onclick = () => view(current - 1);
byId("next").onclick = () => view(current + 1);
byId("viewer").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) view(current + step);
});
byId("more").onclick = oneAtATime(byId("more"), () => append().catch(report));

translatePage();
try {
  const album = await call(base);
  document.title = album.title;
  byId("title").textContent = album.title;
  byId("description").textContent = album.description ?? "";
  byId("ends").textContent = text.sharedUntil(moment(album.expires_at));
  await append();
} catch (problem) {
  report(problem);
}
