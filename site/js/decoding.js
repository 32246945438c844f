/**
 * Pictures of all kinds, decoded; loaded when somebody hands one over.
 */

import { withImage } from "./image-file.js";
import { checkSize, refuse } from "./source.js";

/** @typedef {import("./source.js").Request} Request */

/** Larger pictures are scaled down while they are decoded: 28 px come of them, and a phone takes seconds for more. */
const MAX_SIDE = 4096; // px
const MAX_DECODED = 1600 * 1600; // px

/**
 * @param {HTMLCanvasElement | OffscreenCanvas | ImageBitmap | Blob | string} source a string is a data: URL
 * @returns {Promise<Request>}
 */
export async function decode(source) {
  if (typeof source === "string") return readBlob(blobOf(source));
  return source instanceof Blob ? readBlob(source) : readImage(source, source.width, source.height);
}

/**
 * @param {CanvasImageSource & ImageBitmapSource} image
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Request>}
 */
async function readImage(image, width, height) {
  if (!width || !height) throw refuse("The picture is empty.");
  checkSize(width, height);
  const scale = Math.max(1, Math.max(width, height) / MAX_SIDE, Math.sqrt((width * height) / MAX_DECODED));
  const size = { width: Math.max(1, Math.round(width / scale)), height: Math.max(1, Math.round(height / scale)) };
  const resize = scale > 1 ? { resizeWidth: size.width, resizeHeight: size.height, resizeQuality: /** @type {const} */ ("medium") } : {};
  const bitmap = await createImageBitmap(image, resize).catch(() => {
    throw refuse("The picture could not be decoded.");
  });
  return { bitmap, ...size, channels: 4, scale: [width / size.width, height / size.height] };
}

/** @param {Blob} blob @returns {Promise<Request>} */
function readBlob(blob) {
  return withImage(blob, (image) => readImage(image, image.naturalWidth, image.naturalHeight)).catch((error) => {
    throw error instanceof Event ? refuse("This file is not a picture that the browser can read.") : error;
  });
}

/**
 * Decoded by hand: fetching a data: URL would need a wider content security policy.
 * @param {string} dataUrl
 */
function blobOf(dataUrl) {
  const [, type, base64, body] = /^data:([^;,]*)[^,]*?(;base64)?,(.*)$/s.exec(dataUrl) ?? [];
  if (body === undefined) throw refuse("Not a data: URL. Other addresses are not fetched.");
  try {
    const utf8 = body.replace(/[^\0-\x7f]+/g, encodeURIComponent);
    const text = utf8.replace(/%([0-9a-f]{2})/gi, (_, byte) => String.fromCharCode(parseInt(byte, 16)));
    return new Blob([Uint8Array.from(base64 ? atob(text) : text, (letter) => letter.charCodeAt(0))], { type });
  } catch {
    throw refuse("The data: URL is damaged.");
  }
}
