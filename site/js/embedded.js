/**
 * <digit-recognizer> on other people's pages: our page's element, and beside it what a form, another language, another theme and a
 * second element on the same page ask for. Our own page does without, and loads nothing of it.
 *
 * Attributes, further: `name`, `required` and `disabled` (it is a form's field), `lang` (or that of an element around it: "en", "de"),
 * `theme` ("light", "dark"; else as the system has it).
 * A form sends what was read, if all of it was; what is not read, or not yet, makes the field invalid.
 */

import { DigitRecognizer as PageElement } from "./digit-recognizer.js";
import { markup, words } from "./languages.js";

/** Class in the shadow root -> name of the part. */
const PARTS = ["recognizer", "sheet", "hint", "pad", "boxes", "tools", "answer", "preview", "caption", "prediction", "words", "bars", "status", "progress"];
const DARK = "(prefers-color-scheme: dark)";

export class DigitRecognizer extends PageElement {
  static formAssociated = true;
  static observedAttributes = [...PageElement.observedAttributes, "lang", "theme", "required"];
  static door = async () => import("./sharing.js");
  static shadow = { ...PageElement.shadow, delegatesFocus: true }; // a label, and a form that misses a value, put the focus on the pad

  #internals = this.attachInternals();
  #root = /** @type {ShadowRoot} */ (this.shadowRoot);
  #inside = /** @type {HTMLElement} */ (this.#root.querySelector(".recognizer"));
  #prediction = /** @type {HTMLElement} */ (this.#root.querySelector(".prediction"));
  #pad = /** @type {HTMLElement} */ (this.#root.querySelector(".pad"));
  #markup = markup(this.#root);
  /** From English, as in languages/. @type {Record<string, string>} */ #words = {};
  #language = "en";
  #value = "";
  #complaint = "";

  constructor() {
    super();
    for (const name of PARTS) for (const part of this.#root.querySelectorAll(`.${name}`)) part.setAttribute("part", name);
    for (const name of ["input", "change", "ready", "error"]) this.addEventListener(name, () => this.#update());
    for (const style of this.#root.querySelectorAll("link")) style.addEventListener("load", () => this.#dress());
  }

  connectedCallback() {
    super.connectedCallback();
    this.#speak();
    this.#update();
  }

  /** @param {string} name @param {string | null} before @param {string | null} value */
  attributeChangedCallback(name, before, value) {
    if (name === "lang") this.#speak();
    else if (name === "theme") this.#dress();
    else if (name === "required") this.#update();
    else super.attributeChangedCallback(name, before, value);
  }

  formResetCallback() {
    this.strokes = [];
  }

  /** @param {boolean} disabled */
  formDisabledCallback(disabled) {
    this.inert = disabled;
    this.#inside.style.opacity = disabled ? "0.5" : "";
  }

  /** The browser brings the page back as it was left. @param {string} state */
  formStateRestoreCallback(state) {
    this.strokes = JSON.parse(state);
  }

  /** What a form sends: the digit or the number, "" as long as not all of it has been read. */
  get value() {
    return this.#value;
  }

  /** The attribute, as are the next five. */
  get model() {
    return this.getAttribute("model") ?? "";
  }

  set model(model) {
    this.setAttribute("model", model);
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  set name(name) {
    this.setAttribute("name", name);
  }

  get theme() {
    return this.getAttribute("theme") ?? "";
  }

  set theme(theme) {
    this.setAttribute("theme", theme);
  }

  get readonly() {
    return this.hasAttribute("readonly");
  }

  set readonly(readonly) {
    this.toggleAttribute("readonly", readonly);
  }

  get required() {
    return this.hasAttribute("required");
  }

  set required(required) {
    this.toggleAttribute("required", required);
  }

  get disabled() {
    return this.hasAttribute("disabled");
  }

  set disabled(disabled) {
    this.toggleAttribute("disabled", disabled);
  }

  /** "digit-recognizer"; this and all that follows as on any field of a form. */
  get type() {
    return "digit-recognizer";
  }

  get form() {
    return this.#internals.form;
  }

  get labels() {
    return this.#internals.labels;
  }

  get validity() {
    return this.#internals.validity;
  }

  get validationMessage() {
    return this.#internals.validationMessage;
  }

  get willValidate() {
    return this.#internals.willValidate;
  }

  checkValidity() {
    return this.#internals.checkValidity();
  }

  reportValidity() {
    return this.#internals.reportValidity();
  }

  /** A complaint of your own, "" for none. @param {string} message */
  setCustomValidity(message) {
    this.#complaint = `${message}`;
    this.#update();
  }

  /** Tell the form what there is. */
  #update() {
    const busy = this.#prediction.getAttribute("aria-busy") === "true";
    const text = busy ? "" : this.prediction?.text ?? "";
    this.#value = /^\d+$/.test(text) ? text : "";
    this.#internals.setFormValue(this.#value, JSON.stringify(this.strokes));
    const [flags, message] = this.#complaints(busy);
    this.#internals.setValidity(flags, this.#words[message] ?? message, this.#pad);
  }

  /** @param {boolean} busy @returns {[ValidityStateFlags, string]} */
  #complaints(busy) {
    if (this.#complaint) return [{ customError: true }, this.#complaint];
    if (this.#value) return [{}, ""];
    if (busy) return [{ customError: true }, "Your drawing is read in a moment"];
    if (this.prediction) return [{ badInput: true }, this.numbers ? "Not all of it is read as digits. Draw it again." : "It is not read as a digit. Draw it again."];
    return [{ valueMissing: this.required }, this.required ? "Please draw here." : ""];
  }

  async #speak() {
    const asked = (this.closest("[lang]")?.getAttribute("lang") ?? "en").toLowerCase().split("-")[0];
    if (asked === this.#language) return;
    this.#language = asked;
    const { language, table } = await words(asked);
    if (asked !== this.#language) return; // another has been asked for since
    this.#words = table;
    this.#inside.lang = language;
    for (const { english, write } of this.#markup) write(table[english] ?? english);
    this.setWords(table);
    this.#update();
  }

  /** The style sheet follows the system by a rule of its own; a theme says when that rule holds. */
  #dress() {
    const theme = this.getAttribute("theme");
    const holds = theme === "dark" ? "all" : theme === "light" ? "not all" : DARK;
    for (const { cssRules } of this.#root.styleSheets) {
      for (const rule of cssRules) {
        if (rule instanceof CSSMediaRule && (rule.conditionText.includes("prefers-color-scheme") || dressed.has(rule))) {
          dressed.add(rule);
          rule.media.mediaText = holds;
        }
      }
    }
    this.#inside.style.colorScheme = theme === "dark" || theme === "light" ? theme : "";
    this.repaint();
  }
}

/** Rules whose condition was changed here. @type {WeakSet<CSSRule>} */
const dressed = new WeakSet();
