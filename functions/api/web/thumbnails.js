import * as api from "./api.js";
import { byId, make } from "./dom.js";
import { text } from "./text.js";

const CONCURRENT_RENEWALS = 2;

const renewals = [];
const missing = new Map();
let running = 0;

/** Create an `<img>` with the thumbnail of a stored image, loaded when it is almost in view. */
export function thumbnail(image, alt = "") {
  const img = make("img", { alt, loading: "lazy" });
  show(img, image);
  return img;
}

/** Show a thumbnail in an `<img>` by the link in its record, or by a new one if that does not work; `failed(why)` is called if neither does. */
export function show(img, image, failed = () => {}) {
  img.onerror = () => renew(img, image, failed);
  img.src = image.thumbnail_url;
}

/** Queue a thumbnail for a new link: the old one has expired, or an earlier version stored the image without one. */
function renew(img, image, failed) {
  img.onerror = null;
  img.loading = "eager";
  renewals.push({ img, image, failed });
  renewQueued();
}

/** Renew queued links, a few at a time, so that a page whose links have all expired does not overload the API. */
async function renewQueued() {
  if (running === CONCURRENT_RENEWALS) return;
  running += 1;
  for (let next = renewals.shift(); next; next = renewals.shift()) await reload(next);
  running -= 1;
}

async function reload({ img, image, failed }) {
  if (!img.isConnected) return;
  try {
    img.src = await api.thumbnailLink(image);
    await img.decode();
    img.classList.remove("missing");
    missing.delete(img);
  } catch (problem) {
    img.src = "/static/icon.svg";
    img.classList.add("missing");
    const why = problem instanceof api.Problem ? problem.message : text.storageSilent;
    missing.set(img, { image, failed, why });
    failed(why);
  }
  reportMissing();
}

/** Show how many thumbnails on the page could not be loaded, and why. */
export function reportMissing() {
  for (const img of missing.keys()) if (!img.isConnected) missing.delete(img);
  const [first] = missing.values();
  byId("missing").hidden = missing.size === 0;
  if (!first) return;
  byId("missing-text").textContent = text.thumbnailsMissing(missing.size, first.why);
}

byId("reload").onclick = () => {
  const all = [...missing];
  missing.clear();
  reportMissing();
  for (const [img, { image, failed }] of all) renew(img, image, failed);
};
