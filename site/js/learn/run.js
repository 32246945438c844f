/**
 * One training run, whatever is made of it: a single one on the page or a competitor of a race.
 *
 * Event: "change", after each report and when it ends.
 */

import { append } from "./curves.js";

/** @returns {CurvePoints} */
const noPoints = () => ({ steps: [], validations: [] });

export class Run extends EventTarget {
  /** @type {"starting" | "running" | "paused" | "finished" | "stopped" | "diverged" | "failed"} */ state = "starting";
  /** @type {any} the latest report */ latest = null;
  /** @type {any} */ result = null;
  settings;
  points;
  /** @type {number | null} of its latest part, in the worker */ #id = null;
  #cancelling = new AbortController();

  /** @param {Record<string, any>} settings @param {CurvePoints} [points] of its first part, if it goes on */
  constructor(settings, points = noPoints()) {
    super();
    this.settings = settings;
    this.points = points;
  }

  /**
   * @param {any} recognizer
   * @param {{live: boolean, resume?: Uint8Array, onCheckpoint?: (checkpoint: Uint8Array) => void}} options
   * @returns {Promise<any>} its result; rejects with an AbortError when it was cancelled
   */
  async train(recognizer, { live, resume, onCheckpoint }) {
    this.state = "starting";
    const onProgress = (/** @type {any} */ progress) => this.#hear(progress);
    const options = { live, data: await dataFor(recognizer), onProgress, signal: this.#cancelling.signal, ...(resume ? { resume } : {}), ...(onCheckpoint ? { onCheckpoint } : {}) };
    try {
      this.result = await recognizer.train(this.settings, options);
      this.state = this.result.state;
    } catch (error) {
      this.state = "failed";
      throw error;
    }
    this.dispatchEvent(new Event("change"));
    return this.result;
  }

  /** What is to be done with it, and with no other run. @param {any} recognizer @param {Record<string, any>} order */
  async steer(recognizer, order) {
    if (recognizer && this.#id !== null) await recognizer.steer({ ...order, run: this.#id });
  }

  /** Ends it, and leaves nothing of it. */
  cancel() {
    this.#cancelling.abort();
  }

  /** @param {any} progress */
  #hear(progress) {
    this.latest = progress;
    if (progress.stage === "training") {
      this.state = progress.state;
      this.#id = progress.run;
      const [first] = progress.steps;
      if (first) this.#cutAt(first.step); // it goes on from a checkpoint: what came after that is trained again
      append(this.points, progress);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} step */
  #cutAt(step) {
    const { steps, validations } = this.points;
    if (steps.length && steps[steps.length - 1].step >= step) {
      this.points = { steps: steps.filter((point) => point.step < step), validations: validations.filter((point) => point.step < step) };
    }
  }
}

/** What there is to train with: the single file has only the second. @param {any} recognizer */
const dataFor = async (recognizer) => ((await recognizer.dataSets())["mnist-train"] ? "mnist-train" : "rehearsal");

/** What is to be said of the data, or null. @param {any} recognizer */
export async function dataNote(recognizer) {
  if ((await dataFor(recognizer)) === "mnist-train") return null;
  return "This single file carries some 4,000 images of digits to train with; on a server there are 10,000.";
}
