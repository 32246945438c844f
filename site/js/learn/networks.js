/**
 * Networks of one's own: one that was just trained is tried until it is kept or dropped; a kept one is put back after each start
 * and stands in the page's list of networks.
 *
 * Event: "change".
 */

import { inAddress, keepInAddress } from "../address.js";
import { KEPT } from "../learn.js";
import { LAST, networkStore, runStore } from "./store.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const OWN = "own:"; // of a value in the list

export class Networks extends EventTarget {
  /** @type {OwnNetwork | null} in use and not kept yet */ tried = null;
  /** @type {OwnNetwork | null} in use and kept */ kept = null;
  /** @type {string | null} in use while it is trained */ inTraining = null;
  /** @type {OwnNetwork[]} those that were tried before, and not kept or dropped when the next one came */ #before = [];
  /** @type {string | null} why nothing outlasts this tab */ warning = null;
  /** @type {DigitRecognizer | null} */ #element = null;
  /** @type {Preparation | undefined} */ #following;
  /** @type {Learning | null} a new recogniser that answers with the right network already */ #seenTo = null;

  /** The one in use, if it is not a shipped one. */
  get own() {
    return this.tried ?? this.kept;
  }

  get list() {
    return networkStore.entries.map(([, network]) => network);
  }

  /** Keeps the page's network what it is to be, from now on. @param {DigitRecognizer} element @returns {Preparation} */
  follow(element) {
    this.#following ??= this.#follow(element);
    element.preparation = this.#following;
    return this.#following;
  }

  /** @param {DigitRecognizer} element @returns {Preparation} */
  async #follow(element) {
    this.#element = element;
    this.warning = await networkStore.load();
    const name = readNote();
    if (name && !inAddress("model")) this.kept = networkStore.get(name) ?? null; // a link to a shipped one comes first
    const select = /** @type {HTMLSelectElement} */ (document.querySelector("#model"));
    const refresh = () => this.#list(select);
    this.addEventListener("change", refresh);
    element.addEventListener("ready", async () => {
      if (this.#seenTo !== element.recognizer) await this.#restore(); // it was started again
      this.#seenTo = null;
      refresh();
    });
    element.addEventListener("modelchange", () => this.#took(null, null)); // a shipped one was chosen
    select.addEventListener("change", (event) => {
      if (!select.value.startsWith(OWN)) return;
      event.stopImmediatePropagation(); // it is no name of a shipped one
      this.use(select.value.slice(OWN.length)).catch((error) => element.tell(error.message));
    }, { capture: true });
    if (element.recognizer) await this.#restore();
    this.dispatchEvent(new Event("change"));
    return async (recognizer) => {
      this.#seenTo = recognizer;
      await this.#putBack(recognizer);
    };
  }

  /** Answers with a network that has been kept. @param {string} name */
  async use(name) {
    const network = /** @type {OwnNetwork} */ (networkStore.get(name));
    await this.#recognizer.setWeights(network.npz, { name });
    this.#took(null, network);
    keepInAddress("model", null);
    this.#element?.read();
  }

  /** Answers with a network that is not kept yet. @param {OwnNetwork} network */
  async answerWith(network) {
    await this.#recognizer.setWeights(network.npz, { name: network.name });
    this.try(network);
  }

  /** The network that answers already is this one, not kept yet. @param {OwnNetwork} network */
  try(network) {
    if (this.tried && this.tried !== network) this.#before.push(this.tried);
    this.#took(network, this.kept);
    this.#element?.read();
  }

  /** The pad reads with a network that is being trained; with null it is as before. @param {string | null} name */
  watch(name) {
    this.inTraining = name;
    this.dispatchEvent(new Event("change"));
  }

  /** Answers with a file's network, not kept yet. @param {Uint8Array} npz @param {string} name @throws if it is none that can be used */
  async load(npz, name) {
    const { spec, parameters } = await this.#recognizer.setWeights(npz, { name });
    this.try({ name, npz, card: { name, parameters, architecture: spec, origin: "a file" } });
  }

  /**
   * Keeps the one that is tried.
   * @param {string} name
   * @returns {Promise<string | null>} a warning, if it lasts no longer than this tab
   * @throws if another one is kept under that name
   */
  async keep(name) {
    if (networkStore.get(name)) throw new Error(`A network named “${name}” is kept already. Choose another name, or delete that one first.`);
    const network = /** @type {OwnNetwork} */ (this.own);
    const kept = { name, npz: network.npz, card: { ...network.card, name } };
    const warning = await networkStore.put(name, kept);
    await this.#forgetRunOf(network);
    await this.use(name);
    return warning;
  }

  /** Goes back to what answered before the one that is tried. */
  async drop() {
    const { tried } = this;
    const before = this.#before.at(-1);
    if (before) await this.#goBack(before);
    else if (this.kept) await this.use(this.kept.name);
    else await this.reset();
    await this.#forgetRunOf(tried);
  }

  /** @param {OwnNetwork} network that was tried before */
  async #goBack(network) {
    await this.#recognizer.setWeights(network.npz, { name: network.name });
    this.#before.pop();
    network.isAskedFor = false; // whoever asked has gone on
    this.#took(network, this.kept);
    this.#element?.read();
  }

  /** Back to the shipped network. */
  async reset() {
    await this.#recognizer.resetWeights();
    this.#took(null, null);
    this.#element?.read();
  }

  /** @param {string} name */
  async remove(name) {
    if (this.kept?.name === name) await this.reset();
    await networkStore.remove(name);
    this.dispatchEvent(new Event("change"));
  }

  /** A name that is not taken yet. @param {string} wish */
  freeName(wish) {
    let name = wish;
    for (let i = 2; networkStore.get(name); i++) name = `${wish} ${i}`;
    return name;
  }

  get #recognizer() {
    const recognizer = this.#element?.recognizer;
    if (!recognizer) throw new Error("The network is not loaded yet. Wait a moment.");
    return /** @type {any} */ (recognizer);
  }

  async #restore() {
    if (!this.own) return;
    await this.#putBack(this.#recognizer);
    this.#element?.read();
  }

  /** @param {Learning} recognizer that has just been started */
  async #putBack(recognizer) {
    const { own } = this;
    if (!own) return;
    try {
      await recognizer.setWeights(own.npz, { name: own.name });
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") return; // nobody waits for it any more
      if (/** @type {Error} */ (error).name === "WeightsError") this.#took(null, null); // else it is not the network that failed
      this.#element?.tell(`Your network "${own.name}" can not be used: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** It is decided what becomes of a network: the run that made it need not be remembered. @param {OwnNetwork | null} network */
  async #forgetRunOf(network) {
    if (!network || runStore.get(LAST)?.network !== network) return;
    await runStore.remove(LAST);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {OwnNetwork | null} tried @param {OwnNetwork | null} kept */
  #took(tried, kept) {
    this.inTraining = null;
    this.tried = tried;
    if (!tried) this.#before = [];
    this.kept = kept;
    writeNote(kept?.name ?? null);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {HTMLSelectElement} select */
  #list(select) {
    if (select.disabled && select.options.length < 2) return; // the shipped ones are not listed yet
    for (const option of [...select.options]) if (option.value.startsWith(OWN)) option.remove();
    const passing = this.inTraining ? `${this.inTraining}, in training` : this.tried && `${this.tried.name}, not kept`;
    const unkept = passing ? [new Option(passing, OWN, false, true)] : [];
    const options = this.list.map(({ name }) => new Option(`${name}, yours`, OWN + name, false, name === this.own?.name && !passing));
    select.append(...options, ...unkept);
    if (!this.own && !passing) select.value = /** @type {string} */ (this.#element?.recognizer?.model);
  }
}

/** @returns {string | null} name of the kept network that is in use */
function readNote() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage is forbidden
  }
}

/** @param {string | null} name */
function writeNote(name) {
  try {
    if (name === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, name);
  } catch {
    // Then it is forgotten with the tab.
  }
}

/** Those of this device. */
export const networks = new Networks();
