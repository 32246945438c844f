import { drawnInk } from "./ink.js";
import { report } from "./visit.js";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data: digit }) => {
  document.querySelector("#answer").textContent = digit;
  report({ ms: performance.now(), digit });
};
worker.postMessage(drawnInk(document.createElement("canvas")));
