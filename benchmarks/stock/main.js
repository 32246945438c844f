import { drawnInk } from "./ink.js";
import { start } from "./stock.js";

const predict = await start();
const { digit } = predict(drawnInk(document.createElement("canvas")));
document.querySelector("#answer").textContent = digit;
window.firstAnswer = { ms: performance.now(), digit: String(digit) };
