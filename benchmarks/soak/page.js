/**
 * The page of bench_soak.py in our own dist: the product's engine and worker, without the element.
 *   call({call, ...fields}) -> what soak.js answers;   predict(n) -> {right: how many of n predictions were, seconds};   restarts, boot
 */

import { Engine } from "./engine.js";
import { drawnInk } from "./ink.js";
import { digit } from "./soak-settings.js";

const SIDE = 280;
const engine = new Engine();
globalThis.restarts = 0;
engine.addEventListener("restart", () => globalThis.restarts++);
globalThis.boot = engine.boot();
globalThis.call = (fields) => engine.call("soak", fields);

const ink = drawnInk(document.createElement("canvas"));

globalThis.predict = async (n) => {
  const start = performance.now();
  let right = 0;
  for (let i = 0; i < n; i++) {
    const answer = await engine.call("predict", { pixels: ink, width: SIDE, height: SIDE, channels: 1, numbers: false });
    right += answer.digit === digit;
  }
  return { right, seconds: (performance.now() - start) / 1000 };
};
