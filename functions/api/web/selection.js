import { byId } from "./dom.js";
import { text } from "./text.js";

const chosen = new Set();
let last = null; // where a range begins
let grid = null;
let askToDelete = () => {};

function changed() {
  grid.show(chosen);
  byId("selection").hidden = chosen.size === 0;
  byId("selection-count").textContent = text.selected(chosen.size);
  byId("cover-selected").disabled = chosen.size !== 1;
  document.body.classList.toggle("has-selection", chosen.size > 0);
}

export const size = () => chosen.size;
export const images = () => [...chosen].map(grid.imageOf);
export const askDelete = () => askToDelete(images());

export function toggle(id, on = null) {
  if (on ?? !chosen.has(id)) chosen.add(id);
  else chosen.delete(id);
  last = id;
  changed();
}

/** Select all from the one that was chosen last to this one, in the order of the grid. */
export function extend(id, order) {
  const [from, to] = [Math.max(0, order.indexOf(last)), order.indexOf(id)].sort((a, b) => a - b);
  for (const one of order.slice(from, to + 1)) chosen.add(one);
  changed();
}

export function set(ids) {
  for (const id of ids) chosen.add(id);
  changed();
}

export function clear() {
  chosen.clear();
  last = null;
  changed();
}

/** Unselect images that are gone. */
export function drop(ids) {
  for (const id of ids) chosen.delete(id);
  changed();
}

/** Set up the bar; `shown` shows what is selected, knows the images and focuses one of them. */
export function start(shown) {
  grid = shown;
  byId("select-all").onclick = () => set(grid.all());
  byId("clear-selection").onclick = () => {
    const place = last;
    clear();
    grid.focus(place); // the button is gone
  };
  byId("delete-selected").onclick = askDelete;
}

/** Set what deletes the selected images. */
export function onDelete(work) {
  askToDelete = work;
}
