/** The address of the page names all that it shows, so that Back works and links can be shared. */
const NAMES = [
  "collection", "view", "group",
  "sort", "order", "label", "filename", "format", "size", "taken_from", "taken_to", "since", "until", "external_id", "field",
  "tag", "match", "favourite", "album",
  "similar", "url", "query", "ranking", "effort",
  "image", "people",
];

const BACK_MS = 1000; // a browser that takes longer may not go back

let listener = () => {};
let shown = null;

/** Return what the address names: a value for each name, null for those it lacks. */
export function current() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) || null]));
}

/** Return the address with some values changed; null removes one. */
export function href(changes) {
  const wanted = { ...current(), ...changes };
  const query = new URLSearchParams(NAMES.filter((name) => wanted[name]).map((name) => [name, wanted[name]]));
  return query.size ? `/?${query}` : "/";
}

/** Return the address of a view of the current collection, without search, filters and image. */
export const bare = (changes = {}) => href({ ...Object.fromEntries(NAMES.map((name) => [name, null])), collection: current().collection, ...changes });

const depth = () => history.state?.depth ?? 0;

/** Show an address of this page, unless it is shown already; with `replace`, Back does not return to the present one. */
export function open(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return false;
  if (replace) history.replaceState({ depth: depth() }, "", address);
  else history.pushState({ depth: depth() + 1 }, "", address);
  notify();
  return true;
}

export const go = (changes, options) => open(href(changes), options);

/** Close what `name` shows: go back if the page opened it, so that Back does not open it again; wait until that is shown. */
export async function leave(name) {
  if (!current()[name]) return;
  if (depth() > 0) {
    const shown = new Promise((resolve) => {
      addEventListener("popstate", resolve, { once: true });
      setTimeout(resolve, BACK_MS);
    });
    history.back();
    await shown;
  } else go({ [name]: null }, { replace: true });
}

function notify() {
  const before = shown;
  shown = current();
  listener(shown, before);
}

/** Call `found(now, before)` for the present address (`before` is null) and whenever it changes. */
export function start(found) {
  listener = found;
  addEventListener("popstate", notify);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='/?'], a[href='/']");
    if (!link || link.target || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link.getAttribute("href"));
  });
  notify();
}
