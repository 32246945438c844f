/**
 * From what lies on the pad to the answer on the page: asks the recogniser, passes over answers that come too late, and
 * shows the others in words, bars, boxes and as the 28 x 28 image.
 *
 * Events: "answer" (`prediction` is a new one), "refused" (detail: {message, source}, which could not be read), "number" (the
 * person wants several digits read as a number).
 */

import { Answer } from "./answer.js";
import { Bars } from "./bars.js";
import { Preview } from "./preview.js";

/** @typedef {import("./inkling.js").Recognizer} Recognizer */

export class Reading extends EventTarget {
  #answer;
  #bars;
  #boxes;
  #preview;
  #picture;
  #numbers = false;
  /** @type {Prediction | null} */ #prediction = null;
  /** Readings asked for so far, and the first that still counts: the pad may have been cleared since. */
  #turn = 0;
  #first = 0;

  /** @param {ParentNode} root @param {Translate} t */
  constructor(root, t) {
    super();
    const part = (/** @type {string} */ selector) => /** @type {any} */ (root.querySelector(selector));
    this.#answer = new Answer(part(".answer"), t);
    this.#bars = new Bars(part(".bars"), t);
    this.#boxes = /** @type {HTMLElement} */ (part(".boxes"));
    this.#preview = new Preview(part("canvas.preview"));
    this.#picture = /** @type {HTMLImageElement} */ (part("img.picture"));
    this.#answer.addEventListener("number", () => this.dispatchEvent(new Event("number")));
  }

  /** Whether whole numbers are read, not single digits. */
  get numbers() {
    return this.#numbers;
  }

  set numbers(numbers) {
    this.#numbers = numbers;
    this.#boxes.replaceChildren();
  }

  /** The newest answer, null on a bare pad. */
  get prediction() {
    return this.#prediction;
  }

  /** Whether the answer still belongs to older ink. */
  get busy() {
    return this.#answer.busy;
  }

  /** The ink has changed. Before it is read again, an older answer may still come in. */
  outdate() {
    this.#turn++;
    this.#answer.busy = true;
  }

  /** Drawing goes on: what was about to be said is out of date. */
  hush() {
    this.#answer.hush();
  }

  /** The hand rests: say the answer to those who do not see it. */
  speak() {
    if (this.#prediction) this.#answer.speak(this.#prediction);
  }

  /** Draw again in the colours of now. */
  repaint() {
    this.#preview.repaint();
  }

  /**
   * @param {Blob | Ink | null} source null: nothing drawn
   * @param {Recognizer | null} recognizer
   * @param {string} excuse what to say while there is nobody who reads
   * @param {boolean} drawing whether the hand still draws: then a quick answer is worth more than a second look
   */
  async read(source, recognizer, excuse, drawing) {
    const turn = ++this.#turn;
    const { numbers } = this;
    if (!source || source instanceof Blob) this.#first = turn;
    if (!source) return this.#show(null, true);
    if (!recognizer) {
      this.#prediction = null;
      this.#boxes.replaceChildren();
      return this.#answer.wait(excuse);
    }
    this.#answer.busy = true;
    try {
      const boxes = numbers ? import("./boxes.js").catch(() => null) : null; // a number is read without them, too
      const asked = recognizer.predict(source, { numbers, once: drawing });
      setTimeout(() => this.#preview.prepare()); // while the answer is being computed
      const prediction = await asked;
      if (turn < this.#first) return;
      const size = source instanceof Blob ? { width: this.#picture.naturalWidth, height: this.#picture.naturalHeight } : source;
      this.#show(prediction, turn === this.#turn);
      if (this.numbers) boxes?.then((module) => prediction === this.#prediction && module?.showBoxes(this.#boxes, prediction.digits, size));
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      if (name === "AbortError" || turn !== this.#turn) return; // a newer drawing is on its way
      const died = name === "WorkerError"; // a new one is being started: "restart" or "error" follows
      if (died && !(source instanceof Blob)) return;
      this.#answer.busy = false;
      // Read again, a picture that is too much for this device would only end the next worker too.
      const refused = { message: died ? "This picture could not be read here." : message, source };
      this.dispatchEvent(new CustomEvent("refused", { detail: refused }));
    }
  }

  /** @param {Prediction | null} prediction @param {boolean} newest whether it belongs to the ink as it is now */
  #show(prediction, newest) {
    this.#prediction = prediction;
    if (!prediction) this.#boxes.replaceChildren();
    this.#answer.show(prediction);
    this.#bars.show(prediction && prediction.digit !== null ? prediction.probabilities : null, prediction?.accepted ? prediction.digit : null);
    this.#preview.show(prediction?.image ?? null);
    if (newest) this.#answer.busy = false;
    this.dispatchEvent(new Event("answer"));
  }
}
