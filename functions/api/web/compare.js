import * as api from "./api.js";
import { make, nameOf } from "./dom.js";
import { why } from "./results.js";
import { text } from "./text.js";

/** Return buttons that draw how a query compares with a match, with room for the drawing. */
export function drawings(operand, match) {
  const image = make("img", { className: "drawing", hidden: true });
  image.onload = () => image.scrollIntoView({ block: "nearest" });
  const words = make("p", { className: "why", role: "status" });
  const buttons = Object.entries(text.drawings).map(([kind, [label, caption]]) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, label);
    button.onclick = async () => {
      const shown = button.getAttribute("aria-pressed") === "true";
      for (const other of buttons) other.setAttribute("aria-pressed", "false");
      image.hidden = true;
      words.textContent = "";
      if (shown) return;
      button.setAttribute("aria-pressed", "true");
      words.textContent = text.drawing;
      try {
        const drawn = await api.comparison(kind, await operand, match.image_id);
        if (button.getAttribute("aria-pressed") !== "true") return;
        URL.revokeObjectURL(image.src);
        image.src = URL.createObjectURL(drawn);
        image.alt = `${text.drawingOf(nameOf(match.image))} ${caption} ${why(match)}`;
        image.hidden = false;
        words.textContent = caption;
      } catch (problem) {
        words.textContent = problem.message;
      }
    };
    return button;
  });
  return make("div", { className: "compare" }, make("div", { className: "actions" }, ...buttons), words, image);
}
