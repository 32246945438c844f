/**
 * Small helpers for what learns: elements, files, numbers as people read them.
 */

import { grouped } from "../models.js";
import { download as hand } from "../saving.js";

export { grouped };

/**
 * An element with properties or attributes and with children; text is text, never markup.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) /** @type {any} */ (element)[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** @param {string} text @param {() => void} action @param {Record<string, any>} [properties] */
export function button(text, action, properties = {}) {
  const element = make("button", { type: "button", ...properties }, text);
  element.addEventListener("click", action);
  return element;
}

/** 0.9941 as 99.41%. @param {number} share @param {number} [digits] */
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;

/** @param {number} seconds */
export function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** As a model card has it: 2026-01-31. */
export const today = () => new Date().toISOString().slice(0, 10);

/** 1 drawing, 2 drawings. @param {number} count @param {string} noun */
export const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Hands a file to the person. @param {BlobPart} content @param {string} name @param {string} [type] */
export const download = (content, name, type = "application/octet-stream") => hand(new Blob([content], { type }), name);

/** A button that lets the person choose a file. @param {string} text @param {string} accept @param {(file: File) => void} take */
export function fileButton(text, accept, take) {
  const input = make("input", { type: "file", accept, hidden: true });
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) take(file);
    input.value = ""; // so that the same file can be chosen again
  });
  const opener = button(text, () => input.click());
  return make("span", {}, opener, input);
}

/**
 * A 28 x 28 image as it is, one pixel a value.
 * @param {Uint8Array} image 784 values, 0 paper .. 255 stroke
 */
export function thumbnail(image) {
  const canvas = make("canvas", { width: 28, height: 28, "aria-hidden": "true", className: "thumbnail" }); // words stand beside it
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const picture = context.createImageData(28, 28);
  const [red, green, blue] = matchMedia("(prefers-color-scheme: dark)").matches ? [196, 211, 238] : [32, 57, 111]; // the ink of paper.css
  image.forEach((value, i) => picture.data.set([red, green, blue, value], 4 * i));
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** A bar that fills, with words beside it. */
export class Bar {
  #words = make("span", { className: "words" });
  #fill = make("div");
  #bar = make("div", { className: "fill", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, this.#fill);
  element = make("div", { className: "bar", hidden: true }, this.#words, this.#bar);

  /** @param {string} words @param {number} part 0..1 */
  show(words, part) {
    this.element.hidden = false;
    this.#words.textContent = words;
    this.#bar.setAttribute("aria-valuenow", (100 * part).toFixed(0));
    this.#fill.style.transform = `scaleX(${Math.min(1, Math.max(0, part))})`;
  }

  hide() {
    this.element.hidden = true;
  }
}

/** What a run is doing before its first step. @param {{stage: string, loaded: number, total: number}} progress @returns {[string, number]} */
export function loadingWords({ stage, loaded, total }) {
  if (stage === "data") return [`Fetching images, ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`, total ? loaded / total : 0];
  return [`Reading image ${grouped(loaded)} of ${grouped(total)}`, total ? loaded / total : 0];
}

/** What to say of an error. @param {unknown} error */
export function explain(error) {
  const { message, hint } = /** @type {{message: string, hint?: string}} */ (error);
  return [message, hint].filter(Boolean).join(" ");
}

/** @param {unknown} error */
export const isAbort = (error) => /** @type {Error} */ (error).name === "AbortError";
