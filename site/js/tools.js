/**
 * The buttons under the pad and the keys that do the same.
 */

import { INK_SIDE } from "./pad.js";

/** @typedef {import("./pad.js").Pad} Pad */
/** @typedef {"pen" | "eraser" | "undo" | "redo" | "clear" | "thinner" | "thicker" | "numbers"} Command */

/** The brush is set in ink pixels; a key press is two steps of the slider. */
const KEY_STEP = 4;

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

/** For tooltips. @type {Record<string, string>} */
const KEYS = {
  pen: "P",
  eraser: "E",
  undo: APPLE ? "⌘Z" : "Ctrl+Z",
  redo: APPLE ? "⇧⌘Z" : "Ctrl+Y",
  clear: "C or Delete",
};

/** @type {Record<string, Command>} */
const PLAIN_KEYS = {
  p: "pen", e: "eraser", c: "clear", delete: "clear", backspace: "clear", "[": "thinner", "]": "thicker", n: "numbers",
};

/** @param {KeyboardEvent} event @returns {Command | undefined} */
function commandOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  const name = key.toLowerCase();
  if (!ctrlKey && !metaKey) return altKey && name !== "[" && name !== "]" ? undefined : PLAIN_KEYS[name];
  if (name === "z") return shiftKey ? "redo" : "undo";
  return name === "y" ? "redo" : undefined;
}

/** Keys belong to whoever is being typed into. @param {Event} event */
function typing(event) {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement
    && (target.isContentEditable || target.matches("textarea, select, input:not([type=range])"));
}

/** Event: "numbers", the key that changes between single digits and whole numbers. */
export class Tools extends EventTarget {
  #pad;
  #buttons;
  #brush;
  #t;

  /**
   * @param {HTMLElement} root
   * @param {Pad} pad
   * @param {Translate} t
   */
  constructor(root, pad, t) {
    super();
    this.#t = t;
    this.#pad = pad;
    this.#buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll("button"));
    this.#brush = /** @type {HTMLInputElement} */ (root.querySelector("input"));
    for (const button of this.#buttons) {
      const command = /** @type {Command} */ (button.dataset.command);
      button.addEventListener("click", () => this.run(command));
    }
    this.#brush.addEventListener("input", (event) => {
      event.stopPropagation(); // outside the element an "input" says that the drawing has changed
      pad.penWidth = Number(this.#brush.value) / INK_SIDE;
      this.update();
    });
    this.label();
    this.update();
  }

  /** What the pointer is told; again when another language has come. */
  label() {
    for (const button of this.#buttons) {
      const name = button.getAttribute("aria-label") ?? button.textContent;
      button.title = `${name} (${this.#t(KEYS[button.dataset.command ?? ""])})`;
    }
    this.#brush.title = this.#t("Brush size ([ and ])");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const command = commandOf(event);
    if (!command || event.defaultPrevented || typing(event) || (this.#pad.readonly && command !== "numbers")) return;
    event.preventDefault();
    this.run(command);
  }

  /** @param {Command} command */
  run(command) {
    const pad = this.#pad;
    if (command === "pen" || command === "eraser") pad.tool = command;
    else if (command === "thinner") this.#resize(-KEY_STEP);
    else if (command === "thicker") this.#resize(KEY_STEP);
    else if (command === "numbers") this.dispatchEvent(new Event("numbers"));
    else pad[command]();
    this.update();
  }

  /** Show the pad's state on the buttons. */
  update() {
    const pad = this.#pad;
    for (const button of this.#buttons) {
      const { command } = button.dataset;
      if (command === "pen" || command === "eraser") button.setAttribute("aria-pressed", String(pad.tool === command));
      // Not `disabled`: that would throw the keyboard's focus off the button at the last step.
      if (command === "undo") button.setAttribute("aria-disabled", String(!pad.canUndo));
      if (command === "redo") button.setAttribute("aria-disabled", String(!pad.canRedo));
    }
    const pixels = Math.round(pad.penWidth * INK_SIDE);
    this.#brush.value = `${pixels}`;
    this.#brush.style.setProperty("--brush", `${pixels}`);
    this.#brush.setAttribute("aria-valuetext", this.#t("{} of {}", pixels, INK_SIDE));
  }

  /** @param {number} pixels */
  #resize(pixels) {
    const { min, max } = this.#brush;
    const width = Math.round(this.#pad.penWidth * INK_SIDE) + pixels;
    this.#pad.penWidth = Math.min(Number(max), Math.max(Number(min), width)) / INK_SIDE;
  }
}
