/**
 * Who races: up to six optimisers, each with its learning rate; as boxes to tick, and as they stand in the address: race=sgd:0.05,adam.
 */

import { inAddress, keepInAddress } from "../address.js";
import { make } from "./dom.js";
import { FIELDS, sensible, USUAL_RATES } from "./settings.js";

/** @typedef {Map<string, number>} Rates of those who race, by optimiser */

const MOST = 6;
export const NAMES = Object.keys(USUAL_RATES);
const USUAL = "sgd,momentum,adagrad,rmsprop,adam";
const RATE = /** @type {Field} */ (FIELDS.find(({ name }) => name === "learning_rate"));

/** @param {string} optimizer @param {string} text */
const sensibleRate = (optimizer, text) => sensible({ ...RATE, name: `learning_rate of ${optimizer}`, value: USUAL_RATES[optimizer] }, text);

/** As in the address: a rate that is the usual one makes the link no longer. @param {Rates} rates */
const asText = (rates) => [...rates].map(([name, rate]) => (rate === USUAL_RATES[name] ? name : `${name}:${rate}`)).join();

/**
 * Those who can race, out of whatever a link says.
 * @param {string} text
 * @returns {{rates: Rates, told: string[]}} told: what was changed or left out, and why
 */
export function sensibleEntrants(text) {
  /** @type {Rates} */
  const rates = new Map();
  const [unknown, twice, late] = [new Set(), new Set(), new Set()];
  const told = [];
  for (const entry of text.split(",").filter((part) => part.trim())) {
    const [, name, rate] = /** @type {RegExpExecArray} */ (/^\s*([^:]*?)\s*(?::(.*))?$/s.exec(entry));
    const refused = !NAMES.includes(name) ? unknown : rates.has(name) ? twice : rates.size === MOST ? late : null;
    refused?.add(name);
    if (refused) continue;
    const { value, told: word } = rate === undefined ? { value: USUAL_RATES[name], told: null } : sensibleRate(name, rate);
    rates.set(name, value);
    if (word) told.push(word);
  }
  const listed = (/** @type {Set<string>} */ names) => [...names].join(", ").slice(0, 40);
  if (unknown.size) told.push(`race “${listed(unknown)}” is none of ${NAMES.join(", ")}, and left out.`);
  if (twice.size) told.push(`race names ${listed(twice)} more than once; the first counts.`);
  if (late.size) told.push(`At most ${MOST} can race; ${listed(late)} is left out.`);
  return { rates, told };
}

export class Entrants {
  #say;
  /** @type {Map<string, {box: HTMLInputElement, rate: HTMLInputElement}>} */ #rows = new Map();
  element = make("fieldset", { className: "entries" }, make("legend", {}, `Up to ${MOST} optimisers, each with its learning rate`));

  /** @param {(text: string | null) => void} say */
  constructor(say) {
    this.#say = say;
    this.element.append(...NAMES.map((name) => this.#row(name)));
  }

  /** @returns {Rates} */
  get rates() {
    const chosen = [...this.#rows].filter(([, { box }]) => box.checked);
    return new Map(chosen.map(([name, { rate }]) => [name, Number(rate.value)]));
  }

  /** Makes them those of the address, and puts the address right. @returns {string[]} what was changed or left out */
  read() {
    const text = inAddress("race") ?? USUAL;
    if (text === asText(this.rates)) return []; // also the rates of those who do not race stay as they are
    const { rates, told } = sensibleEntrants(text);
    for (const [name, { box, rate }] of this.#rows) {
      box.checked = rates.has(name);
      rate.value = `${rates.get(name) ?? USUAL_RATES[name]}`;
    }
    this.#keep();
    return told;
  }

  #keep() {
    const text = asText(this.rates);
    keepInAddress("race", text === USUAL ? null : text);
  }

  /** @param {string} name */
  #row(name) {
    const box = make("input", { type: "checkbox" });
    const rate = make("input", { type: "text", inputMode: "decimal", autocomplete: "off", value: `${USUAL_RATES[name]}`, "aria-label": `Learning rate of ${name}` });
    this.#rows.set(name, { box, rate });
    box.addEventListener("change", () => {
      const isFull = this.rates.size > MOST;
      if (isFull) box.checked = false;
      this.#say(isFull ? `At most ${MOST} can race.` : null);
      this.#keep();
    });
    rate.addEventListener("change", () => {
      const { value, told } = sensibleRate(name, rate.value);
      rate.value = `${value}`;
      this.#say(told);
      this.#keep();
    });
    return make("div", {}, make("label", {}, box, ` ${name}`), rate);
  }
}
