/** The language of the page: the one that was chosen here, or else the first of the browser's that there is; and numbers in it. */
export const LANGUAGES = { en: "English", de: "Deutsch", ja: "日本語", ko: "한국어", ru: "Русский", zh: "中文" };

const NAME = "pictrace-language";

/** Return the chosen language, or null; a browser may forbid to store it. */
function stored() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

export const store = (tag) => localStorage.setItem(NAME, tag);

const languageOf = (tag) => tag?.split("-")[0].toLowerCase();

export const language = [stored(), ...navigator.languages].map(languageOf).find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? "en";

/** Return the browser's tag of the language, with its region: en-GB, de-CH. */
function regional() {
  const tag = navigator.languages.find((one) => languageOf(one) === language) ?? language;
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return language; // some systems have names such as en-US@posix
  }
}

/** The tag by which numbers and times are formatted. */
export const locale = regional();

export const number = new Intl.NumberFormat(locale).format;

/** Format a number with a number of decimals. */
export const decimals = (value, digits) => value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
