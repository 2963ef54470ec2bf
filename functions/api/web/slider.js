/** Two images next to or over each other, with a slider between them and a common zoom. */
import * as api from "./api.js";
import { byId, closeByBackdrop, make, nameOf, sizeOf } from "./dom.js";
import { text } from "./text.js";
import { show as showThumbnail } from "./thumbnails.js";
import { zoomable } from "./zoom.js";

const dialog = byId("compare");

async function load(image, report) {
  const shown = make("img", { alt: nameOf(image), draggable: false });
  shown.onerror = () => showThumbnail(shown, image, (why) => (report.textContent = why)); // browsers do not show every format that the server reads
  try {
    shown.src = await api.contentLink(image);
  } catch (problem) {
    report.textContent = problem.message;
  }
  return shown;
}

const caption = (image) => make("figcaption", {}, make("strong", { className: "name" }, nameOf(image)), ` ${sizeOf(image)}`);

/** Show one image over the other, cut at a line that a slider moves. */
function over(images, [left, right]) {
  const cut = make("div", { className: "cut" }, right);
  const zoom = zoomable(left, { onZoom: () => (right.style.transform = left.style.transform) });
  const line = make("div", { className: "cut-line" });
  const slider = make("input", { type: "range", min: 0, max: 100, step: "any", value: 50, "aria-label": text.sliderBetween(...images.map(nameOf)) });
  const move = () => {
    cut.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
    line.style.left = `${slider.value}%`;
  };
  slider.oninput = move;
  zoom.stage.append(cut, line);
  zoom.stage.addEventListener("pointermove", (event) => {
    if (!event.buttons || zoom.stage.classList.contains("zoomed")) return;
    const box = zoom.stage.getBoundingClientRect();
    slider.value = (100 * (event.clientX - box.left)) / box.width;
    move();
  });
  move();
  return make("div", { className: "over" }, make("figure", { className: "whole" }, zoom.stage, zoom.buttons), slider, make("div", { className: "captions" }, ...images.map(caption)));
}

/** Show the images side by side; zooming one zooms the other. */
function sideBySide(images, shown) {
  const zooms = shown.map((one, at) => zoomable(one, { onZoom: (to) => zooms[1 - at].set(to, false) }));
  return make("div", { className: "pair" }, ...zooms.map(({ stage, buttons }, at) => make("figure", { className: "whole" }, stage, at === 1 ? buttons : null, caption(images[at]))));
}

/** Open the comparison of two stored images. */
export async function open(first, second) {
  const images = [first, second];
  const report = make("p", { className: "why", role: "status" });
  const place = make("div");
  const shown = await Promise.all(images.map((image) => load(image, report)));
  const ways = [[text.slider, over], [text.sideBySide, sideBySide]];
  const buttons = ways.map(([label, way]) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, label);
    button.onclick = () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      for (const one of shown) one.style.transform = "";
      place.replaceChildren(way(images, shown));
    };
    return button;
  });
  byId("compare-body").replaceChildren(make("div", { className: "actions ways" }, ...buttons), place, report);
  dialog.showModal();
  buttons[0].onclick();
}

closeByBackdrop(dialog);
