/**
 * The choice between the networks. It is kept in the address, so a link can carry it.
 */

import { inAddress, keepInAddress } from "./address.js";
import { assets } from "./assets.js";

/** @typedef {import("./digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** The network named in the address, if there is such a one: an old link must not stop the page. */
export function modelInAddress() {
  const name = inAddress("model");
  return name && Object.hasOwn(assets.models, name) ? name : null;
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
  select.replaceChildren(new Option("is loading"));
  for (const news of ["ready", "modelchange"]) element.addEventListener(news, refresh);
  element.addEventListener("error", () => {
    if (select.disabled) select.replaceChildren(new Option("not loaded"));
  });
  addEventListener("hashchange", () => {
    const name = modelInAddress();
    if (name) element.setAttribute("model", name);
  });
  select.addEventListener("change", async () => {
    try {
      await element.useModel(select.value);
      keepInAddress("model", select.value);
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") return; // another was chosen meanwhile
      element.tell(/** @type {Error} */ (error).message);
      await refresh(); // the network that was there before still answers
    }
  });
}
