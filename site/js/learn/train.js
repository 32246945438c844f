/**
 * Training from nothing: the form, the run with its curves, and what came of it. The pad reads with the network as it is right now.
 */

import { busy } from "./busy.js";
import { button, counted, download, duration, explain, grouped, isAbort, loadingWords, make, percent, today } from "./dom.js";
import { Chart, numbersTable, plain, smoothed } from "./curves.js";
import { Form, settingsButton } from "./form.js";
import { networks } from "./networks.js";
import { dataNote, Run } from "./run.js";
import { sensible, FIELDS } from "./settings.js";
import { LAST, runStore } from "./store.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const READ_EVERY = 250; // ms between looks at the drawing with the network as it is

const TRAINING = { label: "training", color: "--ink" };
const VALIDATION = { label: "validation", color: "--accent", dash: [6, 4], dots: true };

/** @param {Record<string, any>} settings */
export const inWords = ({ arch, optimizer, learning_rate: rate, epochs }) => `${arch}, ${optimizer} at ${rate}, ${counted(epochs, "epoch")}`;

export class TrainView {
  #element;
  #say;
  #form = new Form();
  #kept = make("div", { className: "result" });
  #start = button("Train", () => this.start(), { className: "main" });
  #settings = make("details", { open: true }, make("summary", {}, "Settings"), this.#form.element);
  #before = make("div", {}, this.#settings, make("div", { className: "actions" }, this.#start, settingsButton(() => this.#form.settings, download)));
  #what = make("h2", { tabIndex: -1 });
  #pause = button("Pause", () => this.#steer({ action: this.#run?.state === "paused" ? "resume" : "pause" }), { className: "main" });
  #rate = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
  /** What can be done with a run once it has its images. */
  #controls = [this.#pause, button("One step", () => this.#steer({ action: "step" })), button("Stop", () => this.#steer({ action: "stop" }), { title: "and keep what it has learned so far" })];
  #during = make("div", { className: "actions" }, ...this.#controls,
    button("Cancel", () => this.#run?.cancel(), { title: "and go back to the network from before" }), make("label", {}, "Learning rate ", this.#rate));
  #line = make("p", { className: "figures" });
  #loss = new Chart("Loss, by step", [TRAINING, VALIDATION]);
  #accuracy = new Chart("Right, by step", [TRAINING, VALIDATION], { isShare: true });
  #table = numbersTable(["Step", "Epoch", "Loss, training", "Loss, validation", "Right, training", "Right, validation"], () => this.#rows());
  #outcome = make("p", { role: "status", tabIndex: -1 });
  #charts = make("div", { hidden: true }, this.#what, this.#during, this.#line, this.#outcome, make("div", { className: "charts" }, this.#loss.element, this.#accuracy.element), this.#table.element);
  /** @type {Run | null} */ #run = null;
  #lastRead = 0;
  #keeping = 0; // checkpoints on their way to the disk
  element = make("div", {}, this.#kept, this.#before, this.#charts);

  /** @param {DigitRecognizer} element @param {(text: string | null) => void} say */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
    this.#rate.addEventListener("change", () => this.#changeRate());
    this.#form.addEventListener("change", (event) => {
      if (this.element.isConnected) say(/** @type {CustomEvent} */ (event).detail.join(" ") || null); // else it was a link to another view, which tells it itself
    });
    if (this.#form.told.length) say(this.#form.told.join(" "));
    runStore.load().then(() => this.#offerKept());
    for (const source of [networks, busy]) source.addEventListener("change", () => this.#offerKept());
  }

  /** The charts have a width only now. */
  shown() {
    if (this.#run) this.#draw(this.#run);
  }

  /** Trains with the settings of the form. */
  async start() {
    await this.#train(new Run({ ...this.#form.settings }));
  }

  /** @param {Run} run */
  async #train(run) {
    const recognizer = /** @type {any} */ (this.#element.recognizer);
    if (!recognizer) return this.#say("The network is still being loaded. Wait a moment.");
    if (busy.words) return this.#say(busy.words);
    await busy.during("A training is under way. Stop it first.", () => this.#trainNow(run, recognizer));
  }

  /** @param {Run} run @param {any} recognizer */
  async #trainNow(run, recognizer) {
    this.#run = run;
    this.#show(true);
    run.addEventListener("change", () => this.#follow(run));
    networks.watch(run.settings.arch);
    const other = run.hasCheckpoint ? undefined : runStore.get(LAST); // an interrupted run that this one does not go on with
    try {
      this.#say(await dataNote(recognizer));
      await this.#finish(run, await this.#untilItEnds(run));
    } catch (error) {
      networks.watch(null);
      this.#outcome.textContent = isAbort(error) ? "Cancelled: the network from before is back." : explain(error);
      if (isAbort(error)) await (other ? runStore.put(LAST, other) : runStore.remove(LAST));
    } finally {
      this.#show(false);
      this.#element.read();
    }
  }

  /** @param {Run} run */
  #untilItEnds(run) {
    return run.train(this.#element, {
      live: true,
      onCheckpoint: () => this.#keep(run.kept),
      onRevival: () => this.#say(`The recogniser stopped. It is started again, and the training ${run.hasCheckpoint ? "goes on from the last checkpoint" : "begins again"}.`),
    });
  }

  /** @param {KeptRun} kept */
  async #keep(kept) {
    this.#keeping++;
    if (this.#run?.state === "paused") this.#follow(this.#run);
    const warning = await runStore.put(LAST, kept);
    this.#keeping--;
    if (warning) this.#say(warning);
    if (this.#run?.state === "paused") this.#follow(this.#run);
  }

  /** A run that did not come to its end, or whose network has been lost out of sight. */
  #offerKept() {
    const kept = runStore.get(LAST);
    if (!kept || busy.words || (kept.network && kept.network === networks.tried)) return this.#kept.replaceChildren();
    const { network, settings, curves } = kept;
    const step = grouped(curves.steps.at(-1)?.step ?? 0);
    this.#kept.replaceChildren(
      make("p", {}, network ? `A training ended at step ${step}, and its network is not kept: ${inWords(settings)}.` : `A training was interrupted at step ${step}: ${inWords(settings)}.`),
      make("div", { className: "actions" },
        network ? button("Try it again", () => networks.answerWith(network).catch((error) => this.#say(explain(error))), { className: "main" })
          : button("Go on", () => this.#train(new Run(settings, kept)), { className: "main" }),
        button("Forget it", async () => {
          await runStore.remove(LAST);
          this.#kept.replaceChildren();
        })));
  }

  /** @param {Record<string, any>} order */
  async #steer(order) {
    try {
      await this.#run?.steer(this.#element.recognizer, order);
    } catch (error) {
      this.#say(explain(error));
    }
  }

  #changeRate() {
    const field = /** @type {Field} */ (FIELDS.find(({ name }) => name === "learning_rate"));
    const { value, told } = sensible(field, this.#rate.value);
    this.#say(told);
    this.#rate.value = `${value}`;
    this.#steer({ learning_rate: value });
  }

  /** @param {boolean} running */
  #show(running) {
    this.#before.hidden = running;
    this.#during.hidden = !running;
    this.#line.hidden = !running;
    this.#charts.hidden = false;
    if (!running) return this.#outcome.focus({ preventScroll: true }); // the buttons have gone, and the keyboard's focus with them
    this.#settings.open = false;
    this.#outcome.textContent = "";
    const { settings } = /** @type {Run} */ (this.#run);
    this.#what.textContent = inWords(settings);
    this.#rate.value = `${settings.learning_rate}`;
    this.#line.textContent = "Starting";
    this.#draw(/** @type {Run} */ (this.#run));
    this.#enable(false);
    this.#what.focus({ preventScroll: true });
  }

  /** @param {boolean} steerable */
  #enable(steerable) {
    for (const control of [...this.#controls, this.#rate]) control.disabled = !steerable;
  }

  /** @param {Run} run */
  #follow(run) {
    const { latest } = run;
    if (latest.stage !== "training") {
      this.#line.textContent = loadingWords(latest)[0];
      return;
    }
    this.#enable(true);
    this.#pause.textContent = run.state === "paused" ? "Go on" : "Pause";
    const done = `Step ${grouped(latest.step)} of ${grouped(latest.total_steps)}, epoch ${latest.epoch + 1} of ${latest.epochs}`;
    const left = latest.seconds_left === null ? "" : `, ${duration(latest.seconds_left)} left`;
    const pause = this.#keeping ? "pausing" : "paused"; // who reads "paused" may close the tab
    this.#line.textContent = `${done}, ${run.state === "paused" ? pause : `${grouped(Math.round(latest.images_per_second))} images/s${left}`}`;
    this.#draw(run);
    if (performance.now() - this.#lastRead > READ_EVERY && this.#element.source) {
      this.#lastRead = performance.now();
      this.#element.read();
    }
  }

  /** @param {Run} run */
  #draw({ points: { steps, validations } }) {
    for (const [chart, what] of /** @type {[Chart, "loss" | "accuracy"][]} */ ([[this.#loss, "loss"], [this.#accuracy, "accuracy"]])) {
      chart.show([smoothed(steps, what), plain(validations, what)]);
    }
    this.#table.fill();
  }

  #rows() {
    const { steps, validations } = /** @type {Run} */ (this.#run).points;
    const [[, losses], [, shares]] = [smoothed(steps, "loss"), smoothed(steps, "accuracy")];
    return validations.map(({ step, epoch, loss, accuracy }) => {
      const at = steps.findLastIndex((point) => point.step <= step);
      const number = (/** @type {number | null | undefined} */ value) => value?.toFixed(3) ?? "";
      return [grouped(step), `${epoch + 1}`, number(losses[at]), number(loss), at < 0 ? "" : percent(shares[at] ?? 0), percent(accuracy)];
    });
  }

  /** @param {Run} run @param {any} result */
  async #finish(run, result) {
    const { state, message, validation, validation_images: images, parameters, spec, weights, settings, seconds } = result;
    const right = validation ? `${percent(validation.accuracy)} of ${grouped(images)} images that it never trained on are right.` : "";
    this.#outcome.textContent = state === "diverged" ? `${message} What it had learned before is kept below.`
      : `${state === "stopped" ? "Stopped" : "Finished"} after ${duration(seconds)}. ${right} The pad reads with it; keep or drop it below.`;
    const card = {
      name: settings.arch, parameters, architecture: spec, seed: settings.seed, settings, validation_accuracy: validation?.accuracy ?? null, origin: "trained on the page",
      data: { name: "MNIST", images: result.images }, date: today(),
    };
    this.#draw(run);
    const network = { name: settings.arch, npz: weights, card };
    await this.#keep({ network, settings, curves: run.points, time: Date.now() }); // until it is kept or dropped
    await networks.answerWith(network); // another may have been chosen meanwhile
  }
}
