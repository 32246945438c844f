/**
 * <digit-recognizer>: a pad to draw on and beside it what the network makes of it.
 *
 * Attributes: `model` (name), `readonly` (no drawing), `shortcuts="page"` (keys work wherever the focus is).
 * Events: `input` (the drawing changed), `change` (the answer did; detail: Prediction, null on a bare pad), `ready`,
 * `modelchange`, `error` (detail: what went wrong).
 * Properties and methods: see the README's table. Look: custom properties `--pad-size`, `--ink`, `--sheet`, `--accent`.
 *
 * It wires the parts together: the pad knows no network, the bars no pad.
 */

import { Answer } from "./answer.js";
import { Backdrop, checkPicture } from "./backdrop.js";
import { Bars } from "./bars.js";
import { Pad } from "./pad.js";
import { Preview } from "./preview.js";
import { Status } from "./status.js";
import { inside } from "./template.js";
import { Tools } from "./tools.js";

/** @typedef {import("./inkling.js").Recognizer} Recognizer */
/** @typedef {import("./inkling.js").Prediction} Prediction */
/** @typedef {import("./pad.js").Ink} Ink */
/** @typedef {import("./strokes.js").Stroke} Stroke */
/** @typedef {import("./status.js").Kind} Kind */
/** @typedef {import("./status.js").Notice} Notice */

/** Seconds that a passing word stays. */
const PASSING = 8;

export class DigitRecognizer extends HTMLElement {
  static observedAttributes = ["model", "readonly"];

  #root = this.attachShadow({ mode: "open" });
  #pad;
  #tools;
  #backdrop;
  #preview;
  #bars;
  #answer;
  #status;
  /** @type {Recognizer | null} */ #recognizer = null;
  /** @type {Prediction | null} */ #prediction = null;
  /** Readings asked for so far, and the first that still counts: the pad may have been cleared since. */
  #turn = 0;
  #first = 0;
  /** Ends with the element's time in the document. */
  #connection = new AbortController();

  constructor() {
    super();
    this.#root.append(inside());
    this.#pad = new Pad(this.#part("canvas.pad"));
    this.#tools = new Tools(this.#part(".tools"), this.#pad);
    this.#backdrop = new Backdrop(this.#part("img.picture"));
    this.#preview = new Preview(this.#part("canvas.preview"));
    this.#bars = new Bars(this.#part(".bars"));
    this.#answer = new Answer(this.#part(".answer"));
    this.#status = new Status(this.#part(".status"));
    this.#pad.addEventListener("stale", () => this.#outdate());
    this.#pad.addEventListener("change", () => this.#changed());
  }

  connectedCallback() {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const keys = this.getAttribute("shortcuts") === "page" ? document : this;
    keys.addEventListener("keydown", (event) => this.#tools.key(/** @type {KeyboardEvent} */ (event)), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#pad.repaint();
      this.#preview.repaint();
    }, { signal });
    if (!this.#recognizer) this.#load(signal);
  }

  disconnectedCallback() {
    this.#connection.abort();
    // Moved within the document, it is connected again by now.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#recognizer?.close();
      this.#recognizer = null;
    });
  }

  /** @param {string} name @param {string | null} before @param {string | null} value */
  attributeChangedCallback(name, before, value) {
    if (name === "readonly") this.#pad.readonly = value !== null;
    else if (value && value !== before && this.#recognizer) this.useModel(value).catch((error) => this.tell(error.message));
  }

  /** The live recogniser, or null while it loads. */
  get recognizer() {
    return this.#recognizer;
  }

  /** Take a recogniser that is already there instead of making one. */
  set recognizer(recognizer) {
    this.#recognizer = recognizer;
    if (!recognizer) return;
    recognizer.addEventListener("restart", () => {
      this.tell("The network had to be started again. Your drawing is still here.");
      this.#read();
    });
    recognizer.addEventListener("error", (event) => this.#fail(/** @type {CustomEvent} */ (event).detail));
    this.#status.state = "ready";
    this.#status.set("error", null);
    this.#status.set("loading", null);
    this.dispatchEvent(new Event("ready"));
    this.#read();
  }

  /** The newest answer, null on a bare pad. */
  get prediction() {
    return this.#prediction;
  }

  /** The strokes on the pad (a copy); setting them begins a new drawing. @returns {Stroke[]} */
  get strokes() {
    return this.#pad.strokes;
  }

  set strokes(strokes) {
    this.#pad.strokes = strokes;
  }

  /** The drawing, 280 x 280: 0 paper, 255 full stroke. @returns {Ink} */
  ink() {
    return this.#pad.ink();
  }

  /** What is to be read: the picture on the pad, or the ink, or null when there is neither. @returns {Blob | Ink | null} */
  get source() {
    if (this.#pad.picture) return this.#pad.picture;
    if (this.#pad.untouched) return null;
    const ink = this.#pad.ink();
    return ink.data.some((value) => value > 0) ? ink : null;
  }

  clear() {
    this.#tools.run("clear");
  }

  undo() {
    this.#tools.run("undo");
  }

  redo() {
    this.#tools.run("redo");
  }

  /** Lay a picture on the pad and read it. Rejects, and changes nothing, when the file is none. @param {Blob} file */
  async openPicture(file) {
    await checkPicture(file);
    this.#pad.lay(file);
  }

  /** Change the network and read the drawing again. @param {string} name */
  async useModel(name) {
    if (!this.#recognizer) return this.setAttribute("model", name); // taken up when the engine is there
    await this.#recognizer.useModel(name);
    this.dispatchEvent(new Event("modelchange"));
    this.#read();
  }

  /**
   * Say something in the status line; null takes it back.
   * @param {string | Notice | null} notice
   * @param {Kind} [kind] without it, a word in passing
   */
  tell(notice, kind = "notice") {
    this.#status.set(kind, typeof notice === "string" ? { text: notice } : notice, kind === "notice" ? PASSING : undefined);
  }

  /** Say that everything is kept for use without network. */
  offlineReady() {
    this.#status.offlineReady();
  }

  /** @template {Element} T @param {string} selector @returns {T} */
  #part(selector) {
    return /** @type {T} */ (this.#root.querySelector(selector));
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    this.#status.state = "loading";
    this.#status.set("error", null);
    this.#status.progress({ stage: "runtime", loaded: 0, total: 0 });
    this.#read();
    try {
      // Loaded last: the pad must not wait for the engine.
      const { createRecognizer } = await import("./inkling.js").catch((error) => {
        console.error(error);
        throw Object.assign(new Error("A part of the page could not be loaded."), { hint: "Check the connection, then try again." });
      });
      const model = this.getAttribute("model") ?? undefined;
      const recognizer = await createRecognizer({ model, onProgress: (progress) => this.#status.progress(progress) });
      if (signal.aborted) return recognizer.close();
      const wanted = this.getAttribute("model") ?? model;
      if (wanted !== model && wanted) await recognizer.useModel(wanted);
      this.recognizer = recognizer;
    } catch (error) {
      if (!signal.aborted) this.#fail(/** @type {Error} */ (error));
    }
  }

  /** @param {{message: string, hint?: string}} error */
  #fail(error) {
    console.error(error);
    this.#recognizer = null;
    this.#status.state = "error";
    const text = [error.message, error.hint].filter(Boolean).join(" ");
    this.#status.set("error", { text, action: { label: "Try again", run: () => this.#load(this.#connection.signal) } });
    this.#read();
    this.dispatchEvent(new CustomEvent("error", { detail: error }));
  }

  /** Between the pen's movement and the frame that reads it an older answer may still come in. */
  #outdate() {
    this.#turn++;
    this.#answer.busy = true;
    this.tell(null); // what was said belonged to what was there before; what forget() has to say comes after it
  }

  #changed() {
    this.#tools.update();
    this.#backdrop.show(this.#pad.picture);
    this.#answer.hush();
    this.#read();
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  }

  async #read() {
    const turn = ++this.#turn;
    const source = this.source;
    this.#part(".sheet").toggleAttribute("data-empty", source === null);
    if (!source || source instanceof Blob) this.#first = turn;
    if (!source) return this.#show(null, true);
    if (!this.#recognizer) return this.#answer.wait(this.#status.state === "error" ? "Your drawing is kept" : "Your drawing is read in a moment");
    this.#answer.busy = true;
    try {
      const prediction = await this.#recognizer.predict(source);
      if (turn >= this.#first) this.#show(prediction, turn === this.#turn);
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      if (name === "AbortError" || turn !== this.#turn) return; // a newer drawing is on its way
      if (name === "WorkerError") return; // a new one is being started: "restart" or "error" follows
      this.#answer.busy = false;
      if (source instanceof Blob) this.#pad.forget(source);
      this.tell(message);
    }
  }

  /** @param {Prediction | null} prediction @param {boolean} newest whether it belongs to the ink as it is now */
  #show(prediction, newest) {
    this.#prediction = prediction;
    this.#answer.show(prediction);
    this.#bars.show(prediction && prediction.digit !== null ? prediction.probabilities : null, prediction?.accepted ? prediction.digit : null);
    this.#preview.show(prediction?.image ?? null);
    if (newest) this.#answer.busy = false;
    if (newest && prediction && !this.#pad.drawing) this.#answer.speak(prediction);
    this.dispatchEvent(new CustomEvent("change", { detail: prediction, bubbles: true, composed: true }));
  }
}
