/**
 * "No, it's a ...": one tap on the right digit, and the drawing joins my samples.
 */

import { prepareWhenIdle } from "./ahead.js";
import { bringStyles } from "./look.js";
import { openPanel } from "./panel.js";
import { pickDigit } from "./picker.js";
import { samples } from "./samples.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/**
 * @param {HTMLElement} offer
 * @param {HTMLButtonElement} opener of the panel
 * @param {DigitRecognizer} element
 */
export async function correct(offer, opener, element) {
  const { prediction } = element; // as it is now: the sheet belongs to this drawing
  if (!prediction || offer.querySelector(".picker")) return;
  await Promise.all([bringStyles(), samples.load()]);
  const label = await pickDigit(offer, { label: "Which digit is it?", chosen: prediction.digit ?? 0 });
  if (typeof label !== "number") return;
  await samples.add(prediction, label);
  prepareWhenIdle(element);
  const learn = async () => (await openPanel(opener, element, "mine")).learn();
  const { length } = samples.list;
  const text = `Noted: ${label === 8 ? "an" : "a"} ${label}. ${samples.warning ?? ""}`.trim();
  element.tell({ text, action: { label: length > 1 ? `Learn from all ${length}` : "Learn from it", run: learn } });
}
