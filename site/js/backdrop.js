/**
 * A picture behind the pad, shown as it is, and the check whether a file is one.
 */

/** More is refused here and in the engine alike: decoding would take gigabytes. */
const MOST_PIXELS = 100e6;

/**
 * Throws an Error that says why this file is not read. The file's head is enough to know: it is not decoded.
 * @param {Blob} file
 */
export async function checkPicture(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
    });
  } catch {
    throw new Error("This file is no picture that can be read here. PNG, JPEG and WebP can.");
  } finally {
    URL.revokeObjectURL(image.src);
  }
  if (image.naturalWidth * image.naturalHeight > MOST_PIXELS) {
    throw new Error(`This picture has ${Math.round(image.naturalWidth * image.naturalHeight / 1e6)} megapixels; up to 100 can be read.`);
  }
}

export class Backdrop {
  #image;
  /** @type {Blob | null} */ #file = null;

  /** @param {HTMLImageElement} image */
  constructor(image) {
    this.#image = image;
  }

  /** @param {Blob | null} file */
  show(file) {
    if (file === this.#file) return;
    this.#file = file;
    URL.revokeObjectURL(this.#image.src);
    this.#image.hidden = !file;
    if (file) this.#image.src = URL.createObjectURL(file);
    else this.#image.removeAttribute("src");
  }
}
