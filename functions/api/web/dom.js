import { decimals, locale, number } from "./locale.js";
import { text } from "./text.js";

/** Create an element; strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

const takenMoments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const months = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" });
export const moment = (time) => moments.format(new Date(time));

/** Return the local time that sorts an image: when it was taken, or else when it was indexed. */
export const datedAt = (image) => (image.taken_at ?? image.created_at).replace(/(Z|[+-]\d\d:\d\d)$/, "");

/** Format the local time at which an image was taken, whatever the time zone of the browser, with its offset if known. */
export function takenMoment(time) {
  const [, local, offset] = /^(.{19})[^Z+-]*(.*)$/.exec(time);
  return takenMoments.format(new Date(`${local}Z`)) + (offset ? ` (UTC${offset === "+00:00" ? "" : offset})` : "");
}

/** Format the month of a local time. */
export const monthOf = (time) => months.format(new Date(`${time.slice(0, 7)}-15T12:00:00Z`));

/** Format a fraction as a percentage; only exactly 1 becomes 100 %. */
export const percent = (value) => `${value < 1 ? Math.min(99, Math.round(value * 100)) : 100} %`;

/** Format the score of a match as a percentage; only the same pixels score 100 %. */
export const scoreOf = (match) => percent(match.verdict === "identical" ? match.score : Math.min(match.score, 0.99));

export function nameOf(image) {
  return image.filename || text.unnamedImage(image.image_id.slice(0, 10));
}

export function bytes(size) {
  const kilobytes = size / 1024;
  return kilobytes < 1024 ? `${number(Math.max(1, Math.round(kilobytes)))} KB` : `${decimals(kilobytes / 1024, 1)} MB`;
}

export function sizeOf(image) {
  return `${image.width} × ${image.height}, ${image.format.toUpperCase()}, ${bytes(image.bytes)}`;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Return a handler that does `work`, and ignores clicks on a button, or on each of some, until it is done. */
export function oneAtATime(buttons, work) {
  const all = [buttons].flat();
  return async () => {
    const focused = all.find((button) => button === document.activeElement);
    for (const button of all) button.disabled = true;
    try {
      await work();
    } finally {
      for (const button of all) button.disabled = false;
      if (document.activeElement === document.body) focused?.focus(); // a button that is disabled loses the focus
    }
  };
}

const SURE_MS = 600;

/** Let a button ask `question()` before another click does `work`. A double click, and a key that is held, are one click. */
export function askFirst(button, label, question, work) {
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    button.textContent = question();
    button.ariaDisabled = "true";
    timer = setTimeout(() => (button.ariaDisabled = null), SURE_MS);
  };
  button.onclick = ({ detail }) => {
    if (button.textContent !== question() || button.ariaDisabled || detail > 1) ask();
    else work();
  };
  button.onblur = () => (button.textContent = label());
}

/** Close a dialog by a click on its backdrop, unless it is the end of a drag that began, or ends, inside. */
export function closeByBackdrop(dialog) {
  const isOutside = ({ target, clientX: x, clientY: y }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    return target === dialog && (x < left || x > right || y < top || y > bottom);
  };
  let began = false;
  dialog.addEventListener("pointerdown", (event) => (began = isOutside(event)));
  dialog.addEventListener("click", (event) => began && isOutside(event) && dialog.close());
}

/** Do `work` with each of `items`, at most `most` at once; `work` handles its own errors. */
export async function each(items, most, work) {
  const waiting = [...items];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: Math.min(most, waiting.length) }, worker));
}
