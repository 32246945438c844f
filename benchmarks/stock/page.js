import { drawnInk } from "./ink.js";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data: digit }) => {
  document.querySelector("#answer").textContent = digit;
  window.firstAnswer = { ms: performance.now(), digit: String(digit) };
};
worker.postMessage(drawnInk(document.createElement("canvas")));
