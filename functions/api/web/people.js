/** The people of a collection: named in place, merged by dragging or by buttons, hidden, and asked about one pair at a time. */
import * as api from "./api.js";
import { byId, make, oneAtATime, pause } from "./dom.js";
import { toast } from "./notices.js";
import * as route from "./route.js";
import { text } from "./text.js";
import { thumbnail } from "./thumbnails.js";

const AROUND = 1.6; // how much more than the face its picture shows
const ASK_AGAIN_MS = 500; // until the faces of a person have moved
const ASK_AT_MOST = 60;

let next = null;
let latest = 0;
let picked = null; // the person to be merged into another
let asked = []; // pairs of persons to ask about
let following = null; // the cursor of the next pairs; null once there are none

const nameOf = (person) => person.name || text.unnamed;
const attempt = (work) => work().catch((problem) => toast(problem.message));

/** Return a picture of a face, cut out of the thumbnail of its image. */
function portrait(face, alt) {
  const frame = make("span", { className: "portrait" });
  if (!face) return frame;
  const img = thumbnail(face, alt);
  img.onload = () => {
    const { left, top, width, height } = face.box;
    const across = AROUND * Math.max(width * img.naturalWidth, height * img.naturalHeight);
    const scale = 100 / across;
    img.style.width = `${img.naturalWidth * scale}%`;
    img.style.height = `${img.naturalHeight * scale}%`;
    const place = (middle, size) => Math.min(0, Math.max(100 - size * scale, 50 - middle * size * scale)); // no gap at an edge
    img.style.left = `${place(left + width / 2, img.naturalWidth)}%`;
    img.style.top = `${place(top + height / 2, img.naturalHeight)}%`;
  };
  frame.append(img);
  return frame;
}

/** Show the people again once a person has this many faces: they move one after another, after the answer. */
async function showMoved(person, faces) {
  const mine = latest;
  for (let asks = 0; asks < ASK_AT_MOST && mine === latest; asks += 1) {
    const now = await api.person(person);
    if (mine !== latest) return;
    const shown = [...byId("persons").children].find((one) => one.dataset.person === now.person_id);
    if (shown) shown.querySelector("small").textContent = text.faceCount(now.faces);
    if (now.faces >= faces) return shown ? undefined : load();
    await pause(ASK_AGAIN_MS);
  }
}

async function merge(person, into) {
  pick(null);
  await api.mergePeople(person, into);
  toast(text.merged(into.name ?? person.name), [text.undo, () => attempt(async () => {
    await api.unmergePerson(person);
    await load();
    await showMoved(person, person.faces);
  })]);
  await load();
  attempt(() => showMoved(into, into.faces + person.faces));
}

/** Merge a person into another one, and focus that one. */
async function mergeHere(person, into) {
  await merge(person, into);
  const row = [...byId("persons").children].find((one) => one.dataset.person === into.person_id);
  (row?.querySelector(".merge") ?? byId("people-title")).focus();
}

/** Choose a person to be merged: the buttons of the others then say where to. */
function pick(person) {
  picked = person;
  byId("merge-hint").textContent = person ? text.mergeHint(person.name) : "";
  for (const tile of byId("persons").children) {
    const own = tile.dataset.person === person?.person_id;
    tile.classList.toggle("picked", own);
    const button = tile.querySelector(".merge");
    button.textContent = person && !own ? text.mergeHere : person ? text.cancel : text.merge;
    button.setAttribute("aria-pressed", String(own));
  }
}

function tile(person) {
  const name = make("input", { value: person.name ?? "", title: person.name ?? "", maxLength: 100, placeholder: text.unnamed, autocomplete: "off", "aria-label": text.nameOfPerson(person.name) });
  name.onchange = () => attempt(async () => {
    Object.assign(person, await api.changePerson(person, { name: name.value.trim() || null }));
    name.value = name.title = person.name ?? "";
    toast(person.name ? text.named(person.name) : text.nameRemoved);
  });
  name.onkeydown = ({ key }) => key === "Enter" && name.blur();
  const mergeButton = make("button", { type: "button", className: "merge", "aria-pressed": "false" }, text.merge);
  mergeButton.onclick = () => {
    if (picked && picked.person_id !== person.person_id) attempt(() => mergeHere(picked, person));
    else pick(picked ? null : person);
  };
  const hide = make("button", { type: "button" }, person.hidden ? text.showAgain : text.hide);
  const row = make(
    "li",
    { draggable: true },
    make("a", { href: route.bare({ people: person.person_id }), draggable: false, "aria-label": text.imagesOf(person.name) }, portrait(person.cover, "")),
    name,
    make("small", {}, text.faceCount(person.faces)),
    make("span", { className: "actions" }, mergeButton, hide),
  );
  row.dataset.person = person.person_id;
  hide.onclick = () => attempt(async () => {
    await api.changePerson(person, { hidden: !person.hidden });
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (neighbour?.querySelector(".actions button:last-child") ?? byId("people-title")).focus();
    show();
  });
  row.ondragstart = (event) => {
    event.dataTransfer.setData("text/x-person", person.person_id);
    event.dataTransfer.effectAllowed = "move";
    pick(person);
  };
  row.ondragend = () => pick(null);
  row.ondragover = (event) => {
    if (!picked || picked.person_id === person.person_id) return;
    event.preventDefault();
    event.stopPropagation();
    row.classList.add("over");
  };
  row.ondragleave = () => row.classList.remove("over");
  row.ondrop = (event) => {
    row.classList.remove("over");
    if (!picked || picked.person_id === person.person_id) return;
    event.preventDefault();
    event.stopPropagation();
    attempt(() => merge(picked, person));
  };
  return row;
}

/** Ask about the next pair of persons who may be the same. */
async function ask() {
  while (asked.length === 0 && following !== null) {
    const page = await api.samePeople(following || null);
    asked = page.pairs;
    following = page.cursor;
  }
  const pair = asked[0];
  byId("same").hidden = !pair;
  if (!pair) return;
  const { person, other: { person: other } } = pair;
  const side = (one) => make("figure", {}, portrait(one.cover, nameOf(one)), make("figcaption", {}, one.name ? `${one.name} ` : "", make("small", {}, text.faceCount(one.faces))));
  byId("same-pair").replaceChildren(side(person), side(other));
  const answers = {
    yes: () => merge(...(person.name || !other.name ? [other, person] : [person, other])),
    no: async () => {
      await api.tellApart(person, other);
      await askNext(pair);
    },
    skip: () => askNext(pair),
  };
  const buttons = Object.keys(answers).map((name) => byId(`same-${name}`));
  for (const [at, work] of Object.values(answers).entries()) {
    const answer = oneAtATime(buttons, () => attempt(work));
    buttons[at].onclick = async () => {
      await answer();
      if (byId("same").hidden) byId("people-title").focus();
    };
  }
}

/** Ask about the pair after one that was answered. */
async function askNext(pair) {
  asked = asked.filter((one) => one !== pair);
  await ask();
}

function show() {
  byId("more-people").hidden = next === null;
  byId("no-people").hidden = byId("persons").children.length > 0 || next !== null;
}

async function append() {
  const mine = latest;
  const page = await api.people(next, byId("hidden-people").checked);
  if (mine !== latest) return;
  next = page.cursor;
  byId("persons").append(...page.people.map(tile));
  show();
}

/** Show the first page, and the first question. */
export async function load() {
  latest += 1;
  next = null;
  picked = null;
  asked = [];
  following = "";
  byId("persons").replaceChildren();
  byId("merge-hint").textContent = "";
  await append();
  await ask();
}

export const more = append;

/** Say why nobody is in a collection; turned on, faces may only not have been found yet. */
export async function explain(collection) {
  const mine = latest;
  const isHidden = byId("hidden-people").checked;
  const found = isHidden || byId("no-people").hidden ? null : await api.collection(collection);
  if (mine === latest) byId("no-people").textContent = isHidden ? text.nobodyHidden : found?.faces ? text.nobodyYet : text.facesOff;
}

/** Set up the view; `collection()` returns the name of the collection that the page shows. */
export function start(collection) {
  byId("hidden-people").onchange = () =>
    attempt(async () => {
      await load();
      await explain(collection());
    });
}
