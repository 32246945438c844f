/**
 * Brings the recogniser in and stays with it. The module is fetched only now: the pad must not wait for the engine.
 */

import { part } from "./errors.js";

/** @typedef {import("./inkling.js").Recognizer} Recognizer */
/** @typedef {() => Promise<Pick<typeof import("./inkling.js"), "createRecognizer">>} Door fetches the module that makes recognisers */

/** Events: "ready", "restart" (after it died), "error" (detail: what went wrong; there is no recogniser any more). */
export class Loader extends EventTarget {
  #door;
  /** @type {Recognizer | null} */ recognizer = null;
  /** @type {Preparation | undefined} */ preparation;

  /** Ends with the time of the present recogniser, or of the one that is on its way. */
  #term = new AbortController();

  /** @param {Door} door */
  constructor(door) {
    super();
    this.#door = door;
  }

  /**
   * Make one.
   * @param {() => string | undefined} model names the network that is wanted; it may change while another is being loaded
   * @param {(progress: BootProgress) => void} onProgress
   */
  async load(model, onProgress) {
    this.leave();
    const { signal } = this.#term;
    try {
      const recognizer = await loadRecognizer(this.#door, model, onProgress, signal, async (made) => (await this.preparation)?.(made));
      if (!signal.aborted) this.#watch(recognizer);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** Take one that is there already. It is never closed here. @param {Recognizer} recognizer */
  take(recognizer) {
    this.leave();
    this.#watch(recognizer);
  }

  /** Be without one; what was made here is closed, also while it is being loaded. */
  leave() {
    this.#term.abort();
    this.#term = new AbortController();
    this.recognizer = null;
  }

  /** @param {Recognizer} recognizer */
  #watch(recognizer) {
    const { signal } = this.#term;
    this.recognizer = recognizer;
    recognizer.addEventListener("restart", () => this.dispatchEvent(new Event("restart")), { signal });
    recognizer.addEventListener("error", (event) => this.#fail(/** @type {CustomEvent} */ (event).detail), { signal });
    this.dispatchEvent(new Event("ready"));
  }

  /** @param {unknown} detail */
  #fail(detail) {
    this.leave();
    this.dispatchEvent(new CustomEvent("error", { detail }));
  }
}

/**
 * @param {Door} door
 * @param {() => string | undefined} model
 * @param {(progress: BootProgress) => void} onProgress
 * @param {AbortSignal} signal
 * @param {(recognizer: Recognizer) => Promise<unknown>} prepare
 * @returns {Promise<Recognizer>}
 */
async function loadRecognizer(door, model, onProgress, signal, prepare) {
  const { createRecognizer } = await part(door());
  const first = model();
  const recognizer = await createRecognizer({ model: first, onProgress, signal });
  await Promise.race([prepare(recognizer), new Promise((_, reject) => {
    recognizer.addEventListener("error", (event) => reject(/** @type {CustomEvent} */ (event).detail), { signal });
  })]);
  const wanted = model();
  if (wanted && wanted !== first) await recognizer.useModel(wanted);
  return recognizer;
}
