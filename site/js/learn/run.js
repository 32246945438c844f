/**
 * One training run, whatever is made of it: a single one on the page or a competitor of a race.
 *
 * Event: "change", after each report and when it ends.
 */

import { append } from "./curves.js";

/** @returns {CurvePoints} */
const noPoints = () => ({ steps: [], validations: [] });

/** What there is to train with, and how many of its images are kept for validation. The single file has only the second. */
const VALIDATION = { "mnist-train": 1000, rehearsal: 410 };

export class Run extends EventTarget {
  /** @type {"starting" | "running" | "paused" | "finished" | "stopped" | "diverged" | "failed"} */ state = "starting";
  /** @type {any} the latest report */ latest = null;
  /** @type {any} */ result = null;
  settings;
  points;
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

  /** Ends it, and leaves nothing of it. */
  cancel() {
    this.#cancelling.abort();
  }

  /** @param {any} progress */
  #hear(progress) {
    this.latest = progress;
    if (progress.stage === "training") {
      this.state = progress.state;
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

/** @param {any} recognizer @returns {Promise<keyof typeof VALIDATION>} */
const dataFor = async (recognizer) => ((await recognizer.dataSets())["mnist-train"] ? "mnist-train" : "rehearsal");

/** On how many images a run is measured. @param {any} recognizer */
export const validationImages = async (recognizer) => VALIDATION[await dataFor(recognizer)];

/** What is to be said of the data, or null. @param {any} recognizer */
export async function dataNote(recognizer) {
  if ((await dataFor(recognizer)) === "mnist-train") return null;
  return "This single file carries some 4,000 images of digits to train with; on a server there are 10,000.";
}
