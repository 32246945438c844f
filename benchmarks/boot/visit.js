/**
 * Put into a copy of our page by bench_boot.py: draws a digit as soon as there is a pad, and tells the server when it was read.
 */

import { strokes } from "./settings.js";

const SETTLE = 5000; // ms in which the browser writes its caches: compiled WebAssembly two seconds after the last of it

/** ms that each task took which kept the page's main thread for more than 50; the browser notes them from the start. */
function longTasks() {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => resolve(list.getEntries().map(({ duration }) => duration)));
    observer.observe({ type: "longtask", buffered: true });
    setTimeout(resolve, 500, []);
  });
}

/** @param {Record<string, any>} result */
export async function report(result) {
  result.blocked = await longTasks();
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  await fetch(`./__report?${encodeURIComponent(JSON.stringify(result))}`);
}

async function visit() {
  const element = document.querySelector("digit-recognizer");
  await customElements.whenDefined("digit-recognizer");
  const answered = new Promise((resolve) => element.addEventListener("change", ({ detail }) => detail && resolve({ ms: performance.now(), digit: detail.digit })));
  element.strokes = strokes.map((stroke) => ({ tool: "pen", width: 20 / 280, points: stroke.flat() }));
  const { ms, digit } = await answered;
  const [pad] = performance.getEntriesByName("inkling:pad");
  const { boot } = await element.recognizer.health();
  while (!element.shadowRoot.querySelector("[data-offline=ready]")) await new Promise((resolve) => setTimeout(resolve, 100));
  await report({ ms, digit, stages: boot.ms, pad: pad.startTime });
}

if (document.querySelector("digit-recognizer")) visit();
