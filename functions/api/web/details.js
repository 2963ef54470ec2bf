/** All that is known of a stored image, and the notes that people keep with it. */
import * as api from "./api.js";
import { bytes, make, moment, takenMoment } from "./dom.js";
import { decimals, number } from "./locale.js";
import { text } from "./text.js";

const MAX_FIELDS = 10;

const degrees = (angle, [positive, negative]) => `${decimals(Math.abs(angle), 5)}° ${angle < 0 ? negative : positive}`;

/** Return a link to a place on a map, which is only loaded if it is followed; null without a place. */
function place({ location }) {
  if (!location) return null;
  const { latitude, longitude } = location;
  const href = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
  const shown = `${degrees(latitude, "NS")}, ${degrees(longitude, "EW")}`;
  return make("a", { href, target: "_blank", rel: "noopener noreferrer", title: text.openMap }, shown);
}

/** Return a line with when, by what and where an image was taken; null if nothing of it is known. */
export function capture(image) {
  const parts = [image.taken_at ? takenMoment(image.taken_at) : null, image.camera, place(image)].filter(Boolean);
  return parts.length ? make("p", { className: "why capture" }, ...parts.flatMap((part, index) => (index ? [" · ", part] : [part]))) : null;
}

/** Return a list of what is known of an image; `record` has its sources too. */
export function known(record) {
  const named = text.details;
  const size = `${number(record.width)} × ${number(record.height)}, ${record.format.toUpperCase()}, ${bytes(record.bytes)}`;
  const rows = [
    [named.size, size],
    record.taken_at ? [named.taken, takenMoment(record.taken_at)] : null,
    record.camera ? [named.camera, record.camera] : null,
    record.location ? [named.place, place(record)] : null,
    [named.indexed, moment(record.created_at)],
    [named.collection, record.collection],
    [named.id, record.image_id],
    [named.phash, record.phash],
    [named.sharpness, decimals(record.sharpness, 1)],
    [named.model, record.model],
    record.pages > 1 ? [named.pages, text.pages(record.pages, record.pages_searched)] : null,
    record.damaged ? [named.intact, text.intact(record.intact)] : null,
    record.raw ? [named.raw, text.isRaw] : null,
    record.low_information ? [named.low, text.lowInformation] : null,
    record.sources ? [named.sources, record.sources.map(({ bucket, key }) => `${bucket}/${key}`).join("\n")] : null,
  ];
  return make("dl", { className: "known" }, ...rows.filter(Boolean).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function field(name = "", value = "") {
  const row = make(
    "div",
    { className: "field" },
    make("input", { className: "field-name", maxLength: 64, value: name, placeholder: text.fieldName, "aria-label": text.fieldName, pattern: "[^:]+" }),
    make("input", { className: "field-value", maxLength: 256, value, placeholder: text.fieldValue, "aria-label": text.fieldValue }),
  );
  const remove = make("button", { type: "button", "aria-label": text.removeField, title: text.removeField }, "×");
  remove.onclick = () => {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const form = row.closest("form");
    row.remove();
    (next?.querySelector("button") ?? form.querySelector(".actions button")).focus();
  };
  row.append(remove);
  return row;
}

/** Return a form that changes the annotations of an image; `changed(record)` is called after it has. */
export function notes(record, changed) {
  const id = make("input", { maxLength: 256, value: record.external_id ?? "", autocomplete: "off" });
  const note = make("textarea", { maxLength: 2000, rows: 3, value: record.note ?? "" });
  const fields = make("div", { className: "fields" }, ...Object.entries(record.fields).map(([name, value]) => field(name, value)));
  const more = make("button", { type: "button" }, text.addField);
  const status = make("p", { className: "why", role: "status" });
  more.onclick = () => {
    if (fields.children.length === MAX_FIELDS) return;
    const row = field();
    fields.append(row);
    row.firstChild.focus();
  };
  const form = make(
    "form",
    { className: "notes" },
    make("label", {}, text.externalId, id),
    make("label", {}, text.note, note),
    fields,
    make("div", { className: "actions" }, more, make("button", { type: "submit" }, text.save)),
    status,
  );
  form.onsubmit = async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(
      [...fields.children].map((row) => [row.querySelector(".field-name").value.trim(), row.querySelector(".field-value").value]).filter(([name]) => name),
    );
    const gone = Object.fromEntries(Object.keys(record.fields).filter((name) => !(name in given)).map((name) => [name, null]));
    status.textContent = "";
    try {
      const after = await api.annotate(record, { external_id: id.value.trim() || null, note: note.value.trim() || null, fields: { ...gone, ...given } });
      record = after;
      status.textContent = text.saved;
      changed(after);
    } catch (problem) {
      status.textContent = problem.message;
    }
  };
  return form;
}
