/**
 * The settings of an experiment, one table of them: what there is, within what bounds, and how it stands in the address.
 * Names and values are Python's: the file is what `trainer/train.py --settings` reads.
 */

import { inAddress, keepInAddress } from "../address.js";

const OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"];

/** A learning rate that suits each on a dense network and MNIST; the page's own choice. @type {Record<string, number>} */
export const USUAL_RATES = { sgd: 0.1, momentum: 0.03, nesterov: 0.03, adagrad: 0.02, rmsprop: 0.001, adam: 0.001, adamw: 0.001 };

/** @type {Field[]} */
export const FIELDS = [
  { name: "arch", label: "Layers", kind: "arch", value: "784-128-64-10", first: true },
  { name: "optimizer", label: "Optimiser", kind: "choice", value: "adam", choices: OPTIMIZERS, first: true },
  { name: "learning_rate", label: "Learning rate", kind: "number", value: 0.001, least: 1e-6, most: 10, first: true },
  { name: "epochs", label: "Epochs", kind: "whole", value: 4, least: 1, most: 100, first: true },
  { name: "batch_size", label: "Batch size", kind: "whole", value: 64, least: 1, most: 1024, first: true },
  { name: "images", label: "Training images", kind: "whole", value: 10000, least: 100, most: 10000, first: true },
  { name: "schedule", label: "Schedule", kind: "choice", value: "constant", choices: ["constant", "step", "cosine", "one-cycle"] },
  { name: "warmup", label: "Warm-up", kind: "number", value: 0.15, least: 0, most: 0.9, of: ["one-cycle"], hint: "share of all steps" },
  { name: "momentum", label: "Momentum", kind: "number", value: 0.9, least: 0, most: 0.999, of: ["momentum", "nesterov"] },
  { name: "beta1", label: "Beta 1", kind: "number", value: 0.9, least: 0, most: 0.9999, of: ["adam", "adamw"] },
  { name: "beta2", label: "Beta 2", kind: "number", value: 0.999, least: 0, most: 0.99999, of: ["adam", "adamw"] },
  { name: "decay", label: "Decay", kind: "number", value: 0.99, least: 0, most: 0.9999, of: ["rmsprop"] },
  { name: "weight_decay", label: "Weight decay", kind: "number", value: 0.01, least: 0, most: 1, of: ["adamw"] },
  { name: "dropout", label: "Dropout", kind: "number", value: 0, least: 0, most: 0.9 },
  { name: "l2", label: "L2 penalty", kind: "number", value: 0, least: 0, most: 1 },
  { name: "label_smoothing", label: "Label smoothing", kind: "number", value: 0, least: 0, most: 0.5 },
  { name: "clip_norm", label: "Clip gradients at", kind: "number", value: null, least: 0.01, most: 1000, optional: true, hint: "empty: not at all" },
  { name: "augment", label: "Deform the images", kind: "switch", value: false },
  { name: "seed", label: "Seed", kind: "whole", value: 0, least: 0, most: 2 ** 31 - 1 },
];

/** @returns {Record<string, any>} */
export const defaults = () => Object.fromEntries(FIELDS.map(({ name, value }) => [name, value]));

/**
 * A value that makes sense, out of whatever a person or a link says.
 * @param {Field} field
 * @param {string} text
 * @returns {{value: any, told: string | null}} told: what was changed, and why
 */
export function sensible(field, text) {
  const { name, kind, value: standard, least = -Infinity, most = Infinity, choices } = field;
  const trimmed = text.trim();
  const refuse = (/** @type {string} */ why) => ({ value: standard, told: `${name} “${text.slice(0, 30)}” ${why}; ${standard ?? "none"} is used.` });
  if (kind === "arch") return sensibleArch(trimmed, standard);
  if (kind === "choice") return choices?.includes(trimmed) ? { value: trimmed, told: null } : refuse(`is none of ${choices?.join(", ")}`);
  if (kind === "switch") return trimmed === "true" || trimmed === "false" ? { value: trimmed === "true", told: null } : refuse("is neither true nor false");
  if (field.optional && (trimmed === "" || trimmed === "null")) return { value: null, told: null };
  const number = Number(trimmed);
  if (trimmed === "" || !Number.isFinite(number)) return refuse("is no number");
  const whole = kind === "whole" ? Math.round(number) : number;
  const value = Math.min(most, Math.max(least, whole));
  return { value, told: value === number ? null : `${name} ${trimmed} became ${value}: it goes from ${least} to ${most}.` };
}

const MOST_LAYERS = 5; // hidden ones
const WIDEST = 1024; // units of a dense layer
const MOST_FILTERS = 64;
const CONVNET = "convnet-16-32-224"; // what the plain name stands for (model.py)

/** @param {string} text @param {string} standard */
function sensibleArch(text, standard) {
  const parts = archParts(text);
  if (!parts) return { value: standard, told: `arch “${text.slice(0, 30)}” is no network, such as 784-128-64-10 or convnet-8-16-64; ${standard} is used.` };
  const value = archOf(parts.kind, parts.sizes);
  return { value, told: value === text || text === "convnet" ? null : `arch ${text.slice(0, 40)} became ${value}: at most ${MOST_LAYERS} layers of ${WIDEST}, ${MOST_FILTERS} filters.` };
}

/** The hidden sizes in the name of a network. @param {string} arch @returns {{kind: "dense" | "conv", sizes: number[]} | null} */
export function archParts(arch) {
  if (arch === "convnet") return archParts(CONVNET);
  const dense = /^784((?:-\d{1,9})*)-10$/.exec(arch);
  const conv = /^convnet((?:-\d{1,9}){2,})$/.exec(arch);
  const sizes = (dense ?? conv)?.[1].split("-").slice(1).map(Number);
  return sizes ? { kind: dense ? "dense" : "conv", sizes } : null;
}

/** The name of a network with these hidden sizes; sizes of a convolutional one begin with two numbers of filters. @param {"dense" | "conv"} kind @param {number[]} sizes */
export function archOf(kind, sizes) {
  const clamp = (/** @type {number} */ size, /** @type {number} */ most) => Math.min(most, Math.max(1, Math.round(size)));
  if (kind === "dense") return ["784", ...sizes.slice(0, MOST_LAYERS).map((size) => clamp(size, WIDEST)), "10"].join("-");
  const [first = 8, second = 16, ...rest] = sizes;
  const name = ["convnet", clamp(first, MOST_FILTERS), clamp(second, MOST_FILTERS), ...rest.slice(0, MOST_LAYERS).map((size) => clamp(size, WIDEST))].join("-");
  return name === CONVNET ? "convnet" : name;
}

/** Whether a setting plays a part in an experiment. @param {Field} field @param {Record<string, any>} settings */
export const matters = ({ of }, { optimizer, schedule }) => !of || of.includes(optimizer) || of.includes(schedule);

/** The experiment that the address names. @returns {{settings: Record<string, any>, told: string[]}} */
export function settingsInAddress() {
  const settings = defaults();
  const told = [];
  for (const field of FIELDS) {
    const text = inAddress(field.name);
    if (text === null) continue;
    const { value, told: word } = sensible(field, text);
    settings[field.name] = value;
    if (word) told.push(word);
  }
  if (inAddress("learning_rate") === null) settings.learning_rate = USUAL_RATES[settings.optimizer];
  return { settings, told };
}

/** Only what is not as it usually is makes the link longer. @param {Record<string, any>} settings */
export function keepSettingsInAddress(settings) {
  for (const field of FIELDS) {
    const { name, value } = field;
    const usual = name === "learning_rate" ? USUAL_RATES[settings.optimizer] : value;
    const wanted = settings[name] === usual || !matters(field, settings) ? null : String(settings[name]);
    if (wanted !== inAddress(name)) keepInAddress(name, wanted); // browsers allow only so many changes a second
  }
}
