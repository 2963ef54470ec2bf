import * as api from "./api.js";
import { drawings } from "./compare.js";
import { byId, make, nameOf, percent, sizeOf } from "./dom.js";
import { load, thumbnail } from "./thumbnails.js";
import { signals, verdict, why } from "./results.js";

const dialog = byId("viewer");

const figure = (picture, caption, marks = []) =>
  make("figure", {}, make("div", { className: "marked" }, picture, ...marks), make("figcaption", {}, caption));

/** Return the marks of a match on one of its two images, `query` or `match`. */
const marksOn = (side, match) => [
  ...match.differences.map((part) => mark("difference", part[side])),
  ...match.overlays.map((part) => mark("overlay", part[side])),
];

/** Return a line that explains the marks of a match, or null if there are none. */
function legend({ differences, overlays }) {
  const said = [];
  if (differences.length) said.push("Red: what differs.");
  if (overlays.length) said.push("Dashed yellow: what was laid on top.");
  return said.length ? make("p", { className: "why legend" }, said.join(" ")) : null;
}

/** Return a box drawn over an image; it is in shares of the sides of the image. */
function mark(className, { left, top, width, height }) {
  const found = make("span", { className });
  Object.assign(found.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` });
  return found;
}

/** Show a stored picture; a match is shown next to the query, with its scores. */
export function open(image, { match = null, query = null, moreLikeThis, onLabel, onRemoved }) {
  const name = nameOf(image);
  const picture = make("img", { alt: `Stored picture ${name}` });
  const original = make("a", { target: "_blank", rel: "noopener" }, "Open original");
  const problemText = make("p", { className: "problem", role: "alert", hidden: true });
  const retry = make("button", { type: "button", hidden: true }, "Load it again");
  retry.onclick = async () => {
    problemText.hidden = retry.hidden = true;
    try {
      original.href = await load(picture, image.url);
    } catch (problem) {
      problemText.textContent = problem.message;
      problemText.hidden = retry.hidden = false;
    }
  };
  retry.onclick();
  const stored = figure(picture, sizeOf(image), match ? marksOn("match", match) : []);
  const more = make("button", { type: "button", className: "primary" }, "More like this");
  more.onclick = () => {
    dialog.close();
    moreLikeThis(image);
  };
  const discard = make("button", { type: "button", className: "danger" }, "Delete");
  discard.onclick = async () => {
    if (discard.textContent === "Delete") {
      discard.textContent = "Really delete?";
      return;
    }
    try {
      await api.remove(image);
      dialog.close();
      onRemoved(image);
    } catch (problem) {
      discard.textContent = problem.message;
    }
  };
  const parts = [make("h2", { id: "viewer-title" }, name)];
  if (match) {
    parts.push(
      make("div", { className: `top ${match.verdict}` }, verdict(match), make("span", { className: "score" }, percent(match.score))),
      make("div", { className: "pair" }, query ? figure(query.image ? thumbnail(query.image, "Your picture") : make("img", { src: query.preview, alt: "Your picture" }), "Your picture", marksOn("query", match)) : null, stored),
      legend(match),
      make("p", { className: "why" }, why(match)),
      signals(match),
      query ? drawings(query.operand, match) : null,
    );
  } else {
    parts.push(make("div", { className: "pair" }, stored));
  }
  if (image.labels.length) {
    const labels = image.labels.map(({ name, probability }) => {
      const button = make("button", { type: "button", title: `List pictures labelled ${name}` }, `${name} ${percent(probability)}`);
      button.onclick = () => {
        dialog.close();
        onLabel(name);
      };
      return button;
    });
    parts.push(make("p", { className: "why labels" }, "Looks like: ", ...labels));
  }
  parts.push(
    problemText,
    make("div", { className: "actions" }, more, original, retry, discard),
  );
  byId("viewer-body").replaceChildren(...parts.filter((part) => part !== null));
  dialog.showModal();
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
