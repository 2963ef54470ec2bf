import * as api from "./api.js";
import { byId, nameOf } from "./dom.js";
import * as filters from "./filters.js";
import * as grid from "./grid.js";
import * as queries from "./query_files.js";
import * as results from "./results.js";
import * as route from "./route.js";
import { text } from "./text.js";
import * as thumbnails from "./thumbnails.js";

const SHRUNK_PIXELS = 2_500_000; // at least what the server keeps of an image of any shape
const KEPT_ANSWERS = 8;
const KEPT_PREVIEWS = KEPT_ANSWERS + 2; // those of the kept answers, of what is shown, and of what will be

export const names = ["similar", "url", "query", "ranking", "effort", "label", "external_id", "field"];

let maxBytes = 4_400_000;
let maxPixels = 40_000_000;
let query = null; // { run(options), operand, preview or image, name, file } of what is shown; `operand` is for comparisons
let matches = [];
let latest = 0;
let repeat = () => {};
let wish = 0; // the number of the last search that was wished for
const previews = new Map(); // addresses in this browser of the files that were searched for, by their ids
const answers = new Map(); // by the address of the search, for Back

/** Set how many bytes, and pixels in any format, an image in a request may have. */
export function setLimits(bytes, pixels) {
  maxBytes = bytes;
  maxPixels = pixels;
}
export const shown = () => query;
export const wanted = (now) => Boolean(now.similar || now.url || now.query);

/** Forget the answers, as images were added or removed since. */
export const forget = () => answers.clear();

/** Return the pixels of an image file, 0 if the browser cannot read it; its header is enough for that. */
async function pixelsOf(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject }));
    return image.naturalWidth * image.naturalHeight;
  } catch {
    return 0;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** Return a file, shrunk if it has too many bytes or pixels for a request and the browser can read it. */
async function shrinkToLimit(file) {
  if (file.size <= maxBytes && (await pixelsOf(file)) <= maxPixels) return file;
  const image = await createImageBitmap(file).catch(() => null);
  if (!image && file.size > maxBytes) throw new api.Problem(text.tooLargeToSearch);
  if (!image) return file;
  const scale = Math.min(1, Math.sqrt(SHRUNK_PIXELS / (image.width * image.height)));
  const sides = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(...sides);
  canvas.getContext("2d").drawImage(image, 0, 0, ...sides);
  image.close();
  return canvas.convertToBlob({ type: "image/webp", quality: 0.92 }); // keeps transparency, which a JPEG would lose
}

/** Show a search, again if it is shown already. */
function go(changes) {
  wish += 1;
  const moved = route.go({ similar: null, url: null, query: null, image: null, view: null, group: null, ...changes });
  if (!moved) repeat(route.current());
}

/** Set what shows the search of an address. */
export const start = (work) => (repeat = work);

/** Search by a file, unless another search is begun while it is made smaller. */
export async function byFile(file) {
  const mine = ++wish;
  let id;
  try {
    id = await queries.keep(file, await shrinkToLimit(file));
  } catch (problem) {
    if (mine === wish) throw problem;
  }
  if (mine !== wish) return;
  forget();
  go({ query: id });
}

export const byUrl = (url) => go({ url });
export const byImage = (image) => go({ similar: image.image_id });

function ofImage(image) {
  return { run: (options) => api.similar(image, options), operand: image.image_id, image, name: nameOf(image), file: null };
}

/** Return an address of a file for an `<img>`; those of files that were searched for long ago are given up. */
function previewOf(id, file) {
  const address = previews.get(id) ?? URL.createObjectURL(file);
  previews.delete(id);
  previews.set(id, address);
  for (const old of [...previews.keys()].slice(0, -KEPT_PREVIEWS)) {
    URL.revokeObjectURL(previews.get(old));
    previews.delete(old);
  }
  return address;
}

async function ofFile(id) {
  const kept = await queries.find(id);
  if (kept) {
    const { file, small } = kept;
    return { run: (options) => api.searchFile(small, options), operand: small, preview: previewOf(id, file), name: file.name || text.pasted, file };
  }
  const stored = await api.image(id).catch(() => null);
  if (!stored) throw new api.Problem(text.fileIsGone);
  return ofImage(stored);
}

/** Return the search that an address names. */
async function requestOf(now) {
  if (now.query) return ofFile(now.query);
  if (now.similar) return ofImage(find(now.similar) ?? grid.find(now.similar) ?? (await api.image(now.similar)));
  return { run: (options) => api.searchUrl(now.url, options), operand: now.url, preview: "/static/icon.svg", name: now.url, file: null };
}

function showQuery(request) {
  byId("query-image").onerror = () => {
    byId("query-image").onerror = null; // browsers do not show every format that the server reads
    byId("query-image").src = "/static/icon.svg";
  };
  if (request.image) thumbnails.show(byId("query-image"), request.image);
  else byId("query-image").src = request.preview;
  byId("query-image").alt = `${text.yourImage}: ${request.name}`;
  byId("query-name").textContent = request.name;
}

/** Show the search that an address names; return a sentence about the results, or null if another one has begun. */
export async function run(now, open) {
  const mine = ++latest;
  const place = route.href({ image: null });
  byId("results").setAttribute("aria-busy", "true");
  try {
    const request = answers.get(place)?.request ?? (await requestOf(now));
    if (mine !== latest) return null;
    query = request;
    showQuery(request);
    byId("keep").hidden = !request.file;
    const options = `ranking=${now.ranking ?? "fused"}&effort=${now.effort ?? "balanced"}${filters.ofSearch(now)}`;
    const answer = answers.get(place)?.answer ?? (await request.run(options));
    if (mine !== latest) return null;
    answers.set(place, { request, answer });
    for (const old of [...answers.keys()].slice(0, -KEPT_ANSWERS)) answers.delete(old);
    matches = answer.matches;
    byId("keep").hidden = !request.file || matches.some((match) => match.verdict === "identical");
    return results.show(answer, open);
  } catch (problem) {
    if (mine !== latest) return null;
    byId("results").hidden = true;
    throw problem;
  } finally {
    if (mine === latest) byId("results").removeAttribute("aria-busy");
  }
}

export function hide() {
  latest += 1;
  query = null;
  matches = [];
  byId("results").hidden = true;
}

/** Return the match of an image, or null. */
export const matchOf = (id) => matches.find((match) => match.image_id === id) ?? null;
const find = (id) => matchOf(id)?.image ?? null;

/** Return the match before (-1) or after (1) another one, or null. */
export const neighbour = (id, step) => matches[matches.findIndex((match) => match.image_id === id) + step]?.image ?? null;

/** Let the results follow a change of the record of an image. */
export function replace(record) {
  for (const found of [matches, ...[...answers.values()].map(({ answer }) => answer.matches)]) {
    for (const match of found) if (match.image_id === record.image_id) Object.assign(match.image, record);
  }
}
