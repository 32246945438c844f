/**
 * The form of an experiment, made from the table of settings. Event: "change", `settings` are others; detail: what had to be corrected.
 */

import { button, make } from "./dom.js";
import { archOf, archParts, FIELDS, keepSettingsInAddress, matters, sensible, settingsInAddress, USUAL_RATES } from "./settings.js";

export class Form extends EventTarget {
  #rows = /** @type {Map<string, {row: HTMLElement, set: (value: any) => void}>} */ (new Map());
  #first = make("div", { className: "fields" });
  #more = make("div", { className: "fields" });
  /** @type {Record<string, any>} */ settings;
  element = make("form", {}, this.#first, make("details", {}, make("summary", {}, "More settings"), this.#more));
  /** What a link said that made no sense. @type {string[]} */ told;

  constructor() {
    super();
    ({ settings: this.settings, told: this.told } = settingsInAddress());
    this.element.addEventListener("submit", (event) => event.preventDefault());
    for (const field of FIELDS) {
      const made = field.kind === "arch" ? this.#arch() : this.#control(field);
      this.#rows.set(field.name, made);
      (field.first ? this.#first : this.#more).append(made.row);
    }
    this.#render();
    addEventListener("hashchange", () => {
      const { settings, told } = settingsInAddress();
      if (told.length || JSON.stringify(settings) !== JSON.stringify(this.settings)) this.#take(settings, told);
    });
  }

  /** @param {Record<string, any>} settings @param {string[]} told */
  #take(settings, told) {
    this.settings = settings;
    this.#render();
    keepSettingsInAddress(settings);
    this.dispatchEvent(new CustomEvent("change", { detail: told }));
  }

  /** @param {Field} field @param {string} text */
  #enter(field, text) {
    const { value, told } = sensible(field, text);
    const settings = { ...this.settings, [field.name]: value };
    // A rate that suits one optimiser lets another diverge.
    if (field.name === "optimizer" && this.settings.learning_rate === USUAL_RATES[this.settings.optimizer]) settings.learning_rate = USUAL_RATES[value];
    this.#take(settings, told ? [told] : []);
  }

  #render() {
    for (const field of FIELDS) {
      const { row, set } = /** @type {{row: HTMLElement, set: (value: any) => void}} */ (this.#rows.get(field.name));
      row.hidden = !matters(field, this.settings);
      set(this.settings[field.name]);
    }
  }

  /** @param {Field} field */
  #control(field) {
    const { name, label, kind, choices, hint } = field;
    const control = kind === "choice" ? make("select", { name }, ...(choices ?? []).map((choice) => new Option(choice)))
      : kind === "switch" ? make("input", { type: "checkbox", name })
      : make("input", { type: "text", inputMode: kind === "whole" ? "numeric" : "decimal", name, autocomplete: "off" });
    control.addEventListener("change", () => this.#enter(field, kind === "switch" ? String(/** @type {HTMLInputElement} */ (control).checked) : control.value));
    const set = (/** @type {any} */ value) => {
      if (kind === "switch") /** @type {HTMLInputElement} */ (control).checked = value;
      else control.value = value ?? "";
    };
    return { row: make("label", { className: kind }, make("span", {}, label, ...(hint ? [make("small", {}, hint)] : [])), control), set };
  }

  /** Kind and hidden sizes of the network. */
  #arch() {
    const field = FIELDS[0];
    const kind = make("select", { name: "kind", "aria-label": "Kind of layers" }, new Option("dense layers", "dense"), new Option("convolutions", "conv"));
    const sizes = make("input", { type: "text", name: "sizes", inputMode: "numeric", autocomplete: "off", "aria-label": "Sizes of the hidden layers" });
    const shape = make("small", {});
    const enter = () => {
      const wanted = (sizes.value.match(/\d+/g) ?? []).map(Number);
      const isConv = kind.value === "conv";
      this.#enter(field, isConv ? ["convnet", ...wanted].join("-") : ["784", ...wanted, "10"].join("-"));
    };
    sizes.addEventListener("change", enter);
    kind.addEventListener("change", () => this.#enter(field, archOf(/** @type {"dense" | "conv"} */ (kind.value), kind.value === "conv" ? [8, 16, 64] : [128, 64])));
    const set = (/** @type {string} */ arch) => {
      const parts = /** @type {NonNullable<ReturnType<typeof archParts>>} */ (archParts(arch));
      kind.value = parts.kind;
      sizes.value = parts.sizes.join(" ");
      shape.textContent = parts.kind === "dense" ? `units: ${arch.replaceAll("-", " → ")}` : "two numbers of 5 × 5 filters, then dense layers";
    };
    const row = make("div", { className: "arch", role: "group", "aria-label": "Layers" }, make("span", {}, "Layers"), kind, sizes, shape);
    return { row, set };
  }
}

/** Takes the settings home, as the file that the desktop's trainer reads. @param {() => Record<string, any>} settings @param {(content: BlobPart, name: string, type: string) => void} download */
export const settingsButton = (settings, download) =>
  button("Settings as a file", () => download(JSON.stringify(settings(), null, 2), "settings.json", "application/json"));
