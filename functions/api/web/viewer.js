import * as api from "./api.js";
import { drawings } from "./compare.js";
import * as deletion from "./deletion.js";
import * as albumChoice from "./album_choice.js";
import * as details from "./details.js";
import { askFirst, byId, closeByBackdrop, make, nameOf, percent, scoreOf, sizeOf } from "./dom.js";
import * as marks from "./marks.js";
import * as route from "./route.js";
import { signals, verdict, why } from "./results.js";
import { text } from "./text.js";
import { show as showThumbnail, thumbnail } from "./thumbnails.js";
import { zoomable } from "./zoom.js";

const dialog = byId("viewer");
let current = null; // { image, zoom, step, onRemoved } of what is shown

const figure = (shown, caption, marks = []) =>
  make("figure", {}, make("div", { className: "marked" }, shown, ...marks), make("figcaption", {}, caption));

/** Return the marks of a match on one of its two images, `query` or `match`. */
const marksOn = (side, match) => [
  ...match.differences.map((part) => mark("difference", part[side])),
  ...match.overlays.map((part) => mark("overlay", part[side])),
];

/** Return a line that explains the marks of a match, or null if there are none. */
function legend({ differences, overlays }) {
  const said = [];
  if (differences.length) said.push(text.markedDifferences);
  if (overlays.length) said.push(text.markedOverlays);
  return said.length ? make("p", { className: "why legend" }, said.join(" ")) : null;
}

/** Return a box drawn over an image; it is in shares of the sides of the image. */
function mark(className, { left, top, width, height }) {
  const found = make("span", { className });
  Object.assign(found.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` });
  return found;
}

const button = (label, onclick, properties = {}) => make("button", { type: "button", onclick, ...properties }, label);

/** Return the image itself, a link to it, and what reports that it cannot be loaded. */
function original(image) {
  const shown = make("img", { alt: text.storedImage(nameOf(image)), draggable: false });
  const link = make("a", { target: "_blank", rel: "noopener" }, text.original);
  const problem = make("p", { className: "problem", role: "alert", hidden: true });
  const again = button(text.loadAgain, load, { hidden: true });
  const report = (why) => Object.assign(problem, { textContent: why, hidden: false });
  shown.onerror = () => showThumbnail(shown, image, report); // browsers do not show every format that the server reads
  async function load() {
    problem.hidden = again.hidden = true;
    try {
      link.href = shown.src = await api.contentLink(image);
    } catch (error) {
      report(error.message);
      again.hidden = false;
    }
  }
  load();
  return { shown, link, problem, again };
}

async function save(image, problem) {
  try {
    make("a", { href: await api.downloadLink(image) }).click();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

function removal(image, onRemoved) {
  const discard = button(text.delete, null, { className: "danger" });
  askFirst(discard, () => text.delete, () => text.reallyDelete, async () => {
    discard.disabled = true;
    const gone = await deletion.remove([image]);
    discard.disabled = false;
    if (gone.size) onRemoved(image);
  });
  return discard;
}

function labels(image, onLabel) {
  if (!image.labels.length) return null;
  const buttons = image.labels.map(({ name, probability }) =>
    button(`${name} ${percent(probability)}`, () => onLabel(name), { title: text.listLabel(name) }),
  );
  return make("p", { className: "why labels" }, text.looksLike, ...buttons);
}

function comparison(image, match, query, shown) {
  const stored = figure(shown, sizeOf(image), marksOn("match", match));
  const ours = query && figure(query.image ? thumbnail(query.image, text.yourImage) : make("img", { src: query.preview, alt: text.yourImage }), text.yourImage, marksOn("query", match));
  return [
    make("div", { className: `top ${match.verdict}` }, verdict(match), make("span", { className: "score" }, scoreOf(match))),
    make("div", { className: "pair" }, ours, stored),
    legend(match),
    make("p", { className: "why" }, why(match)),
    signals(match),
    query ? drawings(query.operand, match) : null,
  ];
}

/** Return a line with the albums that have an image, once they are known. */
function albums(image) {
  const line = make("p", { className: "why labels", hidden: true });
  api.albumsOf(image).then(({ albums: found }) => {
    const links = found.map((album) => make("a", { href: route.bare({ album: album.album_id }) }, album.title));
    line.replaceChildren(text.inAlbums, ...links);
    line.hidden = found.length === 0;
  }, () => {}); // the line is only missing
  return line;
}

/** Show what is known of an image once its record is there, and its notes. */
async function describe(image, known, notes, onChanged) {
  const fill = (record) => {
    known.replaceChildren(details.known(record));
    notes.replaceChildren(details.notes(record, onChanged));
  };
  fill(image);
  try {
    const record = await api.image(image.image_id);
    if (current?.image.image_id === image.image_id && !notes.contains(document.activeElement)) fill(record);
  } catch {
    // What the listing knows is shown.
  }
}

/** Show a stored image; a match is shown next to the query, with its scores. */
export function show(image, { match, query, step, onMoreLikeThis, onLabel, onTag, onRemoved, onChanged }) {
  const favourite = marks.heart(image);
  favourite.onclick = () => marks.toggleFavourites([current.image]);
  const { shown, link, problem, again } = original(image);
  const zoom = match ? null : zoomable(shown, { onSwipe: (by) => step && go(by) });
  const go = (by) => step(by).catch((error) => Object.assign(problem, { textContent: error.message, hidden: false }));
  const [before, after] = [-1, 1].map((by) =>
    button(by < 0 ? "‹" : "›", () => go(by), { className: "step", "aria-label": by < 0 ? text.previous : text.next, "aria-describedby": "viewer-title", disabled: !step }),
  );
  const known = make("div");
  const notes = make("div");
  const parts = [
    make("div", { className: "viewer-head" }, before, make("h2", { id: "viewer-title", title: nameOf(image) }, nameOf(image)), after),
    ...(match ? comparison(image, match, query, shown) : [make("figure", { className: "whole" }, zoom.stage, zoom.buttons, make("figcaption", {}, sizeOf(image)))]),
    details.capture(image),
    labels(image, onLabel),
    marks.tags(image, onTag),
    albums(image),
    problem,
    make(
      "div",
      { className: "actions" },
      button(text.moreLikeThis, () => onMoreLikeThis(image), { className: "primary" }),
      favourite,
      button(text.addToAlbum, () => albumChoice.choose([image])),
      button(text.download, () => save(image, problem)),
      link,
      again,
      removal(image, onRemoved),
    ),
    make("details", {}, make("summary", {}, text.known), known),
    make("details", { open: Boolean(image.external_id || image.note || Object.keys(image.fields).length) }, make("summary", {}, text.yours), notes),
  ];
  current = { image, zoom, step: step && go, favourite };
  describe(image, known, notes, onChanged);
  const focused = document.activeElement;
  const stepped = [...byId("viewer-body").querySelectorAll(".step")].indexOf(focused);
  const hadFocus = byId("viewer-body").contains(focused);
  byId("viewer-body").replaceChildren(...parts.filter((part) => part !== null));
  if (!dialog.open) dialog.showModal();
  else if (hadFocus) (stepped >= 0 && step ? [before, after][stepped] : byId("viewer-close")).focus();
}

/** Let the viewer follow a change of the record of the image that it shows. */
export function replace(record) {
  if (current?.image.image_id !== record.image_id) return;
  current.image = { ...current.image, ...record };
  marks.showHeart(current.favourite, current.image);
}

export function hide() {
  current = null;
  if (dialog.open) dialog.close();
  byId("viewer-body").replaceChildren();
}

byId("viewer-close").onclick = () => dialog.close();
dialog.addEventListener("close", () => route.leave("image"));
closeByBackdrop(dialog);
dialog.addEventListener("keydown", (event) => {
  if (!current || event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step && current.step) current.step(step);
  else if (!current.zoom?.press(event.key)) return;
  event.preventDefault();
});
