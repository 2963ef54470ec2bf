/** The sentences of the page that code composes, in one place so that they can be translated. */
import { number } from "./dom.js";

/** Choose the form of a word for a count. */
const many = (count, one, more) => `${number(count)} ${count === 1 ? one : more}`;

const images = (count) => many(count, "image", "images");
const files = (count) => many(count, "file", "files");

function duration(seconds) {
  if (seconds < 90) return many(Math.max(1, Math.round(seconds)), "second", "seconds");
  if (seconds < 5400) return many(Math.round(seconds / 60), "minute", "minutes");
  return many(Math.round(seconds / 3600), "hour", "hours");
}

export const text = {
  images,
  theCollection: (name) => (name ? `The collection “${name}”` : "The collection"),
  defaultCollection: "default",
  empty: "The collection is empty. Upload your first image.",
  noneWithLabel: "No image here has this label.",
  noneWithFilters: "No image here meets these filters.",
  open: (name) => `Open ${name}`,
  select: (name) => `Select ${name}`,

  selected: (count) => `${number(count)} selected`,
  askDelete: (count) => `Delete ${images(count)}?`,
  whereDeleted: (name) => `They leave the collection “${name}” and no other, and can be restored for 30 days.`,
  doDelete: (count) => (count === 1 ? "Delete it" : `Delete ${images(count)}`),
  deleting: (done, count) => `Deleting ${number(done)} of ${images(count)} …`,
  deleted: (count) => (count === 1 ? "Deleted." : `${images(count)} deleted.`),
  notDeleted: (count, why) => `${images(count)} could not be deleted. ${why}`,
  undo: "Undo",
  restore: "Restore",
  restoreOf: (name) => `Restore ${name}`,
  trashed: (since, until) => `Deleted ${since}; gone after ${until}`,
  notRestored: (count, why) => `${images(count)} could not be restored. ${why}`,
  restored: (count) => (count === 1 ? "Restored." : `${images(count)} restored.`),

  askAdd: (count) => `Add ${files(count)}?`,
  whereAdded: (name) => `They are uploaded to the collection “${name}”. To search for an image, drop it alone.`,
  doAdd: (count) => `Add ${files(count)}`,
  noImages: "There are no images among these files.",
  skipped: (count) => `${files(count)} skipped, which are not images.`,
  notAnImage: "That is not an image, nor the web address of one.",
  tooLarge: (megabytes) => `An image can have at most ${megabytes} MB.`,
  refusedByStorage: "The storage rejected the image. Try again.",
  notSent: "The image could not be sent. Check your connection and try again.",
  stillIndexing: "It is still being indexed; reload the page in a minute.",
  uploadOf: (name) => `Upload of ${name}`,
  uploadsTo: (name) => (name ? `Uploads to “${name}”` : "Uploads"),
  waiting: "Waiting",
  sending: "Sending …",
  indexing: "Indexing …",
  states: { indexed: "Indexed", duplicate: "Already in the collection", rejected: "Rejected" },
  retry: "Try again",
  retryOf: (name) => `Try ${name} again`,
  uploading: (done, count, rate, left) =>
    [
      `${number(done)} of ${files(count)}`,
      rate ? `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second` : null,
      left ? `about ${duration(left)} left` : null,
    ].filter(Boolean).join(" · "),
  uploaded: (done, count) => `${number(done)} of ${count === 1 ? "1 image is" : `${number(count)} images are`} in the collection.`,
  cancelled: (done, count) => `Cancelled. ${number(done)} of ${images(count)} ${done === 1 ? "is" : "are"} in the collection.`,
  failures: (count) => many(count, "file could not be added", "files could not be added"),
  resumed: (count) => `Going on with ${files(count)} from before.`,
  wouldBeLost: (count) => `${files(count)} cannot be kept by this browser. Leave the page open until they are added.`,
  goesOn: "If you close the page, it goes on when you open it again.",

  thisCollection: "shown",
  rename: "Rename",
  renameOf: (name) => `Rename ${name}`,
  newNameOf: (name) => `New name of ${name}`,
  save: "Save",
  removeCollection: "Remove",
  removeCollectionOf: (name) => `Remove ${name}`,
  askRemoveCollection: (name, count, exact) =>
    count ? `Remove “${name}” with its ${exact ? images(count) : `${number(count)} or more images`}?` : `Remove “${name}”?`,
  whyRemoveCollection: (count) => (count ? "All its images are deleted. They can be restored for 30 days." : "It has no images."),
  doRemoveCollection: (count) => (count ? `Delete ${images(count)} and remove it` : "Remove it"),
  collectionRemoved: (name) => `“${name}” was removed.`,
  nameless: "Use at least one letter or digit.",

  previous: "Previous image",
  next: "Next image",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  zoomReset: "Fit",
  download: "Download",
  original: "Open original",
  loadAgain: "Load it again",
  moreLikeThis: "More like this",
  delete: "Delete",
  reallyDelete: "Really delete?",
  looksLike: "Looks like: ",
  listLabel: (name) => `List images labelled ${name}`,
  yourImage: "Your image",
  storedImage: (name) => `Stored image ${name}`,
  known: "All that is known",
  details: {
    size: "Size", indexed: "Indexed", collection: "Collection", id: "SHA-256", phash: "Perceptual hash", sharpness: "Sharpness",
    model: "Model", low: "Detail", sources: "Objects",
  },
  lowInformation: "too little to recognise it by",
  yours: "Your notes",
  externalId: "Your id",
  note: "Note",
  fieldName: "Name of the field",
  fieldValue: "Value of the field",
  addField: "Add a field",
  removeField: "Remove this field",
  saved: "Saved.",

  copiesOfOne: (count, more) => `${number(count)}${more ? "+" : ""} copies of one image`,
  groupAddress: "Link to this group",
  proposed: "Best",
  keep: "Keep",
  keepOf: (name) => `Keep ${name}`,
  compareWith: "Compare",
  compareOf: (name) => `Compare ${name} with the image that is kept`,
  deleteOthers: (count) => (count === 1 ? "Delete the other" : `Delete the ${number(count)} others`),
  reallyDeleteOthers: (count) => (count === 1 ? "Really delete the other?" : `Really delete the ${number(count)} others?`),
  keepAll: "Keep all of them",
  notDuplicates: "Not duplicates",
  separated: "They will not be grouped again.",
  slider: "Slider",
  sideBySide: "Side by side",
  sliderBetween: (left, right) => `Slider between ${left} on the left and ${right} on the right`,

  sections: {
    copies: "Copies", variants: "Variants", lookAlikes: "Look-alikes",
  },
  sectionHints: {
    copies: "The same image, at most altered as a whole: resized, cropped, recompressed.",
    variants: "The same image, but parts of it differ.",
    lookAlikes: "Other images that look alike or show the same kind of thing.",
  },
  fileIsGone: "This search was made with a file that only the browser that made it has. Choose the file again.",
};
