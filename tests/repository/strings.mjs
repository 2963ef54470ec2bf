// Print the strings of each language as JSON, functions called with samples: node strings.mjs FOLDER LANGUAGE...
import { pathToFileURL } from "node:url";

const [folder, ...languages] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/${name}`));
const nothing = () => null;
globalThis.document = { documentElement: {} };
globalThis.localStorage = { getItem: nothing };
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] } });

const SAMPLES = [[21, 34, 55, 89], [1, 1, 1, 1], [5, 5, 5, 5], [0, 2, 3, 4], [2, 3, null, null]];

/** Describe a string, or what a function returns for the samples. */
function described(value) {
  if (typeof value !== "function") return typeof value === "string" ? value : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, described(one)]));
  return { arguments: value.length, said: SAMPLES.map((sample) => value(...sample.slice(0, value.length))) };
}

const found = { en: { text: described((await load("text.js")).text) } };
for (const language of languages) {
  const { text, page } = await load(`strings.${language}.js`);
  found[language] = { text: described(text), page };
}
process.stdout.write(JSON.stringify(found));
