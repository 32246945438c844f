/**
 * My digits: the drawings that were corrected, and learning from them. What it was worth is shown before it is kept.
 */

import { prepareWhenIdle } from "./ahead.js";
import { busy } from "./busy.js";
import { Bar, button, counted, download, explain, fileButton, isAbort, loadingWords, make, percent, thumbnail, today } from "./dom.js";
import { networks } from "./networks.js";
import { pickDigit } from "./picker.js";
import { dataOf, samples, split } from "./samples.js";

/** @typedef {import("../digit-recognizer.js").DigitRecognizer} DigitRecognizer */

const CHECK = "mnist-1000"; // what must not be forgotten
const NUMBERED = / \+ mine \d+ \+ mine$/; // what has learned from drawings before, and was the second of its name

export class MineView {
  #element;
  #say;
  #count = make("h2", {});
  #grid = make("ul", { className: "samples" });
  #learn = button("Learn from my digits", () => this.learn(), { className: "main" });
  #cancel = button("Cancel", () => this.#running?.abort(), { hidden: true });
  #bar = new Bar();
  #result = make("div", { className: "result", tabIndex: -1 });
  #files = make("div", { className: "actions" });
  /** @type {AbortController | null} */ #running = null;
  /** @type {OwnNetwork | null} to be kept or dropped */ #offered = null;
  /** The last evaluation on CHECK, and of which network: the one after is the next one before. */
  #known = { of: /** @type {unknown} */ (null), evaluation: /** @type {any} */ (null) };
  element = make("div", {}, this.#count, this.#grid, make("div", { className: "actions" }, this.#learn, this.#cancel), this.#bar.element, this.#result, this.#files);

  /** @param {DigitRecognizer} element @param {(text: string | null) => void} say */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
    samples.addEventListener("change", () => this.#render());
    samples.load().then(() => this.#render());
    networks.addEventListener("change", () => {
      if (networks.tried !== this.#offered) this.#result.replaceChildren(); // it was decided elsewhere, or another has come
    });
    busy.addEventListener("change", () => {
      for (const control of this.#result.querySelectorAll("button")) control.disabled = busy.words !== null;
    });
  }

  /** The panel shows it. */
  async shown() {
    await samples.load();
    prepareWhenIdle(this.#element);
  }

  #render() {
    const { list } = samples;
    this.#count.textContent = list.length ? counted(list.length, "drawing") : "No drawings yet";
    this.#grid.replaceChildren(...(list.length ? list.map((sample) => this.#item(sample)) : [make("li", { className: "quiet" },
      "Draw a digit. Where the network is wrong, press “No, it’s a …” and then the right one. Some drawings of the same digit are better than one.")]));
    this.#learn.hidden = !list.length;
    this.#files.replaceChildren(
      ...(list.length ? [button("Download the drawings", () => download(samples.toText(), "my-digits.json", "application/json"))] : []),
      fileButton("Load drawings", ".json", (file) => this.#load(file)),
      ...(list.length ? [this.#deleteAll(list)] : []),
    );
    if (samples.warning) this.#say(samples.warning);
  }

  /** @param {Sample} sample */
  #item({ id, image, label, answer }) {
    const taken = answer === null || answer === label ? "" : `, was taken for ${answer}`;
    const item = make("li", {});
    const opener = button("", async () => {
      const choice = await pickDigit(item, { label: "Which digit is it?", chosen: label, extra: "Delete" });
      if (choice === "extra") await samples.remove([id]);
      else if (choice !== null && choice !== label) await samples.relabel(id, choice);
    }, { "aria-label": `Drawing of ${label}${taken}: change or delete` });
    opener.append(thumbnail(image), make("span", {}, `${label}`));
    item.append(opener);
    return item;
  }

  /** Asks once more, in its own place. @param {Sample[]} list */
  #deleteAll(list) {
    const opener = button("Delete all", () => {
      if (opener.dataset.sure) return samples.remove(list.map(({ id }) => id));
      opener.dataset.sure = "yes";
      opener.textContent = `Really delete ${counted(list.length, "drawing")}?`;
    });
    opener.addEventListener("blur", () => {
      delete opener.dataset.sure;
      opener.textContent = "Delete all";
    });
    return opener;
  }

  /** @param {File} file */
  async #load(file) {
    try {
      const added = await samples.addText(await file.text());
      this.#say(`${counted(added, "new drawing")} out of ${file.name}.`);
    } catch (error) {
      this.#say(`${file.name}: ${explain(error)}`);
    }
  }

  /** Learns from the samples, and shows before and after. */
  async learn() {
    await samples.load();
    const { recognizer } = this.#element;
    if (!recognizer) return this.#say("The network is still being loaded. Wait a moment.");
    if (this.#running) return;
    if (busy.words) return this.#say(busy.words);
    if (!samples.list.length) return this.#say("There is no drawing to learn from yet.");
    await busy.during("Your drawings are being learned from. Wait for it, or cancel it.", () => this.#learnNow(recognizer));
  }

  /** @param {any} recognizer */
  async #learnNow(recognizer) {
    this.#running = new AbortController();
    this.#say(null);
    this.#busy(true);
    try {
      await this.#learnWith(recognizer, this.#running.signal);
    } catch (error) {
      this.#say(isAbort(error) ? "Nothing was learned; the network is as it was." : explain(error));
    } finally {
      this.#running = null;
      this.#busy(false);
      this.#element.read();
    }
  }

  /** @param {any} recognizer @param {AbortSignal} signal */
  async #learnWith(recognizer, signal) {
    const { learned, held } = split(samples.list);
    const shown = held.length ? held : learned; // too few to do without one
    const judge = async (/** @type {string} */ when) => {
      const onProgress = (/** @type {any} */ progress) => this.#bar.show(`${when}: ${loadingWords(progress)[0].toLowerCase()}`, loadingWords(progress)[1]);
      const mine = await recognizer.evaluate(dataOf(shown), { signal });
      const network = networks.own?.npz ?? recognizer.model;
      if (this.#known.of !== network) this.#known = { of: network, evaluation: await recognizer.evaluate(CHECK, { signal, onProgress }) };
      return { mine, mnist: this.#known.evaluation };
    };
    const before = await judge("Before");
    const result = await recognizer.train({}, {
      mode: "fine-tune", data: dataOf(learned), signal,
      onProgress: (/** @type {any} */ progress) => {
        if (progress.stage !== "training") return this.#bar.show(...loadingWords(progress));
        this.#bar.show(`Learning, step ${progress.step} of ${progress.total_steps}`, progress.step / progress.total_steps);
        this.#element.read();
      },
    });
    if (result.state === "diverged") throw new Error(result.message);
    const name = (await recognizer.getWeights()).name.replace(NUMBERED, " + mine");
    try {
      this.#offered = { name, npz: result.weights, isAskedFor: true, card: this.#card(name, result, learned.length) };
      networks.try(this.#offered);
      this.#show(before, await judge("After"), { learned: learned.length, held: held.length, seconds: result.seconds });
    } catch (error) {
      if (isAbort(error)) await networks.drop();
      else this.#leave();
      throw error;
    }
  }

  /** @param {string} name @param {any} result @param {number} drawings */
  #card(name, { parameters, spec, settings }, drawings) {
    const { seed } = settings;
    return { name, parameters, architecture: spec, seed, settings, origin: `learned on the page from ${counted(drawings, "drawing")}`, date: today() };
  }

  /** What was learned could not be shown: the panel asks what is to become of it. */
  #leave() {
    this.#result.replaceChildren();
    if (!networks.tried) return;
    networks.tried.isAskedFor = false;
    networks.try(networks.tried);
  }

  /** @param {Record<string, any>} before @param {Record<string, any>} after @param {{learned: number, held: number, seconds: number}} facts */
  #show(before, after, { learned, held, seconds }) {
    const cell = (/** @type {string} */ text, tag = /** @type {"td" | "th"} */ ("td")) => make(tag, tag === "th" ? { scope: "row" } : {}, text);
    const mine = (/** @type {{right: number, n: number}} */ { right, n }) => `${right} of ${n} right`;
    const row = (/** @type {string} */ title, /** @type {string} */ was, /** @type {string} */ is) => make("tr", {}, cell(title, "th"), cell(was), cell(is));
    const head = make("tr", {}, make("td", {}), make("th", { scope: "col" }, "before"), make("th", { scope: "col" }, "after"));
    this.#result.replaceChildren(
      make("h2", {}, `Learned from ${counted(learned, "drawing")} in ${seconds.toFixed(1)} s`),
      make("table", {}, make("thead", {}, head), make("tbody", {},
        row(held ? "My drawings, not learned from" : "My drawings, learned from", mine(before.mine), mine(after.mine)),
        row("1,000 MNIST test images", percent(before.mnist.accuracy), percent(after.mnist.accuracy)))),
      make("p", {}, "Draw it again: the pad reads with what was learned. Keep it?"),
      make("div", { className: "actions" },
        button("Keep it", () => this.#decide(() => networks.keep(networks.freeName(networks.tried?.name ?? "")), "Kept. It is used from now on, also after a reload."), { className: "main" }),
        button("Drop it", () => this.#decide(() => networks.drop(), "Dropped. The network is as it was."))),
    );
    this.#result.focus({ preventScroll: true });
    this.#result.scrollIntoView({ block: "nearest" });
  }

  /** @param {() => Promise<string | null | void>} decision @param {string} words */
  async #decide(decision, words) {
    try {
      const warning = await decision();
      this.#result.replaceChildren();
      this.#say(warning ?? words);
      this.#learn.focus({ preventScroll: true });
      prepareWhenIdle(this.#element);
    } catch (error) {
      this.#say(explain(error));
    }
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#learn.disabled = isBusy;
    this.#cancel.hidden = !isBusy;
    if (!isBusy) this.#bar.hide();
  }
}
