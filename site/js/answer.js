/**
 * What the network thinks, in words: the numeral, how sure it is, what else it might be, how long it took, and the same
 * spoken for those who do not see it.
 *
 * Event: "number", the person wants several digits read as a number.
 */

import { wordsFor } from "./words.js";

/** An answer that takes longer than this many milliseconds is said to be on its way. */
const LONG = 400;
/** Milliseconds without a new stroke before the answer is spoken: a 7 with a bar is two strokes. */
const PAUSE = 700;

/** Equal text set again would have the page laid out again, at every answer. @type {(part: HTMLElement, text: string) => void} */
const write = (part, text) => {
  if (part.textContent !== text) part.textContent = text;
};

export class Answer extends EventTarget {
  #parts;
  #t;
  #slow = 0;
  #speech = 0;

  /** @param {HTMLElement} root @param {Translate} t */
  constructor(root, t) {
    super();
    this.#t = t;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`.${name}`));
    this.#parts = {
      root, prediction: part("prediction"), confidence: part("confidence"), doubt: part("doubt"), guess: part("guess"),
      offer: part("offer"), time: part("time"), spoken: part("spoken"), caption: part("caption"),
    };
    this.#parts.offer.addEventListener("click", () => {
      root.focus({ preventScroll: true }); // the button is about to go, and the keyboard's focus with it
      this.dispatchEvent(new Event("number"));
    });
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
    this.#parts.doubt.textContent = this.#t(words);
  }

  /** @param {Prediction | null} prediction null: nothing drawn */
  show(prediction) {
    const { root, confidence, doubt, guess, offer, time, caption } = this.#parts;
    const t = this.#t;
    const words = wordsFor(prediction, t);
    root.dataset.answer = words.state;
    root.toggleAttribute("data-number", words.text.length > 1);
    root.style.setProperty("--length", `${words.text.length}`);
    write(this.#parts.prediction, words.text);
    write(confidence, words.confidence);
    write(doubt, words.doubt);
    write(guess, words.guess);
    write(time, prediction ? `${t.decimal(prediction.ms.total)} ms` : "");
    write(caption, t(words.text.length > 1 ? "The last digit, as the network sees it" : "What the network sees, 28 × 28"));
    offer.hidden = !words.several;
    if (!prediction) this.#say("");
    // While the hand draws on, the newest answer is always still to come; none is late as long as some arrive.
    this.#arrived();
    if (this.busy) this.busy = true;
  }

  /** Say the answer once the hand rests. @param {Prediction} prediction */
  speak(prediction) {
    clearTimeout(this.#speech);
    this.#speech = window.setTimeout(() => this.#say(wordsFor(prediction, this.#t).spoken), PAUSE);
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
