import { drawnInk } from "./ink.js";
import { start } from "./stock.js";
import { report } from "./visit.js";

const predict = await start();
const { digit } = predict(drawnInk(document.createElement("canvas")));
document.querySelector("#answer").textContent = digit;
report({ ms: performance.now(), digit });
