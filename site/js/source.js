/**
 * Whatever an embedder may hand over, as the fields of a request: {pixels or bitmap, width, height, channels}.
 */

import { part, RecognizerError } from "./errors.js";

/** @typedef {{data: ArrayLike<number>, width: number, height: number}} Pixels ink (width * height values) or RGBA (four times that) */
/** @typedef {Pixels | ImageData | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | Blob | string} Source a string is a data: URL */
/** @typedef {{pixels?: Uint8Array, bitmap?: ImageBitmap, width: number, height: number, channels: 1 | 4, scale: [number, number]}} Request scale: source pixels per pixel of the request, across and down */

/** More are refused: decoding would take gigabytes. */
export const MAX_PIXELS = 100e6;

/**
 * @param {Source} source
 * @returns {Promise<Request>}
 */
export async function readSource(source) {
  return isPicture(source) ? (await part(import("./decoding.js"))).decode(source) : readPixels(/** @type {Pixels} */ (source));
}

/** Whether it must be decoded, or drawn, before there are pixels. @param {Source} source @returns {source is Exclude<Source, Pixels | ImageData>} */
function isPicture(source) {
  const kinds = [Blob, globalThis.ImageBitmap, globalThis.HTMLCanvasElement, globalThis.OffscreenCanvas]; // an old browser may lack some
  return typeof source === "string" || kinds.some((kind) => kind && source instanceof kind);
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

/** @param {number} width @param {number} height */
export function checkSize(width, height) {
  if (width * height > MAX_PIXELS) throw refuse(`The picture is too large: ${width} x ${height} pixels. At most ${MAX_PIXELS / 1e6} megapixels are read.`);
}

/** @param {string} message */
export function refuse(message) {
  return new RecognizerError({ type: "PictureError", message, hint: "Try a PNG or JPEG picture." });
}
