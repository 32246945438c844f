/**
 * The drawing outlives a reload, an intended one and any other, for as long as the tab is open.
 */

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const KEY = "inkling.strokes";

/** @param {DigitRecognizer} element */
export function keepDrawing(element) {
  const { strokes } = element;
  try {
    if (strokes.length) sessionStorage.setItem(KEY, JSON.stringify(strokes));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is full or forbidden: then the drawing lives as long as the page.
  }
}

/** What has been drawn meanwhile comes first: the pad is there before this script. @param {DigitRecognizer} element */
export function restoreDrawing(element) {
  try {
    const kept = sessionStorage.getItem(KEY);
    if (kept && !element.strokes.length && !element.source) element.strokes = JSON.parse(kept);
  } catch (error) {
    console.warn("The drawing of the last visit could not be read.", error);
  }
  addEventListener("pagehide", () => keepDrawing(element));
}
