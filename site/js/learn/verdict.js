/**
 * Who won a race of optimisers, and why that is plausible: one sentence. A plain function: it knows no page.
 */

import { percent } from "./dom.js";

/** Share of images on which two networks disagree, about. */
const DISAGREE = 0.04;

/** @type {Record<string, string>} */
const WHY = {
  sgd: "its one learning rate happens to suit every weight of a network this small",
  momentum: "where gradients agree they add up, so that it runs along the valleys in which plain descent creeps",
  nesterov: "it adds up gradients that agree, as momentum does, and looks ahead, so that it overshoots less",
  adagrad: "weights of pixels that seldom have ink take large steps; that its steps only ever shrink does no harm in a short race",
  rmsprop: "each weight's step is measured by its own recent gradients, so that pixels which seldom have ink learn as fast as the busy ones",
  adam: "it joins momentum with a step of its own for each weight, so that pixels which seldom have ink learn as fast as the busy ones",
  adamw: "it joins momentum with a step of its own for each weight, and the slight decay of the weights costs nothing here",
};

/** @type {Record<string, string>} why one comes in last */
const WHY_LAST = {
  sgd: "one step size for all weights is too small for most of them",
  momentum: "at this learning rate what has added up overshoots",
  nesterov: "at this learning rate what has added up overshoots",
  adagrad: "its steps only ever shrink, and it runs out of breath",
  rmsprop: "without momentum its steps stay restless",
  adam: "at this learning rate its steps are too short, or too restless",
  adamw: "at this learning rate its steps are too short, or too restless",
};

/**
 * @param {{optimizer: string, state: string, validation: {accuracy: number, loss: number} | null, validation_images: number}[]} runs as they ended, two at least;
 *   all were measured on the same images
 * @returns {string}
 */
export function verdict(runs) {
  const chance = 2 * Math.sqrt(DISAGREE / runs[0].validation_images); // a lead that it may give: two standard errors
  const lost = runs.filter(({ state }) => state === "diverged").map(({ optimizer }) => optimizer);
  const ranked = runs.filter(({ state, validation }) => state !== "diverged" && validation)
    .map(({ optimizer, validation }) => ({ optimizer, .../** @type {{accuracy: number, loss: number}} */ (validation) }))
    .sort((a, b) => b.accuracy - a.accuracy || a.loss - b.loss);
  const out = lost.length ? ` ${listed(lost)} diverged: the learning rate is too high for ${lost.length > 1 ? "them" : "it"}.` : "";
  if (!ranked.length) return `Nobody won.${out}`;
  const [first, second] = ranked;
  const last = ranked[ranked.length - 1];
  if (!second) return `${first.optimizer} won with ${percent(first.accuracy)}, as the only one to arrive.${out}`;
  const isTie = first.accuracy - second.accuracy < chance;
  const level = ranked.filter(({ accuracy }) => first.accuracy - accuracy < chance).map(({ optimizer }) => optimizer);
  const head = isTie ? `${listed(level)} end level at about ${percent(first.accuracy)}; what is between them may be chance`
    : `${first.optimizer} won with ${percent(first.accuracy)} against ${percent(second.accuracy)} of ${second.optimizer}: ${WHY[first.optimizer]}`;
  const isBehind = first.accuracy - last.accuracy >= chance && !(second === last && !isTie);
  const tail = isBehind ? `; ${last.optimizer} came last with ${percent(last.accuracy)}, as ${WHY_LAST[last.optimizer]}` : "";
  return `${head}${tail}.${out}`;
}

/** a, b and c. @param {string[]} names */
const listed = (names) => [names.slice(0, -1).join(", "), names[names.length - 1]].filter(Boolean).join(" and ");
