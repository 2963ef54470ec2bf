/** The box that finds images by tags and file names, and the conditions that hold now. */
import * as api from "./api.js";
import { byId, make } from "./dom.js";
import * as route from "./route.js";
import { text } from "./text.js";

const MOST_SUGGESTIONS = 200;
const FRESH_MS = 60_000; // the tags of a large collection take seconds to count

const known = new Set(); // the tags of the collection
const people = new Map(); // the names of the persons that were conditions, by their ids
let loaded = { collection: null, at: -Infinity };

const tagsOf = (now) => (now.tag ? now.tag.split(",") : []);
const peopleOf = (now) => (now.people ? now.people.split(",") : []);

/** Read which tags there are, for suggestions, unless that was done within the last minute. */
async function suggest() {
  const { collection } = route.current();
  if (loaded.collection === collection && performance.now() - loaded.at < FRESH_MS) return;
  loaded = { collection, at: performance.now() };
  try {
    await load();
  } catch {
    loaded.at = -Infinity; // there are only no suggestions
  }
}

async function load() {
  const { tags } = await api.tags();
  known.clear();
  for (const { tag } of tags) known.add(tag);
  byId("find-names").replaceChildren(...tags.slice(0, MOST_SUGGESTIONS).map(({ tag, images }) => make("option", { value: tag }, text.images(images))));
}

function chip(name, changes) {
  return make("button", { type: "button", className: "chip", "aria-label": text.noCondition(name), onclick: () => route.go(changes) }, `${name} ×`);
}

/** Return a condition on a person, with the name once it is known. */
function personChip(id, now) {
  const others = peopleOf(now).filter((other) => other !== id).join(",") || null;
  const shown = chip(text.person, { people: others });
  const name = (words) => {
    shown.textContent = `${words} ×`;
    shown.setAttribute("aria-label", text.noCondition(words));
  };
  if (people.has(id)) name(people.get(id));
  const read = async () => {
    const person = await api.personHere(id);
    people.set(id, person.name ?? text.person); // the name may have changed
    name(people.get(id));
  };
  read().catch(() => {}); // the chip keeps the name that is known
  return shown;
}

/** Show the conditions that an address has. */
export function show(now) {
  const tags = tagsOf(now);
  const chips = tags.map((tag) => chip(tag, { tag: tags.filter((other) => other !== tag).join(",") || null }));
  if (tags.length > 1) {
    const all = now.match === "all";
    chips.push(make("button", { type: "button", className: "chip", onclick: () => route.go({ match: all ? null : "all" }) }, all ? text.allTags : text.anyTag));
  }
  if (now.label) chips.push(chip(now.label, { label: null }));
  for (const id of peopleOf(now)) chips.push(personChip(id, now));
  if (now.filename) chips.push(chip(`“${now.filename}”`, { filename: null }));
  const pressed = [...byId("chips").children].indexOf(document.activeElement);
  byId("chips").replaceChildren(...chips);
  if (pressed >= 0) (chips[pressed] ?? chips.at(-1) ?? byId("collection-title")).focus();
  byId("only-favourites").setAttribute("aria-pressed", String(now.favourite === "true"));
}

export function start() {
  const box = byId("find-text");
  const find = async () => {
    const words = box.value.trim();
    if (!words) return;
    const tags = words.toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);
    box.value = "";
    const areKnown = () => tags.every((tag) => known.has(tag));
    if (!areKnown()) await load().catch(() => {}); // they may be new; without an answer, it is a file name
    if (areKnown()) route.go({ tag: [...new Set([...tagsOf(route.current()), ...tags])].join(",") });
    else route.go({ filename: words });
  };
  byId("find").onsubmit = (event) => {
    event.preventDefault();
    find();
  };
  box.oninput = (event) => {
    // Choosing a suggestion is an input without a key.
    if ((event.inputType === "insertReplacementText" || event.inputType === undefined) && known.has(box.value)) find();
  };
  document.addEventListener("focusin", ({ target }) => {
    if (target.getAttribute("list") === "find-names") suggest();
  });
  byId("only-favourites").onclick = () => route.go({ favourite: route.current().favourite ? null : "true" });
}
