/**
 * The way to all that learns. Its parts are loaded when somebody opens them, comes with a link to them, or has left a network in them.
 */

import { inAddress } from "./address.js";
import { inTime } from "./errors.js";

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** Where learn/networks.js notes that a network of the person's own is to be used. */
export const KEPT = "inkling.network";

const PATIENCE = 10_000; // ms that the first answer waits for it

/**
 * @param {HTMLElement} offer "No, it's a ...", a button in it
 * @param {HTMLButtonElement} button opens the panel
 * @param {DigitRecognizer} element
 * @param {<T>(load: () => Promise<T>) => Promise<T | null>} bring
 */
export function offerLearning(offer, button, element, bring) {
  element.addEventListener("change", (event) => {
    const { digits, accepted, reason } = /** @type {CustomEvent} */ (event).detail ?? {};
    offer.hidden = !(digits?.length === 1 && (accepted || reason === "not-a-digit"));
  });
  offer.firstElementChild?.addEventListener("click", async () => (await bring(() => import("./learn/correct.js")))?.correct(offer, button, element));
  button.addEventListener("click", () => bring(() => import("./learn/panel.js").then(({ togglePanel }) => togglePanel(button, element))));
  const follow = () => inAddress("learn") && button.getAttribute("aria-expanded") === "false" && button.click();
  addEventListener("hashchange", follow);
  follow();
  try {
    if (!localStorage[KEPT]) return;
    const own = bring(() => import("./learn/networks.js")).then((own) => own?.networks.follow(element));
    element.preparation = inTime(own, PATIENCE).catch(() => undefined); // else it is put back later
  } catch {
    // Storage is forbidden: nothing can have been kept.
  }
}
