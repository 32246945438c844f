/**
 * A file as an image element, of which the browser has read no more than the head: enough to know its size, and whether it
 * is a picture at all. A decompression bomb stays shut.
 */

import { MAX_PIXELS } from "./source.js";

/**
 * Calls `use` with the image, which is gone afterwards. Rejects with a DOM event if the browser can't read the file.
 * @template T
 * @param {Blob} file
 * @param {(image: HTMLImageElement) => T | Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withImage(file, use) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
    });
    return await use(image);
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** Throws an Error that says why this file is not read. @param {Blob} file */
export async function checkPicture(file) {
  const pixels = await withImage(file, (image) => image.naturalWidth * image.naturalHeight).catch(() => {
    throw new Error("This file is no picture that can be read here. PNG, JPEG and WebP can.");
  });
  if (pixels > MAX_PIXELS) throw new Error(`This picture has ${Math.round(pixels / 1e6)} megapixels; up to ${MAX_PIXELS / 1e6} can be read.`);
}
