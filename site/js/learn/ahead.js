/**
 * Once there are drawings, the network is prepared to learn from them: whoever asks for it later waits less.
 */

import { busy } from "./busy.js";
import { samples } from "./samples.js";

const whenIdle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ work) => setTimeout(work, 200)); // Safari has none

/** @param {import("../digit-recognizer.js").DigitRecognizer} element */
export function prepareWhenIdle(element) {
  whenIdle(() => {
    if (!samples.list.length || busy.words) return; // a network in training is another with each step
    element.recognizer?.prepare().catch(() => {}); // learning does it itself, and says what is wrong
  });
}
