/**
 * What can be taken home: the drawing, what the network saw of it, and its numbers.
 */

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** Hands a file to the person. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the address after this task; a busy machine, or one that asks where to put the file, long after.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Black on white, as on paper. @param {Ink} ink @returns {Promise<Blob>} */
function drawingOf({ data, width, height }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const picture = context.createImageData(width, height);
  data.forEach((ink, i) => picture.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * i));
  context.putImageData(picture, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser could not write the PNG."))));
  });
}

const NOTHING = "Draw a digit first; then there is something to save.";
const UNREAD = "The network has not read this yet. The drawing can be saved.";

/** @type {Record<string, (element: DigitRecognizer) => Promise<void>>} */
const WAYS = {
  async drawing(element) {
    const { source } = element;
    if (source instanceof Blob) throw new Error("There is a picture on the pad, no drawing.");
    if (!source) throw new Error(NOTHING);
    download(await drawingOf(source), "drawing.png");
  },
  async image(element) {
    const { recognizer, source } = element;
    if (!source) throw new Error(NOTHING);
    if (!recognizer) throw new Error(UNREAD);
    download((await recognizer.debugImage(source)).png, "28x28.png");
  },
  async numbers({ prediction, source }) {
    if (!prediction) throw new Error(source ? UNREAD : NOTHING);
    const plain = { ...prediction, image: [...prediction.image] };
    download(new Blob([JSON.stringify(plain, null, 2)], { type: "application/json" }), "prediction.json");
  },
};

/**
 * @param {string} what "drawing", "image" or "numbers"
 * @param {DigitRecognizer} element
 */
export async function save(what, element) {
  try {
    await WAYS[what](element);
  } catch (error) {
    element.tell(/** @type {Error} */ (error).message);
  }
}
