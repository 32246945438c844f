/**
 * A race: the same network, data and seed under up to six optimisers, in one chart, and a sentence on who won and why that is plausible.
 */

import { busy } from "./busy.js";
import { Chart, numbersTable, plain, smoothed } from "./curves.js";
import { button, duration, explain, grouped, isAbort, loadingWords, make, percent } from "./dom.js";
import { keepInAddress, inAddress } from "../address.js";
import { dataNote, Run } from "./run.js";
import { FIELDS, sensible, settingsInAddress, USUAL_RATES } from "./settings.js";
import { verdict } from "./verdict.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const MOST = 6;
const NAMES = Object.keys(USUAL_RATES);
const USUAL = ["sgd", "momentum", "adagrad", "rmsprop", "adam"];
const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [2, 6], [9, 2, 2, 2, 2, 2]];
const RATE = /** @type {Field} */ (FIELDS.find(({ name }) => name === "learning_rate"));

export class RaceView {
  #element;
  #say;
  #what = make("p", { className: "quiet" });
  /** @type {Map<string, {box: HTMLInputElement, rate: HTMLInputElement}>} */ #entries = new Map();
  #start = button("Start the race", () => this.start(), { className: "main" });
  #stop = button("Cancel", () => this.#runs.forEach((run) => run.cancel()), { hidden: true });
  #line = make("p", { className: "figures" });
  #charts = make("div", { className: "charts" });
  #outcome = make("p", { role: "status", className: "verdict" });
  /** @type {Run[]} */ #runs = [];
  /** @type {{loss: Chart, accuracy: Chart, table: ReturnType<typeof numbersTable>} | null} */ #drawn = null;
  element = make("div", {});

  /** @param {DigitRecognizer} element @param {(text: string | null) => void} say */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
    const wanted = (inAddress("race") ?? USUAL.join()).split(",").filter((name) => NAMES.includes(name)).slice(0, MOST);
    const list = make("fieldset", { className: "entries" }, make("legend", {}, `Up to ${MOST} optimisers, each with its learning rate`), ...NAMES.map((name) => this.#entry(name, wanted.includes(name))));
    this.element.append(this.#what, list, make("div", { className: "actions" }, this.#start, this.#stop), this.#line, this.#outcome, this.#charts);
  }

  shown() {
    const { settings, told } = settingsInAddress();
    this.#what.textContent = `All with ${settings.arch}, ${settings.epochs} epochs of ${grouped(settings.images)} images, batches of ${settings.batch_size}, seed ${settings.seed}. That is set under “Train”.`;
    if (told.length) this.#say(told.join(" "));
    if (this.#runs.length) this.#draw();
  }

  /** @param {string} name @param {boolean} checked */
  #entry(name, checked) {
    const box = make("input", { type: "checkbox", checked });
    const rate = make("input", { type: "text", inputMode: "decimal", autocomplete: "off", value: `${USUAL_RATES[name]}`, "aria-label": `Learning rate of ${name}` });
    this.#entries.set(name, { box, rate });
    box.addEventListener("change", () => {
      const chosen = this.#chosen;
      if (chosen.length > MOST) box.checked = false;
      this.#say(chosen.length > MOST ? `At most ${MOST} can race.` : null);
      keepInAddress("race", this.#chosen.join() === USUAL.join() ? null : this.#chosen.join());
    });
    rate.addEventListener("change", () => {
      const { value, told } = sensible({ ...RATE, value: USUAL_RATES[name] }, rate.value);
      rate.value = `${value}`;
      this.#say(told);
    });
    return make("div", {}, make("label", {}, box, ` ${name}`), rate);
  }

  get #chosen() {
    return NAMES.filter((name) => this.#entries.get(name)?.box.checked);
  }

  /** All of them take turns in the worker, a step each. */
  async start() {
    const recognizer = /** @type {any} */ (this.#element.recognizer);
    const names = this.#chosen;
    if (!recognizer) return this.#say("The network is still being loaded. Wait a moment.");
    if (busy.words) return this.#say(busy.words);
    if (names.length < 2) return this.#say("Choose two optimisers at least.");
    await busy.during("A race is under way. Cancel it first.", () => this.#race(recognizer, names));
  }

  /** @param {any} recognizer @param {string[]} names */
  async #race(recognizer, names) {
    const { settings } = settingsInAddress();
    this.#runs = names.map((optimizer) => new Run({ ...settings, optimizer, learning_rate: Number(this.#entries.get(optimizer)?.rate.value) }));
    this.#prepare(names);
    this.#busy(true);
    try {
      this.#say(await dataNote(recognizer));
      await Promise.all(this.#runs.map((run) => {
        run.addEventListener("change", () => this.#follow());
        return run.train(recognizer, { live: false });
      }));
      this.#line.textContent = `${duration(Math.max(...this.#runs.map(({ result }) => result.seconds)))} of training for the slowest.`;
      this.#outcome.textContent = verdict(this.#runs.map(({ settings: { optimizer }, result }) => ({ optimizer, ...result })));
      this.#draw();
    } catch (error) {
      this.#runs.forEach((run) => run.cancel()); // without one of them it is no race
      this.#line.textContent = "";
      this.#say(isAbort(error) ? "The race was called off." : explain(error));
    } finally {
      this.#busy(false);
    }
  }

  /** @param {string[]} names */
  #prepare(names) {
    const lines = names.map((label) => ({ label, color: `--race-${NAMES.indexOf(label)}`, dash: DASHES[NAMES.indexOf(label)] }));
    const table = numbersTable(["Step", ...names.map((name) => `${name}, right`)], () => this.#rows());
    this.#drawn = { loss: new Chart("Loss in training, by step", lines), accuracy: new Chart("Right of images not trained on", lines.map((line) => ({ ...line, dots: true })), { isShare: true }), table };
    this.#charts.replaceChildren(this.#drawn.loss.element, this.#drawn.accuracy.element, table.element);
    this.#outcome.textContent = "";
  }

  #follow() {
    const reports = this.#runs.map(({ latest }) => latest);
    const loading = reports.find((report) => report && report.stage !== "training");
    const running = reports.filter((report) => report?.stage === "training");
    if (running.length) {
      const done = running.reduce((sum, { step }) => sum + step, 0);
      const total = this.#runs.length * running[0].total_steps;
      const left = running.reduce((sum, { seconds_left: seconds }) => sum + seconds, 0);
      this.#line.textContent = `Step ${grouped(done)} of ${grouped(total)} in all, about ${duration(left)} left`;
    } else if (loading) this.#line.textContent = loadingWords(loading)[0];
    this.#draw();
  }

  #draw() {
    if (!this.#drawn) return;
    const { loss, accuracy, table } = this.#drawn;
    loss.show(this.#runs.map(({ points }) => smoothed(points.steps, "loss")));
    accuracy.show(this.#runs.map(({ points }) => plain(points.validations, "accuracy")));
    table.fill();
  }

  #rows() {
    const steps = [...new Set(this.#runs.flatMap(({ points }) => points.validations.map(({ step }) => step)))].sort((a, b) => a - b);
    return steps.map((step) => [grouped(step), ...this.#runs.map(({ points }) => {
      const found = points.validations.find((point) => point.step === step);
      return found ? percent(found.accuracy) : "";
    })]);
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#start.disabled = isBusy;
    this.#stop.hidden = !isBusy;
  }
}
