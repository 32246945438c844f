/**
 * What the network thinks, in words: the numeral, how sure it is, what else it might be, how long it took, and the same
 * spoken for those who do not see it.
 */

/** @typedef {import("./inkling.js").Prediction} Prediction */

/** Below this, or with a rival above RIVAL, the second guess is named. */
const SURE = 0.75;
const RIVAL = 0.2;
/** An answer that takes longer than this many milliseconds is said to be on its way. */
const LONG = 400;
/** Milliseconds without a new stroke before the answer is spoken: a 7 with a bar is two strokes. */
const PAUSE = 700;

/** @type {Record<string, string>} */
const REASONS = {
  "empty": "Nothing to read",
  "too-small": "Too small to read",
  "not-a-digit": "Not a digit?",
  "several": "More than one digit?",
};

/** The digit that comes second. @param {Prediction} prediction */
function rival({ probabilities, digit }) {
  let second = -1;
  probabilities.forEach((p, d) => {
    if (d !== digit && (second < 0 || p > probabilities[second])) second = d;
  });
  return { digit: second, probability: probabilities[second] };
}

/** Never "100.0%" for what is not quite certain. @param {number} confidence */
function percent(confidence) {
  return confidence > 0.9995 ? ">99.9%" : `${(100 * confidence).toFixed(1)}%`;
}

/** @param {Prediction} prediction */
function doubtOf(prediction) {
  if (prediction.reason !== null) return REASONS[prediction.reason] ?? "Not sure";
  const second = rival(prediction);
  if (prediction.confidence >= SURE && second.probability <= RIVAL) return "";
  return `or ${second.digit === 8 ? "an" : "a"} ${second.digit}?`;
}

export class Answer {
  #parts;
  #slow = 0;
  #speech = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`.${name}`));
    this.#parts = {
      root, prediction: part("prediction"), confidence: part("confidence"), doubt: part("doubt"), time: part("time"), spoken: part("spoken"),
    };
    this.show(null);
  }

  /** Whether the answer still belongs to older ink. @param {boolean} busy */
  set busy(busy) {
    this.#parts.prediction.setAttribute("aria-busy", String(busy));
    if (busy) this.#slow ||= window.setTimeout(() => this.#parts.root.toggleAttribute("data-slow", true), LONG);
    else this.#arrived();
  }

  get busy() {
    return this.#parts.prediction.getAttribute("aria-busy") === "true";
  }

  /** There is a drawing, but nobody to read it yet. @param {string} words */
  wait(words) {
    this.show(null);
    this.busy = true;
    this.#parts.root.dataset.answer = "waiting";
    this.#parts.doubt.textContent = words;
  }

  /** @param {Prediction | null} prediction null: nothing drawn */
  show(prediction) {
    const { root, confidence, doubt, time } = this.#parts;
    /** Equal text set again would have the page laid out again, at every answer. @type {(part: HTMLElement, text: string) => void} */
    const write = (part, text) => {
      if (part.textContent !== text) part.textContent = text;
    };
    const text = prediction?.text ?? "";
    const unsure = prediction ? doubtOf(prediction) : "";
    root.dataset.answer = !prediction ? "none" : unsure ? "unsure" : "sure";
    root.dataset.length = `${text.length}`;
    write(this.#parts.prediction, text);
    write(confidence, prediction && prediction.digit !== null ? percent(prediction.confidence) : "");
    write(doubt, unsure);
    write(time, prediction ? `${prediction.ms.total.toFixed(1)} ms` : "");
    if (!prediction) this.#say("");
    // While the hand draws on, the newest answer is always still to come; none is late as long as some arrive.
    this.#arrived();
    if (this.busy) this.busy = true;
  }

  /** Say the answer once the hand rests. @param {Prediction} prediction */
  speak(prediction) {
    clearTimeout(this.#speech);
    const certainty = `${Math.round(100 * prediction.confidence)} percent`;
    const words = [prediction.text, prediction.digit === null ? "" : certainty, doubtOf(prediction)];
    this.#speech = window.setTimeout(() => this.#say(words.filter(Boolean).join(", ")), PAUSE);
  }

  /** Drawing goes on: what was about to be said is out of date. */
  hush() {
    clearTimeout(this.#speech);
  }

  #arrived() {
    clearTimeout(this.#slow);
    this.#slow = 0;
    this.#parts.root.toggleAttribute("data-slow", false);
  }

  /** @param {string} words */
  #say(words) {
    this.hush();
    this.#parts.spoken.textContent = words;
  }
}
