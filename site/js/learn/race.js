/**
 * A race: the same network, data and seed under up to six optimisers, in one chart, and a sentence on who won and why that is plausible.
 */

import { busy } from "./busy.js";
import { Chart, numbersTable, plain, smoothed } from "./curves.js";
import { button, duration, explain, grouped, isAbort, loadingWords, make, percent } from "./dom.js";
import { Entrants, NAMES } from "./entrants.js";
import { keepInRace, keepRace, keptRace } from "./race-store.js";
import { dataNote, Run } from "./run.js";
import { settingsInAddress } from "./settings.js";
import { runStore } from "./store.js";
import { verdict } from "./verdict.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [2, 6], [9, 2, 2, 2, 2, 2]];

export class RaceView {
  #element;
  #say;
  #entrants;
  #kept = make("div", { className: "result" });
  #what = make("p", { className: "quiet" });
  #start = button("Start the race", () => this.start(), { className: "main" });
  #stop = button("Cancel", () => this.#runs.forEach((run) => run.cancel()), { hidden: true });
  #line = make("p", { className: "figures" });
  #charts = make("div", { className: "charts" });
  #outcome = make("p", { role: "status", className: "verdict" });
  /** @type {Run[]} */ #runs = [];
  #isKept = false; // what there is of this race
  /** @type {{loss: Chart, accuracy: Chart, table: ReturnType<typeof numbersTable>} | null} */ #drawn = null;
  element = make("div", {});

  /** @param {DigitRecognizer} element @param {(text: string | null) => void} say */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
    this.#entrants = new Entrants(say);
    this.element.append(this.#kept, this.#what, this.#entrants.element, make("div", { className: "actions" }, this.#start, this.#stop), this.#line, this.#outcome, this.#charts);
    addEventListener("hashchange", () => this.element.isConnected && this.#read(), { capture: true }); // before the form of “Train” puts the address right
    runStore.load().then(() => this.#offerKept());
    busy.addEventListener("change", () => this.#offerKept());
  }

  shown() {
    this.#read();
    if (this.#runs.length) this.#draw();
  }

  /** The race that the address names. */
  #read() {
    const { settings, told } = settingsInAddress();
    this.#what.textContent = `All with ${settings.arch}, ${settings.epochs} epochs of ${grouped(settings.images)} images, batches of ${settings.batch_size}, seed ${settings.seed}. That is set under “Train”.`;
    told.push(...this.#entrants.read());
    if (told.length) this.#say(told.join(" "));
  }

  /** All of them take turns in the worker, a step each. */
  async start() {
    const { settings } = settingsInAddress();
    const runs = [...this.#entrants.rates].map(([optimizer, rate]) => new Run({ ...settings, optimizer, learning_rate: rate }));
    if (runs.length < 2) return this.#say("Choose two optimisers at least.");
    await this.#race(runs);
  }

  /** A race that did not come to its end: a closed tab, or a worker that could not be replaced. */
  #offerKept() {
    const kept = keptRace();
    if (!kept.length || busy.words) return this.#kept.replaceChildren();
    const runs = kept.map((entry) => new Run(entry.settings, entry));
    const standings = runs.map(({ settings: { optimizer }, result, step }) => `${optimizer} ${result ? "was through" : `at step ${grouped(step)}`}`);
    this.#kept.replaceChildren(
      make("p", {}, `A race with ${runs[0].settings.arch} was interrupted: ${standings.join(", ")}.`),
      make("div", { className: "actions" },
        button("Go on", () => this.#race(runs, { isAnew: false }), { className: "main" }),
        button("Forget it", async () => {
          await keepRace([]);
          this.#kept.replaceChildren();
        })));
  }

  /** @param {Run[]} runs @param {{isAnew?: boolean}} [options] isAnew: it is not the one that is remembered */
  async #race(runs, { isAnew = true } = {}) {
    const recognizer = /** @type {any} */ (this.#element.recognizer);
    if (!recognizer) return this.#say("The network is still being loaded. Wait a moment.");
    if (busy.words) return this.#say(busy.words);
    this.#isKept = !isAnew;
    await busy.during("A race is under way. Cancel it first.", () => this.#raceNow(runs, recognizer, isAnew ? keptRace() : []));
  }

  /** @param {Run[]} runs @param {any} recognizer @param {KeptRun[]} other race, which is remembered if this one is called off */
  async #raceNow(runs, recognizer, other) {
    this.#runs = runs;
    this.#prepare(runs.map(({ settings }) => settings.optimizer));
    this.#busy(true);
    try {
      this.#say(await dataNote(recognizer));
      await Promise.all(runs.filter(({ result }) => !result).map((run) => this.#train(run)));
      this.#line.textContent = `${duration(Math.max(...runs.map(({ result }) => result.seconds)))} of training for the slowest.`;
      this.#outcome.textContent = verdict(runs.map(({ settings: { optimizer }, result }) => ({ optimizer, ...result })));
      this.#draw();
      await keepRace([]);
    } catch (error) {
      runs.forEach((run) => run.cancel()); // without one of them it is no race
      this.#line.textContent = "";
      this.#say(isAbort(error) ? "The race was called off." : explain(error));
      if (isAbort(error)) await keepRace(other);
    } finally {
      this.#busy(false);
    }
  }

  /** @param {Run} run */
  async #train(run) {
    run.addEventListener("change", () => this.#follow());
    await run.train(this.#element, {
      live: false,
      onCheckpoint: () => this.#keep(run),
      onRevival: () => this.#say("The recogniser stopped. It is started again, and the race goes on from the last checkpoints."),
    });
    await this.#keep(run);
  }

  /** At first all are kept, so that whoever comes back finds who raced. @param {Run} run */
  async #keep(run) {
    const isFirst = !this.#isKept;
    this.#isKept = true;
    const warning = await (isFirst ? keepRace(this.#runs.map(({ kept }) => kept)) : keepInRace([run.kept]));
    if (warning) this.#say(warning);
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
      const done = this.#runs.reduce((sum, { step }) => sum + step, 0);
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
