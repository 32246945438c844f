/**
 * Whatever an embedder may hand over, as the fields of a request: {pixels or bitmap, width, height, channels}.
 */

import { RecognizerError } from "./errors.js";
import { MAX_PIXELS, withImage } from "./image-file.js";

/** @typedef {{data: ArrayLike<number>, width: number, height: number}} Pixels ink (width * height values) or RGBA (four times that) */
/** @typedef {Pixels | ImageData | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | Blob | string} Source a string is a data: URL */
/** @typedef {{pixels?: Uint8Array, bitmap?: ImageBitmap, width: number, height: number, channels: 1 | 4, scale: [number, number]}} Request scale: source pixels per pixel of the request, across and down */

/** Larger pictures are scaled down while they are decoded: 28 px come of them, and a phone takes seconds for more. */
const MAX_SIDE = 4096; // px
const MAX_DECODED = 1600 * 1600; // px

/**
 * @param {Source} source
 * @returns {Promise<Request>}
 */
export async function readSource(source) {
  if (typeof source === "string") return readBlob(blobOf(source));
  if (source instanceof Blob) return readBlob(source);
  if (typeof ImageBitmap !== "undefined" && source instanceof ImageBitmap) return readImage(source, source.width, source.height);
  if (isCanvas(source)) return readImage(source, source.width, source.height);
  return readPixels(/** @type {Pixels} */ (source));
}

/** @param {Source} source @returns {source is HTMLCanvasElement | OffscreenCanvas} */
function isCanvas(source) {
  return (typeof HTMLCanvasElement !== "undefined" && source instanceof HTMLCanvasElement)
    || (typeof OffscreenCanvas !== "undefined" && source instanceof OffscreenCanvas);
}

/**
 * @param {Pixels} source
 * @returns {Request}
 */
function readPixels(source) {
  const { data, width, height } = source ?? {};
  const channels = data?.length / (width * height);
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1 || (channels !== 1 && channels !== 4)) {
    throw refuse(`Not a picture: ${data?.length} values for ${width} x ${height} pixels; there must be one or four for each.`);
  }
  checkSize(width, height);
  return { pixels: Uint8Array.from(data), width, height, channels, scale: [1, 1] };
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

/** @param {number} width @param {number} height */
function checkSize(width, height) {
  if (width * height > MAX_PIXELS) throw refuse(`The picture is too large: ${width} x ${height} pixels. At most ${MAX_PIXELS / 1e6} megapixels are read.`);
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

/** @param {string} message */
function refuse(message) {
  return new RecognizerError({ type: "PictureError", message, hint: "Try a PNG or JPEG picture." });
}
