import { byId, make, nameOf, scoreOf } from "./dom.js";
import { decimals, number } from "./locale.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";

/** Format a score with a number of decimals, and zero without a sign; only exactly 1 becomes 1. */
function score(value, digits) {
  const scale = 10 ** digits;
  const rounded = value < 1 ? Math.min(Math.round(value * scale), scale - 1) : scale;
  return decimals(rounded / scale + 0, digits);
}
const twoDecimals = (value) => score(value, 2);

/** Return the scores of a match as labelled bars. */
export function signals(match) {
  const rows = [
    [text.signals.structure, Math.max(match.ssim, match.ssim_aligned ?? -1), twoDecimals],
    [text.signals.keypoints, match.orb.ratio, () => `${match.orb.inliers}`],
    [text.signals.colours, match.histogram, twoDecimals],
  ];
  if (match.cosine !== null) rows.unshift([text.signals.features, match.cosine, (value) => score(value, 3)]);
  return make(
    "ul",
    { className: "signals" },
    ...rows.map(([label, value, shown]) =>
      make(
        "li",
        {},
        make("span", {}, label),
        make("meter", { min: 0, max: 1, value: Math.max(0, value), "aria-label": `${label}: ${shown(value)}` }),
        make("b", {}, shown(value)),
      ),
    ),
  );
}

export const verdict = (match) => make("span", { className: "verdict" }, text.verdicts[match.verdict] ?? match.verdict);

/** Return a sentence that explains the verdict of a match. */
export function why(match) {
  if (match.verdict === "identical") {
    return match.same_bytes ? text.reasons.sameBytes : text.reasons.samePixels;
  }
  if (match.low_information) return text.reasons.tooPlain;
  const reasons = match.page === null ? [] : [text.foundOn(match.page, match.image.pages, match.at)];
  if (match.verdict === "variant") {
    const count = match.differences.length;
    reasons.push(count ? text.reasons.parts(count) : text.reasons.content);
  }
  if (match.inverted) reasons.push(text.reasons.inverted);
  if (match.overlays.length) reasons.push(text.reasons.overlays);
  if (match.ssim_aligned !== null && match.orb.inliers >= 10) {
    reasons.push(text.reasons.keypoints(match.orb.inliers, match.mirrored));
    if (match.ssim_aligned > match.ssim + 0.05) {
      reasons.push(text.reasons.aligned(twoDecimals(match.ssim_aligned)));
    }
  } else {
    reasons.push(text.reasons.noTransform(match.orb.matches));
  }
  if (match.ssim > 0.5) reasons.push(text.reasons.unaligned(twoDecimals(match.ssim)));
  if (match.histogram > 0.8) reasons.push(text.reasons.colours);
  const sentence = reasons.join("; ");
  return `${sentence[0].toUpperCase()}${sentence.slice(1)}.`;
}

const SECTIONS = { identical: "copies", "near-duplicate": "copies", variant: "variants", similar: "lookAlikes" };

function card(match, open) {
  const name = nameOf(match.image);
  return make(
    "li",
    {},
    make(
      "article",
      { className: `card ${match.verdict}` },
      make("button", { className: "open", type: "button", onclick: () => open(match), "aria-label": text.open(name) }, thumbnail(match.image)),
      make(
        "div",
        { className: "body" },
        make("div", { className: "top" }, verdict(match), make("span", { className: "score" }, scoreOf(match))),
        make("div", { className: "name", title: name }, name),
        make("p", { className: "why" }, why(match)),
        signals(match),
      ),
    ),
  );
}

/** Return the section of results of one kind, or nothing if there are none. */
function section(kind, matches, open) {
  const found = matches.filter((match) => SECTIONS[match.verdict] === kind);
  if (!found.length) return [];
  const title = make("h3", {}, `${text.sections[kind]} `, make("span", { className: "pill" }, number(found.length)));
  const cards = make("ol", { className: "matches" }, ...found.map((match) => card(match, open)));
  return [make("section", { className: `of-${kind}` }, title, make("p", { className: "why hint" }, text.sectionHints[kind]), cards)];
}

/** Show the results of a search; return a sentence for the status line. */
export function show(answer, open) {
  const near = answer.matches.filter((match) => match.verdict in SECTIONS);
  const others = answer.matches.filter((match) => !(match.verdict in SECTIONS));
  byId("matches").replaceChildren(...Object.keys(text.sections).flatMap((kind) => section(kind, near, open)));
  byId("matches").classList.toggle("one", near.length === 1);
  byId("none").hidden = near.length > 0;
  const nothing = answer.candidates ? text.nothingLike : text.nothingToCompare;
  byId("none").textContent = answer.low_information ? text.tooPlain : nothing;
  byId("unrelated").replaceChildren(...others.map((match) => card(match, open)));
  byId("others-title").textContent = text.othersFound(others.length);
  byId("others").hidden = others.length === 0;
  byId("others").open = near.length === 0;
  byId("timings").replaceChildren(
    ...Object.entries(answer.took_ms).flatMap(([stage, ms]) => [make("dt", {}, stage), make("dd", {}, `${number(Math.round(ms))} ms`)]),
  );
  byId("results").hidden = false;
  if (answer.low_information) return text.tooPlain;
  return text.found(near.length, answer.candidates, Math.round(answer.took_ms.total));
}
