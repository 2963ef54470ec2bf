/** The page in its language: the strings of the code, and the texts of the page as it was served. */
import { LANGUAGES, language, store } from "./locale.js";

const LOADERS = {
  de: () => import("./strings.de.js"),
  ja: () => import("./strings.ja.js"),
  ko: () => import("./strings.ko.js"),
  ru: () => import("./strings.ru.js"),
  zh: () => import("./strings.zh.js"),
};
const ENGLISH = { text: {}, page: {} };
const TRANSLATED = ["placeholder", "aria-label", "title"];

document.documentElement.lang = language;

// Where the file cannot be loaded, the page is in English.
const strings = LOADERS[language] ? await LOADERS[language]().catch(() => ENGLISH) : ENGLISH;

/** Return `english` with the strings that the language has in their place. */
export function translated(english, own = strings.text) {
  return Object.fromEntries(
    Object.entries(english).map(([name, value]) => [
      name,
      typeof value === "object" && !Array.isArray(value) ? translated(value, own[name] ?? {}) : own[name] ?? value,
    ]),
  );
}

/** Translate the texts and attributes of the page as it was served. */
export function translatePage() {
  const change = (words, put) => {
    const key = words.trim().replace(/\s+/g, " ");
    if (Object.hasOwn(strings.page, key)) put(words.replace(words.trim(), () => strings.page[key]));
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) change(walker.currentNode.data, (words) => (walker.currentNode.data = words));
  for (const name of TRANSLATED) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      change(element.getAttribute(name), (words) => element.setAttribute(name, words));
    }
  }
}

/** Let people choose a language in a `select`. */
export function offer(select) {
  select.append(...Object.entries(LANGUAGES).map(([tag, name]) => new Option(name, tag, false, tag === language)));
  for (const option of select.options) option.lang = option.value;
  select.onchange = () => {
    store(select.value);
    location.reload();
  };
}
