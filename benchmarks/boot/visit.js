/**
 * Put into a copy of our page by bench_boot.py: draws a digit as soon as there is a pad, and tells the server when it was read.
 */

import { strokes } from "./settings.js";

const SETTLE = 5000; // ms in which the browser writes its caches: compiled WebAssembly two seconds after the last of it

/** @param {Record<string, any>} result */
export async function report(result) {
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  await fetch(`./__report?${encodeURIComponent(JSON.stringify(result))}`);
}

async function visit() {
  const element = document.querySelector("digit-recognizer");
  await customElements.whenDefined("digit-recognizer");
  const answered = new Promise((resolve) => element.addEventListener("change", ({ detail }) => detail && resolve({ ms: performance.now(), digit: detail.digit })));
  element.strokes = strokes.map((stroke) => ({ tool: "pen", width: 20 / 280, points: stroke.flat() }));
  const { ms, digit } = await answered;
  const { boot } = await element.recognizer.health();
  while (!element.shadowRoot.querySelector("[data-offline=ready]")) await new Promise((resolve) => setTimeout(resolve, 100));
  await report({ ms, digit, stages: boot.ms });
}

if (document.querySelector("digit-recognizer")) visit();
