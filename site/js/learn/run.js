/**
 * One training run, whatever is made of it: a single one on the page or a competitor of a race.
 *
 * Event: "change", after each report and when it ends.
 */

import { append } from "./curves.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

/** @returns {CurvePoints} */
const noPoints = () => ({ steps: [], validations: [] });

const REVIVALS = 3; // of a run whose worker died

/** The points as they are by now. @param {CurvePoints} points @returns {CurvePoints} */
const copied = ({ steps, validations }) => ({ steps: [...steps], validations: [...validations] });

export class Run extends EventTarget {
  /** @type {"starting" | "running" | "paused" | "finished" | "stopped" | "diverged" | "failed"} */ state = "starting";
  /** @type {any} the latest report */ latest = null;
  /** @type {any} */ result = null;
  settings;
  points;
  /** @type {number | null} of its latest part, in the worker */ #id = null;
  /** @type {{checkpoint?: Uint8Array, curves: CurvePoints}} the last checkpoint, and the points up to it */ #saved;
  #cancelling = new AbortController();

  /** @param {Record<string, any>} settings @param {Partial<KeptRun>} [kept] of its first part, if it goes on */
  constructor(settings, { curves = noPoints(), checkpoint, result } = {}) {
    super();
    this.settings = settings;
    this.points = curves;
    this.#saved = { checkpoint, curves: copied(curves) };
    if (result) [this.result, this.state] = [result, result.state];
  }

  /** What there is to keep of it, for another day. @returns {KeptRun} */
  get kept() {
    const { settings, points, result } = this;
    return { settings, time: Date.now(), ...(result ? { result: { ...result, weights: undefined }, curves: copied(points) } : this.#saved) };
  }

  /** Whether it can go on from somewhere. */
  get hasCheckpoint() {
    return this.#saved.checkpoint !== undefined;
  }

  /** How many steps are done. @returns {number} */
  get step() {
    return this.result?.step ?? this.latest?.step ?? this.points.steps.at(-1)?.step ?? 0;
  }

  /**
   * Trains it to its end. A worker that dies on the way is replaced, and the run goes on from its last checkpoint; before there is
   * one it begins again, to the same end: it has its own seed.
   * @param {DigitRecognizer} element
   * @param {{live: boolean, onCheckpoint: () => void, onRevival: () => void}} options
   * @returns {Promise<any>} its result; rejects with an AbortError when it was cancelled
   */
  async train(element, { live, onCheckpoint, onRevival }) {
    for (let revivals = 0; ; revivals++) {
      try {
        return await this.#train(element.recognizer, live, onCheckpoint);
      } catch (error) {
        this.state = "failed";
        if (/** @type {Error} */ (error).name !== "WorkerError" || revivals >= REVIVALS) throw error;
        onRevival();
        await restarted(element);
      }
    }
  }

  /** @param {any} recognizer @param {boolean} live @param {() => void} onCheckpoint */
  async #train(recognizer, live, onCheckpoint) {
    this.state = "starting";
    const { checkpoint: resume } = this.#saved;
    this.result = await recognizer.train(this.settings, {
      live, data: await dataFor(recognizer), signal: this.#cancelling.signal, ...(resume ? { resume } : {}),
      onProgress: (/** @type {any} */ progress) => this.#hear(progress),
      onCheckpoint: (/** @type {Uint8Array} */ checkpoint) => {
        this.#saved = { checkpoint, curves: copied(this.points) };
        onCheckpoint();
      },
    });
    this.state = this.result.state;
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

/** As soon as another worker answers. @param {DigitRecognizer} element */
function restarted(element) {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const { signal } = settled;
    element.addEventListener("ready", () => (settled.abort(), resolve(null)), { signal });
    element.addEventListener("error", (event) => (settled.abort(), reject(/** @type {any} */ (event).detail)), { signal });
  });
}

/** What there is to train with: the single file has only the second. @param {any} recognizer */
const dataFor = async (recognizer) => ((await recognizer.dataSets())["mnist-train"] ? "mnist-train" : "rehearsal");

/** What is to be said of the data, or null. @param {any} recognizer */
export async function dataNote(recognizer) {
  if ((await dataFor(recognizer)) === "mnist-train") return null;
  return "This single file carries some 4,000 images of digits to train with; on a server there are 10,000.";
}
