/**
 * A file as an image element, of which the browser has read no more than the head: enough to know its size, and whether it
 * is a picture at all. A decompression bomb stays shut.
 */

/** More are refused: decoding would take gigabytes. */
export const MAX_PIXELS = 100e6;

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
