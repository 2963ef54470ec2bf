/** Create an element; strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Format a fraction as a percentage; only exactly 1 becomes 100 %. */
export const percent = (value) => `${value < 1 ? Math.min(99, Math.round(value * 100)) : 100} %`;

export function nameOf(image) {
  return image.filename || `picture ${image.image_id.slice(0, 10)}`;
}

export function sizeOf(image) {
  const kilobytes = image.bytes / 1024;
  const size = kilobytes < 1024 ? `${Math.max(1, Math.round(kilobytes))} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
  return `${image.width} × ${image.height}, ${image.format.toUpperCase()}, ${size}`;
}
