/**
 * The proof: the network that is in use on all of MNIST's test images, what it takes for what, and its worst mistakes.
 */

import { busy } from "./busy.js";
import { Bar, button, explain, grouped, isAbort, loadingWords, make, percent, thumbnail } from "./dom.js";
import { networks } from "./networks.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const ALL = "mnist-test";
const FEW = "mnist-1000";
const MISTAKES = 24;

export class TestView {
  #element;
  #say;
  #start = button("Test", () => this.start(), { className: "main" });
  #cancel = button("Cancel", () => this.#running?.abort(), { hidden: true });
  #bar = new Bar();
  #result = make("div", { className: "result", tabIndex: -1 });
  /** @type {AbortController | null} */ #running = null;
  element = make("div", {}, make("p", { className: "quiet" }, "MNIST’s test images come from people whose digits no network has learned from."),
    make("div", { className: "actions" }, this.#start, this.#cancel), this.#bar.element, this.#result);

  /** @param {DigitRecognizer} element @param {(text: string | null) => void} say */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
  }

  async shown() {
    const sets = await /** @type {any} */ (this.#element.recognizer)?.dataSets();
    const isSmall = sets && !sets[ALL];
    this.#start.textContent = isSmall ? "Test on 1,000 MNIST images" : "Test on all 10,000 MNIST images";
    if (isSmall) this.#say("This single file carries 1,000 test images; on a server there are all 10,000.");
  }

  async start() {
    const recognizer = /** @type {any} */ (this.#element.recognizer);
    if (!recognizer) return this.#say("The network is still being loaded. Wait a moment.");
    if (busy.words) return this.#say(busy.words);
    await busy.during("The test is under way. Cancel it first.", () => this.#test(recognizer));
  }

  /** @param {any} recognizer */
  async #test(recognizer) {
    this.#running = new AbortController();
    this.#busy(true);
    try {
      const data = (await recognizer.dataSets())[ALL] ? ALL : FEW;
      const onProgress = (/** @type {any} */ progress) => this.#bar.show(...loadingWords(progress));
      const evaluation = await recognizer.evaluate(data, { signal: this.#running.signal, mistakes: MISTAKES, onProgress });
      this.#show(evaluation, data === ALL && !networks.own ? await recognizer.health() : null);
    } catch (error) {
      this.#say(isAbort(error) ? "The test was cancelled." : explain(error));
    } finally {
      this.#running = null;
      this.#busy(false);
    }
  }

  /** @param {any} evaluation @param {Health | null} health of a shipped network: the desktop has counted, too */
  #show({ n, right, accuracy, confusion, mistakes }, health) {
    const known = health?.model.mnist_test_accuracy ?? null;
    const onDesktop = known === null ? null : Math.round(known * n);
    const alike = onDesktop === null ? "" : onDesktop === right ? " On the desktop these weights had exactly as many." : ` On the desktop these weights had ${grouped(onDesktop)}.`;
    this.#result.replaceChildren(
      make("h2", {}, `${grouped(right)} of ${grouped(n)} right, ${percent(accuracy, 2)}`),
      make("p", { className: "quiet" }, alike.trim()),
      make("h3", {}, "What it takes for what"), confusionTable(confusion),
      make("h3", {}, mistakes.length ? "The mistakes of which it is surest" : "There is no mistake"),
      make("ul", { className: "samples" }, ...mistakes.map(mistakeItem)),
    );
    this.#result.focus({ preventScroll: true });
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#start.disabled = isBusy;
    this.#cancel.hidden = !isBusy;
    if (isBusy) this.#say(null);
    else this.#bar.hide();
  }
}

/** Rows are the truth, columns the answers; the more wrong answers, the darker. @param {number[][]} confusion */
function confusionTable(confusion) {
  const most = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)));
  const digits = confusion.map((_, digit) => digit);
  const head = make("tr", {}, make("td", {}, "is"), ...digits.map((digit) => make("th", { scope: "col" }, `${digit}`)));
  const rows = confusion.map((row, truth) => make("tr", {}, make("th", { scope: "row" }, `${truth}`), ...row.map((count, answer) => {
    const cell = make("td", truth === answer ? { className: "right" } : {}, count ? `${count}` : "");
    if (truth !== answer && count) cell.style.setProperty("--share", `${Math.round(10 + (60 * count) / most)}%`);
    return cell;
  })));
  const caption = make("caption", {}, "Each row is a digit, each column what it was taken for");
  return make("div", { className: "scrolls", tabIndex: 0, role: "region", "aria-label": "Confusion matrix" }, make("table", { className: "confusion" }, caption, make("thead", {}, head), make("tbody", {}, ...rows)));
}

/** @param {{index: number, label: number, answer: number, confidence: number, image: Uint8Array}} mistake */
function mistakeItem({ index, label, answer, confidence, image }) {
  const words = `${label} taken for ${answer}`;
  return make("li", { title: `Test image ${index}` }, thumbnail(image), make("span", {}, words), make("small", {}, percent(confidence)));
}
