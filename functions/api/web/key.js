import { byId } from "./dom.js";

const NAME = "pictrace-key";

let asking = null;

/** The key of this tab's session, or null; the browser forgets it with the tab. */
export const held = () => sessionStorage.getItem(NAME);

/** Another key than the one that was refused, or null where none is given; asked for once however many calls need it. */
export async function instead(refused) {
  if (!asking && held() !== refused) return held();
  asking ??= new Promise((resolve) => {
    const dialog = byId("key");
    byId("key-problem").hidden = held() === null;
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
    };
    dialog.returnValue = "";
    dialog.showModal();
  });
  return asking;
}

function show() {
  byId("forget").hidden = held() === null;
}

/** Offer to forget the key: the page starts again without it. */
export function start() {
  byId("forget").onclick = () => {
    sessionStorage.removeItem(NAME);
    location.reload();
  };
  show();
}
