/**
 * Inkling's public door: `createRecognizer` gives a recogniser of handwritten digits that runs wholly in the browser.
 *
 *     import { createRecognizer } from "./js/inkling.js";
 *     const recognizer = await createRecognizer();
 *     const { digit, confidence } = await recognizer.predict(canvas);
 */

import { bootingEngine } from "./engine.js";
import { part, RecognizerError } from "./errors.js";
import { readSource } from "./source.js";

export { RecognizerError };

/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./source.js").Source} Source */

/**
 * Starts a recogniser.
 * @param {{model?: string, onProgress?: (progress: BootProgress) => void, signal?: AbortSignal}} [options]
 *   model: a name out of `models()`; signal: closes the recogniser, also while it starts
 * @returns {Promise<Recognizer>} as soon as it can predict
 * @throws {RecognizerError} with a `hint`, if it can't be loaded or the browser can't run it
 */
export async function createRecognizer({ model, onProgress, signal } = {}) {
  signal?.throwIfAborted();
  const engine = bootingEngine(model);
  engine.onProgress = onProgress;
  signal?.addEventListener("abort", () => engine.close());
  try {
    const { versions } = await engine.booted;
    if (model && engine.model !== model) await engine.call("useModel", { model });
    return new Recognizer(engine, versions);
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * Reads digits. Events: "restart" (the worker died and was replaced), "error" (it could not be; detail: RecognizerError).
 */
export class Recognizer extends EventTarget {
  #engine;
  #versions;
  /** @type {Promise<unknown> | null} the prediction that the worker is busy with */
  #inFlight = null;
  /** @type {(() => void) | null} turns away the prediction that waits for its turn */
  #turnAway = null;

  /**
   * @param {Engine} engine that has booted
   * @param {{pyodide: string}} versions
   */
  constructor(engine, versions) {
    super();
    this.#engine = engine;
    this.#versions = versions;
    engine.addEventListener("restart", () => this.dispatchEvent(new Event("restart")));
    engine.addEventListener("error", (event) => this.dispatchEvent(new CustomEvent("error", { detail: /** @type {CustomEvent} */ (event).detail })));
  }

  /**
   * Reads one digit, or with `numbers` all that stand side by side; `once` is quicker and leaves out the second look at what is doubtful. One prediction is in flight, the newest waits; one that waited and was overtaken rejects with an AbortError.
   * @param {Source} source
   * @param {{numbers?: boolean, once?: boolean, signal?: AbortSignal}} [options]
   * @returns {Promise<Prediction>}
   */
  async predict(source, { numbers = false, once = false, signal } = {}) {
    signal?.throwIfAborted();
    return withSignal(this.#predictInTurn(source, { numbers, once }, signal), signal);
  }

  /**
   * @param {Source} source
   * @param {{numbers: boolean, once: boolean}} options
   * @param {AbortSignal} [signal]
   */
  async #predictInTurn(source, options, signal) {
    this.#turnAway?.();
    let overtaken = false;
    this.#turnAway = () => (overtaken = true);
    const giveWay = () => {
      signal?.throwIfAborted();
      if (overtaken) throw new DOMException("A newer drawing took its place.", "AbortError");
    };
    while (this.#inFlight) {
      await this.#inFlight;
      giveWay();
    }
    this.#turnAway = null;
    const answer = this.#send("predict", source, options);
    this.#inFlight = answer.catch(() => {}).then(() => (this.#inFlight = null));
    return answer;
  }

  /**
   * What preprocessing makes of a source: the 28 x 28 image as PNG, and its statistics.
   * @param {Source} source
   * @returns {Promise<DebugImage>}
   */
  debugImage(source) {
    return this.#send("debug", source);
  }

  /**
   * Versions, model, how it booted, and whether known sums come out right.
   * @returns {Promise<Health>}
   */
  async health() {
    const health = await this.#engine.call("health");
    const shipped = this.#engine.models[health.model.name]; // what was trained here may have the same name
    return {
      status: health.self_test.ok ? "ok" : "degraded",
      ...health,
      versions: { ...health.versions, pyodide: this.#versions.pyodide },
      model: { ...health.model, mnist_test_accuracy: shipped?.sha256 === health.model.sha256 ? shipped.mnist_test_accuracy : null },
    };
  }

  /**
   * The models there are, each with its card.
   * @returns {Promise<{name: string, card: any, current: boolean}[]>}
   */
  async models() {
    const cards = Object.keys(this.#engine.models).map(async (name) => ({ name, card: await this.#engine.call("card", { model: name }) }));
    return (await Promise.all(cards)).map((model) => ({ ...model, current: model.name === this.model }));
  }

  /** Name of the model that answers. */
  get model() {
    return this.#engine.model;
  }

  /**
   * Answers with another model from now on. If it can't be loaded, the one before stays.
   * @param {string} name
   * @returns {Promise<any>} its card
   */
  async useModel(name) {
    const known = Object.hasOwn(this.#engine.models, name); // if not, the worker says so
    const card = known && (await this.#engine.call("card", { model: name }));
    await this.#engine.call("useModel", { model: name });
    return card;
  }

  /** @type {Learning["train"]} */
  train = (...given) => this.#learning("train", given);
  /** @type {Learning["prepare"]} */
  prepare = (...given) => this.#learning("prepare", given);
  /** @type {Learning["steer"]} */
  steer = (...given) => this.#learning("steer", given);
  /** @type {Learning["evaluate"]} */
  evaluate = (...given) => this.#learning("evaluate", given);
  /** @type {Learning["settings"]} */
  settings = (...given) => this.#learning("settings", given);
  /** @type {Learning["dataSets"]} */
  dataSets = (...given) => this.#learning("dataSets", given);
  /** @type {Learning["getWeights"]} */
  getWeights = (...given) => this.#learning("getWeights", given);
  /** @type {Learning["setWeights"]} */
  setWeights = (...given) => this.#learning("setWeights", given);
  /** @type {Learning["resetWeights"]} */
  resetWeights = (...given) => this.#learning("resetWeights", given);

  /** What has to do with learning is loaded when it is first asked for. @param {keyof Learning} name @param {any[]} given @returns {Promise<any>} */
  async #learning(name, given) {
    const { learningOf } = await part(import("./learning.js"));
    return /** @type {any} */ (learningOf(this.#engine))[name](...given);
  }

  /**
   * Has the browser keep the machine code of what runs here, when there is time: the next start is quicker. To be called when whatever will
   * serve that start has the files, which are asked for once more; the page does so when its service worker has them. Elsewhere than in
   * Chromium nothing is done.
   * @returns {Promise<void>} when that has begun
   */
  keepMachineCode() {
    return this.#engine.call("keepMachineCode");
  }

  /** Ends the worker and frees its memory. */
  close() {
    this.#engine.close();
  }

  /**
   * @param {"predict" | "debug"} name
   * @param {Source} source
   * @param {{numbers?: boolean, once?: boolean}} [options]
   */
  async #send(name, source, options = {}) {
    const { scale, ...fields } = await readSource(source);
    const transfer = fields.bitmap ? [fields.bitmap] : fields.pixels ? [fields.pixels.buffer] : [];
    const value = await this.#engine.call(name, { ...fields, ...options }, transfer);
    return inSourcePixels(value, scale);
  }
}

/**
 * The answer to a picture that may have been scaled down, its places as in the original.
 * @param {any} value
 * @param {[number, number]} scale
 */
function inSourcePixels(value, scale) {
  if (scale.every((factor) => factor === 1)) return value;
  const grow = (/** @type {number[] | null} */ place) => place && place.map((number, i) => number * scale[i % 2]);
  if (value.found) {
    Object.assign(value.found, { box: grow(value.found.box), centre_of_mass: grow(value.found.centre_of_mass) });
    for (const digit of value.digits) digit.box = grow(digit.box);
  } else {
    const [width, height] = [value.width * scale[0], value.height * scale[1]].map(Math.round);
    Object.assign(value, { width, height, box: grow(value.box), centre_of_mass: grow(value.centre_of_mass) });
  }
  return value;
}

/**
 * The promise, or as soon as the signal comes its reason.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
function withSignal(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
