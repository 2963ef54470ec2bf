import * as api from "./api.js";
import { make } from "./dom.js";

const paths = new WeakMap();

const nearby = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      nearby.unobserve(target);
      load(target, paths.get(target));
    }
  },
  { rootMargin: "300px" },
);

/** Show what the API has under a path; gives the address, or null where there is none. */
export async function load(img, path) {
  try {
    const address = await api.link(path);
    img.src = address;
    return address;
  } catch {
    return null;
  }
}

/** A stored picture's thumbnail, loaded when it comes near the visible part of the page. */
export function thumbnail(image) {
  const img = make("img", { alt: "" });
  paths.set(img, image.thumbnail_url);
  nearby.observe(img);
  return img;
}
