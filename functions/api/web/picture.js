import * as api from "./api.js";
import { byId, make } from "./dom.js";

const AT_ONCE = 2;

const renewals = [];
const missing = new Map();
let running = 0;

/** Point an `<img>` at what the API has under a path; gives the address. */
export async function load(img, path) {
  const address = await api.link(path);
  img.src = address;
  return address;
}

/** A stored image's thumbnail, loaded when it comes near the visible part of the page. */
export function thumbnail(image, alt = "") {
  const img = make("img", { alt, loading: "lazy" });
  show(img, image);
  return img;
}

/** Show a thumbnail in an `<img>` by the link that came with the record, or by another where that leads nowhere. */
export function show(img, image) {
  img.onerror = () => renew(img, image);
  img.src = image.thumbnail_url;
}

/** A link ends after some minutes, and an image that an earlier version stored has no thumbnail until it is asked for. */
function renew(img, image) {
  img.onerror = null;
  img.loading = "eager";
  renewals.push({ img, image });
  work();
}

/** A few at once: a page whose links have all ended must not exhaust the API. */
async function work() {
  if (running === AT_ONCE) return;
  running += 1;
  for (let next = renewals.shift(); next; next = renewals.shift()) await again(next);
  running -= 1;
}

async function again({ img, image }) {
  if (!img.isConnected) return;
  const path = `/v1/images/${image.image_id}/thumbnail?collection=${encodeURIComponent(image.collection)}`;
  try {
    await load(img, path);
    await img.decode();
    img.classList.remove("missing");
    missing.delete(img);
  } catch (problem) {
    img.src = "/static/icon.svg";
    img.classList.add("missing");
    missing.set(img, { image, why: problem instanceof api.Problem ? problem.message : "The storage does not answer." });
  }
  count();
}

/** Say how many thumbnails could not be loaded, and why; those of a list that was replaced do not count. */
export function count() {
  for (const img of missing.keys()) if (!img.isConnected) missing.delete(img);
  const [first] = missing.values();
  byId("missing").hidden = missing.size === 0;
  if (!first) return;
  const many = missing.size === 1 ? "1 thumbnail" : `${missing.size} thumbnails`;
  byId("missing-text").textContent = `${many} could not be loaded. ${first.why}`;
}

byId("reload").onclick = () => {
  const lost = [...missing];
  missing.clear();
  count();
  for (const [img, { image }] of lost) renew(img, image);
};
