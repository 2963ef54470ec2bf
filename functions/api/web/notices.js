/** Questions and messages of the page. */
import { byId, make } from "./dom.js";

const TOAST_MS = 8000;
const TOAST_WITH_ACTION_MS = 20_000;

let timer = 0;

/** Move the messages into the dialog on top, as what is behind it is neither seen nor announced; dialogs are in the page in the order in which they lie. */
function moveToTop() {
  const top = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  if (byId("toast").parentElement !== top) top.append(byId("toast"));
}

for (const name of ["toggle", "close"]) document.addEventListener(name, moveToTop, true);

/** Return whether a dialog covers the page, of which nothing but the messages in here is then seen or announced. */
export const isCovered = () => document.querySelector("dialog:modal") !== null;

/** Ask before something that changes what is stored; return whether the answer is yes. */
export function confirm({ title, explanation, action, danger = false }) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = explanation;
  byId("confirm-yes").textContent = action;
  byId("confirm-yes").className = danger ? "danger" : "primary";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}

/** Show a message for some seconds, with a button if there is an `action`, as [label, work]. */
export function toast(message, action = null) {
  clearTimeout(timer);
  moveToTop();
  const button = action && make("button", { type: "button" }, action[0]);
  byId("toast").replaceChildren(make("span", {}, message), ...(button ? [button] : []));
  byId("toast").classList.add("shown");
  if (button) {
    let before = null;
    button.onfocus = ({ relatedTarget }) => (before = relatedTarget);
    button.onclick = () => {
      hide();
      before?.focus(); // the button is gone
      action[1]();
    };
  }
  timer = setTimeout(hide, action ? TOAST_WITH_ACTION_MS : TOAST_MS);
}

/** Take the message away. */
export function hide() {
  byId("toast").classList.remove("shown");
  byId("toast").replaceChildren();
}

/** Show a message until the next one. */
export function progress(message) {
  clearTimeout(timer);
  moveToTop();
  byId("toast").textContent = message;
  byId("toast").classList.add("shown");
}
