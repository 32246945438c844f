/**
 * The switch between single digits and whole numbers. It is kept in the address, so a link can carry it.
 */

import { inAddress, keepInAddress } from "./address.js";

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const NAME = "numbers";

export const numbersInAddress = () => inAddress(NAME) === "on";

/**
 * @param {HTMLButtonElement} button with the role of a switch
 * @param {DigitRecognizer} element
 */
export function offerNumbers(button, element) {
  const refresh = () => button.setAttribute("aria-checked", String(element.numbers));
  refresh();
  button.addEventListener("click", () => (element.numbers = !element.numbers));
  element.addEventListener("numberschange", () => {
    refresh();
    keepInAddress(NAME, element.numbers ? "on" : null);
  });
}
