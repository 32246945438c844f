/**
 * The choice between the networks. It is kept in the address, so a link can carry it.
 */

import { assets } from "./assets.js";

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** The network named in the address, if there is such a one: an old link must not stop the page. */
export function modelInAddress() {
  const name = new URLSearchParams(location.hash.slice(1)).get("model");
  return name && Object.hasOwn(assets.models, name) ? name : null;
}

/** @param {string} model */
function keepInAddress(model) {
  const settings = new URLSearchParams(location.hash.slice(1));
  settings.set("model", model);
  history.replaceState(null, "", `#${settings}`);
}

/** 29066 as 29,066. The browser's own way loads tables for 30 ms first. @param {number} count */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** @param {{name: string, card: {mnist_test_accuracy: number, parameters: number}}} model */
function describe({ name, card }) {
  const accuracy = `${(100 * card.mnist_test_accuracy).toFixed(2)}%`;
  return `${name}, ${accuracy}, ${grouped(card.parameters)} parameters`;
}

/**
 * @param {HTMLSelectElement} select
 * @param {DigitRecognizer} element
 */
export function offerModels(select, element) {
  const refresh = async () => {
    const models = (await element.recognizer?.models()) ?? [];
    select.replaceChildren(...models.map((model) => new Option(describe(model), model.name, model.current, model.current)));
    select.disabled = models.length < 2;
  };
  element.addEventListener("ready", refresh);
  select.addEventListener("change", async () => {
    try {
      await element.useModel(select.value);
      keepInAddress(select.value);
    } catch (error) {
      element.tell(/** @type {Error} */ (error).message);
      await refresh(); // the network that was there before still answers
    }
  });
}
