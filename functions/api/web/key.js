import { byId } from "./dom.js";

const NAME = "pictrace-key";

let asking = null;
let entered = () => {};

/** Set what goes on once a key is entered. */
export const onEntered = (work) => (entered = work);

/** Return the key, or null; the browser forgets it when the tab is closed. */
export const current = () => sessionStorage.getItem(NAME);

/** Ask for a key other than the refused one, once for all waiting calls; return it, or null if none is entered. */
export async function request(refused) {
  if (!asking && current() !== refused) return current();
  asking ??= new Promise((resolve) => {
    const dialog = byId("key");
    byId("key-problem").hidden = current() === null;
    sessionStorage.removeItem(NAME);
    show();
    byId("key-form").reset();
    dialog.onclose = () => {
      const key = dialog.returnValue === "use" ? byId("key-text").value.trim() : "";
      byId("key-form").reset();
      if (key) sessionStorage.setItem(NAME, key);
      asking = null;
      show();
      resolve(key || null);
      if (key) entered();
    };
    dialog.returnValue = "";
    dialog.showModal();
  });
  return asking;
}

function show() {
  byId("forget").hidden = current() === null;
}

/** Set up the button that forgets the key and reloads the page, once `forgetFiles` has returned that it may. */
export function start(forgetFiles) {
  byId("forget").onclick = async () => {
    if (!(await forgetFiles())) return;
    sessionStorage.removeItem(NAME);
    location.reload();
  };
  show();
}
