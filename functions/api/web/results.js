import { byId, make, nameOf, percent } from "./dom.js";
import { thumbnail } from "./picture.js";

const VERDICTS = {
  identical: "Identical",
  "near-duplicate": "Near-duplicate",
  similar: "Similar",
  unrelated: "Probably unrelated",
};

/** Two digits, and never a negative zero. */
const two = (value) => (Math.round(value * 100) / 100 + 0).toFixed(2);

/** Every score of a match as a labelled bar. */
export function signals(match) {
  const rows = [
    ["Structure", Math.max(match.ssim, match.ssim_aligned ?? -1), two],
    ["Keypoints", match.orb.ratio, () => `${match.orb.inliers} fit`],
    ["Colours", match.histogram, two],
  ];
  if (match.cosine !== null) rows.unshift(["Features", match.cosine, (value) => value.toFixed(3)]);
  return make(
    "ul",
    { className: "signals" },
    ...rows.map(([label, value, text]) =>
      make(
        "li",
        {},
        make("span", {}, label),
        make("meter", { min: 0, max: 1, value: Math.max(0, value), "aria-label": `${label}: ${text(value)}` }),
        make("b", {}, text(value)),
      ),
    ),
  );
}

export const verdict = (match) => make("span", { className: "verdict" }, VERDICTS[match.verdict] ?? match.verdict);

/** One sentence that says why a match has its verdict. */
export function why(match) {
  if (match.verdict === "identical") return "Byte for byte the same file.";
  if (match.low_information) return "One of the two shows nothing to be recognised by, so what agrees says nothing.";
  const reasons = [];
  if (match.ssim_aligned !== null && match.orb.inliers >= 10) {
    const whose = match.mirrored ? " of its mirror image" : "";
    reasons.push(`${match.orb.inliers} keypoints${whose} lie where one geometric transform says they should`);
    if (match.ssim_aligned > match.ssim + 0.05) {
      reasons.push(`once aligned, the structure agrees to ${match.ssim_aligned.toFixed(2)}`);
    }
  } else {
    reasons.push(`no geometric transform explains the ${match.orb.matches} keypoint pairs`);
  }
  if (match.ssim > 0.5) reasons.push(`the structure agrees to ${match.ssim.toFixed(2)} as it is`);
  if (match.histogram > 0.8) reasons.push("the colours are nearly the same");
  const text = reasons.join("; ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

const related = (match) => match.verdict !== "unrelated";

function card(match, open) {
  const name = nameOf(match.image);
  return make(
    "li",
    {},
    make(
      "article",
      { className: `card ${match.verdict}` },
      make("button", { className: "open", type: "button", onclick: () => open(match), "aria-label": `Open ${name}` }, thumbnail(match.image)),
      make(
        "div",
        { className: "body" },
        make("div", { className: "top" }, verdict(match), make("span", { className: "score" }, percent(match.score))),
        make("div", { className: "name", title: name }, name),
        make("p", { className: "why" }, why(match)),
        signals(match),
      ),
    ),
  );
}

/** Show a search's answer; gives the sentence for the status line. */
export function show(answer, open) {
  const near = answer.matches.filter(related);
  const others = answer.matches.filter((match) => !related(match));
  byId("matches").replaceChildren(...near.map((match) => card(match, open)));
  byId("none").hidden = near.length > 0;
  byId("unrelated").replaceChildren(...others.map((match) => card(match, open)));
  byId("others-title").textContent = `The next nearest, probably unrelated (${others.length})`;
  byId("others").hidden = others.length === 0;
  byId("others").open = near.length === 0;
  byId("timings").replaceChildren(
    ...Object.entries(answer.took_ms).flatMap(([stage, ms]) => [make("dt", {}, stage), make("dd", {}, `${ms.toFixed(0)} ms`)]),
  );
  byId("results").hidden = false;
  const found = near.length
    ? `${near.length} ${near.length === 1 ? "picture is" : "pictures are"} like it`
    : "Nothing is really like it";
  if (answer.low_information) return "This picture shows nothing to be recognised by; only its own file can be found.";
  return `${found}; ${answer.candidates} candidates compared in ${answer.took_ms.total.toFixed(0)} ms.`;
}
