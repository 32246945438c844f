/**
 * The part of a JavaScript peer's page that is the same for all: the drawn digit as the network takes it, and the answer on the page.
 */

import { drawnInk } from "./ink.js";
import { report } from "./visit.js";

const INK_THRESHOLD = 32; // of 255, DIGIT_BOX px and CENTRE px: as in inkling/preprocess.py
const DIGIT_BOX = 20;
const CENTRE = 14.5;

/** 280 x 280 bytes -> 28 x 28 numbers from 0 to 1: the box around the ink 20 px large, its centre of mass in the middle. */
function imageOf(ink) {
  let [left, right, top, bottom, sum, sumX, sumY] = [280, 0, 280, 0, 0, 0, 0];
  ink.forEach((value, i) => {
    const [x, y] = [i % 280, Math.floor(i / 280)];
    if (value >= INK_THRESHOLD) [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x + 1), Math.min(top, y), Math.max(bottom, y + 1)];
    sum += value;
    sumX += value * (x + 0.5);
    sumY += value * (y + 0.5);
  });
  const scale = DIGIT_BOX / Math.max(right - left, bottom - top);
  const image = new Float32Array(28 * 28);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const column = Math.floor((x + 0.5 - sumX / sum) * scale + CENTRE);
      const row = Math.floor((y + 0.5 - sumY / sum) * scale + CENTRE);
      if (column >= 0 && column < 28 && row >= 0 && row < 28) image[28 * row + column] += (ink[280 * y + x] / 255) * scale * scale;
    }
  }
  return image.map((value) => Math.min(value, 1));
}

/** Draws the digit on the page, has it read and tells the server when that was done. @param {(image: Float32Array) => Promise<ArrayLike<number>>} read */
export async function visit(read) {
  const probabilities = await read(imageOf(drawnInk(document.querySelector("canvas"))));
  const digit = probabilities.indexOf(Math.max(...probabilities));
  document.querySelector("#answer").textContent = digit;
  report({ ms: performance.now(), digit });
}
