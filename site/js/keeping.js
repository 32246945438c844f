/**
 * The drawing outlives a reload, an intended one and any other, for as long as the tab is open.
 */

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const KEY = "inkling.strokes";

/** @param {DigitRecognizer} element */
export function keepDrawing(element) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(element.strokes));
  } catch {
    // Storage is full or forbidden: then the drawing lives as long as the page.
  }
}

/** @param {DigitRecognizer} element */
export function restoreDrawing(element) {
  try {
    const kept = sessionStorage.getItem(KEY);
    if (kept) element.strokes = JSON.parse(kept);
  } catch (error) {
    console.warn("The drawing of the last visit could not be read.", error);
  }
  addEventListener("pagehide", () => keepDrawing(element));
}
