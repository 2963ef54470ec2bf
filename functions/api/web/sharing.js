/** The dialog that creates and revokes links to an album. */
import * as api from "./api.js";
import { byId, make, moment, oneAtATime } from "./dom.js";
import { confirm } from "./notices.js";
import { text } from "./text.js";

const dialog = byId("share");
const list = byId("share-list");
let newest = null; // the id of the link that is shown, which cannot be shown again
const report = (message) => (byId("share-status").textContent = message);

async function attempt(work) {
  report("");
  try {
    await work();
  } catch (problem) {
    report(problem.message);
  }
}

function line(album, share) {
  const since = moment(share.created_at);
  const what = make("span", { className: "what" }, make("span", { className: "name" }, text.shareSince(since)), make("small", {}, text.shareEnds(moment(share.expires_at))));
  const revoke = make("button", { type: "button", className: "danger", "aria-label": text.revokeOf(since) }, text.revoke);
  const row = make("li", {}, what, revoke);
  revoke.onclick = () =>
    attempt(async () => {
      if (!(await confirm({ title: text.askRevoke(since), explanation: text.whyRevoke, action: text.revoke, danger: true }))) return;
      await api.revokeShare(album.album_id, share.share_id);
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector("button") ?? byId("share-days")).focus();
      if (share.share_id === newest) byId("share-new").hidden = true;
      report(text.revoked);
    });
  return row;
}

/** Copy the new link; return whether it was. It is selected, for browsers that do not let the page copy it. */
async function copy() {
  byId("share-url").select();
  try {
    await navigator.clipboard.writeText(byId("share-url").value);
    return true;
  } catch {
    return false; // only secure pages have a clipboard, and a browser may forbid it
  }
}

/** Show the links to an album. */
export function open(album) {
  list.replaceChildren();
  byId("share-new").hidden = true;
  const create = oneAtATime(byId("new-share").querySelector("button"), () =>
    attempt(async () => {
      const share = await api.createShare(album.album_id, Number(byId("share-days").value));
      newest = share.share_id;
      byId("share-url").value = `${location.origin}${share.url}`;
      byId("share-new").hidden = false;
      byId("share-url").select();
      list.append(line(album, share));
      report(text.shareOnce);
    }),
  );
  byId("new-share").onsubmit = (event) => {
    event.preventDefault();
    create();
  };
  byId("share-copy").onclick = async () => report((await copy()) ? text.copied : text.copyByHand);
  dialog.showModal();
  attempt(async () => {
    const { shares } = await api.shares(album.album_id);
    list.replaceChildren(...shares.map((share) => line(album, share)));
    if (!shares.length) report(text.noShares);
  });
}
