/**
 * A picture behind the pad, shown as it is, and the check whether a file is one.
 */

import { MAX_PIXELS, withImage } from "./image-file.js";

/** Throws an Error that says why this file is not read. @param {Blob} file */
export async function checkPicture(file) {
  const pixels = await withImage(file, (image) => image.naturalWidth * image.naturalHeight).catch(() => {
    throw new Error("This file is no picture that can be read here. PNG, JPEG and WebP can.");
  });
  if (pixels > MAX_PIXELS) throw new Error(`This picture has ${Math.round(pixels / 1e6)} megapixels; up to ${MAX_PIXELS / 1e6} can be read.`);
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
