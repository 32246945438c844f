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

/** @param {string} name */
function describe(name) {
  const { mnist_test_accuracy: accuracy, parameters } = assets.models[name];
  const measured = accuracy === null ? "" : ` ${(100 * accuracy).toFixed(2)}%,`; // a card from elsewhere need not say it
  return `${name},${measured} ${grouped(parameters)} parameters`;
}

/**
 * @param {HTMLSelectElement} select
 * @param {DigitRecognizer} element
 */
export function offerModels(select, element) {
  const refresh = () => {
    const names = Object.keys(assets.models);
    select.replaceChildren(...names.map((name) => new Option(describe(name), name, name === element.recognizer?.model, name === element.recognizer?.model)));
    select.disabled = names.length < 2;
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
      refresh(); // the network that was there before still answers
    }
  });
}
