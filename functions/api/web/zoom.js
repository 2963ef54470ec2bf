/** Zoom and pan of an image with wheel, pinch, drag, double click and keys. */
import { make } from "./dom.js";
import { text } from "./text.js";

const MOST = 16;
const STEP = 1.5;
const SWIPE_PIXELS = 50;

/**
 * Return a stage that shows `content`, and the buttons that zoom it.
 *
 * `onZoom(transform)` lets another stage follow; `onSwipe(by)` is called with 1 where a finger goes to the left, and
 * with -1 where it goes to the right. Up and down, a finger scrolls what the stage is in, unless it is zoomed.
 */
export function zoomable(content, { onZoom = () => {}, onSwipe = () => {} } = {}) {
  const stage = make("div", { className: "stage" }, content);
  const pointers = new Map();
  let scale = 1;
  let x = 0;
  let y = 0;
  let spread = 0;
  let swipe = null; // where the only finger on a stage that is not zoomed began

  function apply(told = true) {
    const { clientWidth: width, clientHeight: height } = stage;
    const limit = (value, side) => Math.min(0, Math.max(value, side - side * scale));
    [x, y] = [limit(x, width), limit(y, height)];
    content.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("zoomed", scale > 1);
    out.disabled = reset.disabled = scale === 1;
    into.disabled = scale === MOST;
    if (told) onZoom({ scale, x: x / (width || 1), y: y / (height || 1) });
  }

  /** Zoom by a factor and keep the point (`px`, `py`) of the stage where it is. */
  function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2) {
    const wanted = Math.min(MOST, Math.max(1, scale * factor));
    x = px - ((px - x) * wanted) / scale;
    y = py - ((py - y) * wanted) / scale;
    scale = wanted;
    apply();
  }

  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const button = (label, shown, work) => {
    const made = make("button", { type: "button", title: label, "aria-label": label }, shown);
    made.onclick = work;
    return made;
  };
  const into = button(text.zoomIn, "+", () => zoom(STEP));
  const out = button(text.zoomOut, "−", () => zoom(1 / STEP));
  const reset = button(text.zoomReset, "⤢", () => set({ scale: 1, x: 0, y: 0 }));

  /** Set the zoom, as another stage has it. */
  function set(to, told = true) {
    scale = to.scale;
    x = to.x * stage.clientWidth;
    y = to.y * stage.clientHeight;
    apply(told);
  }

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(2 ** (-event.deltaY / 400), ...place(event));
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => (scale > 1 ? reset.onclick() : zoom(3, ...place(event))));
  stage.addEventListener("pointerdown", (event) => {
    if (scale > 1 || event.pointerType !== "mouse") stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    spread = 0;
    swipe = scale === 1 && pointers.size === 1 && event.pointerType !== "mouse" ? event : null;
  });
  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (!event.buttons) return void pointers.delete(event.pointerId); // it was released outside
    pointers.set(event.pointerId, event);
    if (pointers.size === 2) {
      const [a, b] = [...pointers.values()].map(place);
      const distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (spread) zoom(distance / spread, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
      spread = distance;
    } else if (scale > 1) {
      x += event.clientX - before.clientX;
      y += event.clientY - before.clientY;
      apply();
    }
  });
  stage.addEventListener("pointerup", (event) => {
    const across = swipe && scale === 1 && pointers.size === 1 ? event.clientX - swipe.clientX : 0;
    if (Math.abs(across) > Math.max(SWIPE_PIXELS, 2 * Math.abs(event.clientY - (swipe?.clientY ?? 0)))) onSwipe(-Math.sign(across));
  });
  // Two fingers pinch, in whatever direction they move.
  stage.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => pointers.delete(event.pointerId));
  apply(false);
  const keys = { "+": into, "=": into, "-": out, 0: reset };
  return {
    stage,
    set,
    buttons: make("div", { className: "zoom" }, out, reset, into),
    /** Zoom by a key; return whether it was one that does. */
    press: (key) => Boolean(keys[key] && !keys[key].disabled && (keys[key].onclick(), true)),
  };
}
