/** The dialog that creates and revokes links to an album. */
import * as api from "./api.js";
import { byId, make, moment } from "./dom.js";
import { text } from "./text.js";

const dialog = byId("share");
const list = byId("share-list");
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
      await api.revokeShare(album.album_id, share.share_id);
      row.remove();
      byId("share-new").hidden = true;
      report(text.revoked);
    });
  return row;
}

/** Show the links to an album. */
export function open(album) {
  list.replaceChildren();
  byId("share-new").hidden = true;
  byId("new-share").onsubmit = (event) => {
    event.preventDefault();
    attempt(async () => {
      const share = await api.createShare(album.album_id, Number(byId("share-days").value));
      byId("share-url").value = `${location.origin}${share.url}`;
      byId("share-new").hidden = false;
      byId("share-url").select();
      list.append(line(album, share));
      report(text.shareOnce);
    });
  };
  byId("share-copy").onclick = async () => {
    byId("share-url").select();
    await navigator.clipboard?.writeText(byId("share-url").value).catch(() => {});
    report(text.copied);
  };
  dialog.showModal();
  attempt(async () => {
    const { shares } = await api.shares(album.album_id);
    list.replaceChildren(...shares.map((share) => line(album, share)));
    if (!shares.length) report(text.noShares);
  });
}
