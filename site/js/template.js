/**
 * The element's inside: markup only. It stays hidden until its style sheets are there, so nothing unstyled flashes up.
 */

import { inTime } from "./errors.js";
import { styleSheets } from "./styles.js";

const PATIENCE = 10_000; // ms; then it is shown plain

/** @param {string} path strokes in a 24 x 24 box */
const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;

const PEN = icon("M4.5 19.5 5.6 15 16.3 4.3a2 2 0 0 1 2.8 0l.6.6a2 2 0 0 1 0 2.8L9 18.4ZM14 6.6l3.4 3.4");
const ERASER = icon("m8.6 19.4-4-4a2 2 0 0 1 0-2.9l8-8a2 2 0 0 1 2.9 0l4 4a2 2 0 0 1 0 2.9l-8 8ZM8.5 8.6l6.9 6.9M8.6 19.4H20");
const UNDO = icon("M8.5 5 4.5 9l4 4M4.5 9H14a5 5 0 0 1 0 10h-3.5");
const REDO = icon("m15.5 5 4 4-4 4M19.5 9H10a5 5 0 0 0 0 10h3.5");

const template = document.createElement("template");
template.innerHTML = `
<div class="recognizer" hidden>
  <div class="sheet" data-empty>
    <p class="hint" aria-hidden="true">Draw a digit</p>
    <img class="picture" alt="The picture to be read" hidden>
    <canvas class="pad" data-testid="pad" tabindex="0" role="img"
      aria-label="Drawing area: draw a digit with mouse, finger or pen"></canvas>
    <div class="boxes" data-testid="boxes" aria-hidden="true"></div>
  </div>
  <div class="tools" role="group" aria-label="Drawing tools">
    <button data-command="pen" aria-label="Pen">${PEN}</button>
    <button data-command="eraser" aria-label="Eraser">${ERASER}</button>
    <label class="brush"><input type="range" min="8" max="48" step="2" aria-label="Brush size"></label>
    <button data-command="undo" data-testid="undo" aria-label="Undo">${UNDO}</button>
    <button data-command="redo" data-testid="redo" aria-label="Redo">${REDO}</button>
    <button data-command="clear" data-testid="clear">Clear</button>
  </div>
  <div class="answer" role="group" aria-label="Answer" tabindex="-1">
    <div class="sees">
      <canvas class="preview" data-testid="preview" role="img" aria-label="What the network sees: 28 by 28 pixels"></canvas>
      <p class="caption" aria-hidden="true">What the network sees, 28 × 28</p>
    </div>
    <div class="reads">
      <div class="prediction" data-testid="prediction" aria-busy="false"></div>
      <p class="words">
        <span class="confidence" data-testid="confidence"></span>
        <span class="doubt" data-testid="doubt"></span>
        <button class="offer" data-testid="offer" hidden>Read as a number</button>
        <span class="guess" data-testid="guess"></span>
        <slot name="correct"></slot>
        <span class="time" data-testid="time"></span>
      </p>
    </div>
    <div class="bars" role="group" aria-label="Probability of each digit"></div>
    <p class="spoken" aria-live="polite"></p>
  </div>
  <div class="status" data-testid="status" data-state="loading">
    <p class="message"><span class="text" role="status"></span><span class="bytes" aria-hidden="true"></span></p>
    <button class="action" data-testid="action" hidden></button>
    <div class="progress" role="progressbar" aria-label="Loading" aria-valuemin="0" aria-valuemax="100"><div></div></div>
  </div>
</div>`;

/** A fresh copy of the inside, with its style sheets. */
export function inside() {
  const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const recognizer = /** @type {HTMLElement} */ (fragment.querySelector(".recognizer"));
  const styles = styleSheets();
  const arrived = styles.map((style) => new Promise((resolve) => {
    style.addEventListener("load", resolve);
    style.addEventListener("error", resolve); // plain, but it works
  }));
  inTime(Promise.all(arrived), PATIENCE).catch(() => {}).then(() => (recognizer.hidden = false));
  fragment.prepend(...styles);
  return fragment;
}
