/**
 * <digit-recognizer>: a pad to draw on and beside it what the network makes of it.
 *
 * Attributes: `model` (name), `numbers` (read whole numbers), `readonly`, `shortcuts="page"` (keys work wherever the focus is).
 * Events: `input` (the drawing changed), `change` (the answer did; detail: Prediction, null on a bare pad), `ready`
 * (also after a restart), `modelchange`, `numberschange`, `error` (detail: what went wrong).
 * Look: custom properties `--pad-size`, `--ink`, `--sheet`, `--accent`.
 *
 * It wires the parts together: the pad knows no network, the bars no pad.
 */

import { Backdrop } from "./backdrop.js";
import { part } from "./errors.js";
import { Loader } from "./loading.js";
import { Pad } from "./pad.js";
import { Reading } from "./reading.js";
import { Status } from "./status.js";
import { inside } from "./template.js";
import { translator } from "./texts.js";
import { Tools } from "./tools.js";

/** @typedef {import("./inkling.js").Recognizer} Recognizer */

/** Seconds that a passing word stays. */
const PASSING = 8;

export class DigitRecognizer extends HTMLElement {
  static observedAttributes = ["model", "numbers", "readonly"];
  /** Fetches what makes recognisers. @type {import("./loading.js").Door} */
  static door = async () => await import("./inkling.js");

  /** @type {ShadowRootInit} */ static shadow = { mode: "open" };

  #kind = /** @type {typeof DigitRecognizer} */ (this.constructor);
  #root = this.attachShadow(this.#kind.shadow);
  #t = translator();
  #pad;
  #tools;
  #backdrop;
  #reading;
  #status;
  #loader = new Loader(this.#kind.door);
  /** Ends with the element's time in the document. */
  #connection = new AbortController();
  /** The network that was chosen last and answers. */
  #model = "";

  constructor() {
    super();
    this.#root.append(inside());
    this.#pad = new Pad(this.#part("canvas.pad"));
    this.#tools = new Tools(this.#part(".tools"), this.#pad, this.#t);
    this.#backdrop = new Backdrop(this.#part("img.picture"));
    this.#reading = new Reading(this.#root, this.#t);
    this.#status = new Status(this.#part(".status"), this.#t);
    this.#pad.addEventListener("stale", () => {
      this.#reading.outdate();
      this.tell(null); // what was said belonged to what was there before; what forget() has to say comes after it
    });
    this.#pad.addEventListener("change", () => this.#changed());
    this.#tools.addEventListener("numbers", () => (this.numbers = !this.numbers));
    this.#loader.addEventListener("ready", () => this.#ready());
    this.#loader.addEventListener("restart", () => {
      this.#ready();
      this.tell("The network had to be started again. Your drawing is still here.");
    });
    this.#loader.addEventListener("error", (event) => this.#fail(/** @type {CustomEvent} */ (event).detail));
    this.#reading.addEventListener("number", () => (this.numbers = true));
    this.#reading.addEventListener("answer", () => this.#answered());
    this.#reading.addEventListener("refused", (event) => {
      const { message, source } = /** @type {CustomEvent} */ (event).detail;
      if (source instanceof Blob) this.#pad.forget(source);
      this.tell(message);
    });
  }

  connectedCallback() {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const keys = this.getAttribute("shortcuts") === "page" ? document : this;
    keys.addEventListener("keydown", (event) => this.#tools.key(/** @type {KeyboardEvent} */ (event)), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint(), { signal });
    if (!this.recognizer) this.#load();
  }

  disconnectedCallback() {
    this.#connection.abort();
    // Moved within the document, it is connected again by now.
    queueMicrotask(() => this.isConnected || this.#loader.leave());
  }

  /** @param {string} name @param {string | null} before @param {string | null} value */
  attributeChangedCallback(name, before, value) {
    if (name === "readonly") this.#pad.readonly = value !== null;
    else if (name === "numbers") this.#readNumbers(value !== null);
    else if (value && value !== before && value !== this.#model && this.recognizer) {
      this.useModel(value).catch((error) => error.name === "AbortError" || this.tell(error.message));
    }
  }

  /** The live recogniser, or null while it loads. */
  get recognizer() {
    return this.#loader.recognizer;
  }

  /** Take a recogniser that is already there instead of making one. It is not closed here: it is not the element's own. */
  set recognizer(recognizer) {
    this.#model = "";
    if (recognizer) this.#loader.take(recognizer);
    else this.#loader.leave();
  }

  /** @param {Preparation} preparation */
  set preparation(preparation) {
    this.#loader.preparation = preparation;
  }

  /** The newest answer, null on a bare pad. */
  get prediction() {
    return this.#reading.prediction;
  }

  /** Whether whole numbers are read, not single digits. */
  get numbers() {
    return this.hasAttribute("numbers");
  }

  set numbers(numbers) {
    this.toggleAttribute("numbers", numbers);
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
    const { checkPicture } = await part(import("./image-file.js"));
    await checkPicture(file);
    this.#pad.lay(file);
  }

  /** Change the network and read the drawing again. @param {string} name */
  async useModel(name) {
    if (!this.recognizer) return this.setAttribute("model", name); // taken up when the engine is there
    await this.recognizer.useModel(name);
    this.#model = name;
    this.setAttribute("model", name);
    this.dispatchEvent(new Event("modelchange"));
    this.read();
  }

  /** Read the drawing again; the network may be another by now. */
  read() {
    const { source } = this;
    this.#part(".sheet").toggleAttribute("data-empty", source === null);
    const excuse = this.#status.state === "error" ? "Your drawing is kept" : "Your drawing is read in a moment";
    this.#reading.read(source, this.recognizer, excuse, this.#pad.drawing);
  }

  /**
   * Say something in the status line; null takes it back.
   * @param {string | Notice | null} notice
   * @param {NoticeKind} [kind] without it, a word in passing
   */
  tell(notice, kind = "notice") {
    this.#status.set(kind, typeof notice === "string" ? { text: notice } : notice, kind === "notice" ? PASSING : undefined);
  }

  /** Say that everything is kept for use without network. */
  offlineReady() {
    this.#status.offlineReady();
  }

  /** Paint again what lies on canvases, in the colours of now. */
  repaint() {
    this.#pad.repaint();
    this.#reading.repaint();
  }

  /** Say in another language what is not markup. @param {Record<string, string>} table from English */
  setWords(table) {
    this.#t.table = table;
    this.#hint();
    this.#tools.label();
    this.#status.render();
    this.read();
  }

  /** @template {Element} T @param {string} selector @returns {T} */
  #part(selector) {
    return /** @type {T} */ (this.#root.querySelector(selector));
  }

  #load() {
    this.#model = "";
    this.#loader.load(() => this.getAttribute("model") ?? undefined, (progress) => this.#status.progress(progress));
    this.#status.loading();
    this.read();
  }

  #ready() {
    this.read();
    const { recognizer } = this;
    setTimeout(() => { // a drawing that waits is on its way by then: the page tells of it while that is read
      if (this.recognizer !== recognizer) return;
      this.#status.ready();
      this.dispatchEvent(new Event("ready"));
    });
  }

  /** @param {{message: string, hint?: string}} error */
  #fail(error) {
    console.error(error);
    this.#status.failed(error, () => this.#load());
    this.read();
    this.dispatchEvent(new CustomEvent("error", { detail: error }));
  }

  #changed() {
    this.#tools.update();
    this.#backdrop.show(this.#pad.picture);
    this.#reading.hush();
    this.read();
    this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  }

  /** @param {boolean} numbers */
  #readNumbers(numbers) {
    if (numbers === this.#reading.numbers) return;
    this.#reading.numbers = numbers;
    this.#hint();
    this.dispatchEvent(new Event("numberschange"));
    this.read();
  }

  #hint() {
    this.#part(".hint").textContent = this.#t(this.#reading.numbers ? "Draw a number" : "Draw a digit");
  }

  #answered() {
    const { prediction, busy } = this.#reading;
    if (!busy && !this.#pad.drawing) this.#reading.speak();
    this.dispatchEvent(new CustomEvent("change", { detail: prediction, bubbles: true, composed: true }));
  }
}
