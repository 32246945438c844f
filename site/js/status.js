/**
 * One line, one place: loading, ready, offline, errors and whatever else there is to tell. The most urgent is
 * shown; what it hid comes back when it is gone.
 */

/** Most urgent first. @type {NoticeKind[]} */
const ORDER = ["notice", "error", "update", "loading", "offline", "ready"];

/** @type {Record<string, string>} */
const STAGES = {
  runtime: "Fetching Python",
  python: "Starting Python",
  numpy: "Loading NumPy",
  model: "Loading the network",
  ready: "Almost there",
};

const CALM = 1000; // ms; most starts are over by then, and to paint ten words and a bar meanwhile that nobody could follow would take their time

export class Status {
  #parts;
  #t;
  /** @type {Map<NoticeKind, Notice>} */ #notices = new Map([["ready", { text: "Ready" }]]);
  #fading = 0;
  #calm = 0;
  /** @type {BootProgress} */ #progress = { stage: "runtime", loaded: 0, total: 0 };

  /** @param {HTMLElement} root @param {Translate} t */
  constructor(root, t) {
    this.#t = t;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`.${name}`));
    this.#parts = { root, text: part("text"), bytes: part("bytes"), bar: part("progress"), action: part("action") };
    this.#parts.action.addEventListener("click", () => this.#shown()?.action?.run());
  }

  get state() {
    return /** @type {"loading" | "ready" | "error"} */ (this.#parts.root.dataset.state);
  }

  /** Python and the network are on their way. */
  loading() {
    this.#parts.root.dataset.state = "loading";
    this.set("error", null);
    this.#endCalm();
    this.#progress = { stage: "runtime", loaded: 0, total: 0 };
    this.#showProgress();
    this.#calm = window.setTimeout(() => {
      this.#endCalm();
      this.#showProgress();
    }, CALM);
  }

  /** Predictions are served. */
  ready() {
    this.#parts.root.dataset.state = "ready";
    this.#endCalm();
    this.#parts.bytes.textContent = ""; // unseen, they would still take their place
    this.set("error", null);
    this.set("loading", null);
  }

  /** None are, until the person does something. @param {{message: string, hint?: string}} error @param {() => void} retry */
  failed({ message, hint }, retry) {
    this.#parts.root.dataset.state = "error";
    this.#endCalm();
    this.set("notice", null);
    this.set("error", { text: [message, hint ?? ""].filter(Boolean).map((text) => this.#t(text)).join(" "), action: { label: "Try again", run: retry } });
  }

  /** Everything is kept for use without network. */
  offlineReady() {
    this.#parts.root.dataset.offline = "ready";
    this.set("ready", { text: "Ready, also without network" });
  }

  /**
   * @param {NoticeKind} kind
   * @param {Notice | null} notice
   * @param {number} [seconds] how long it is to stay; without it, until it is taken away
   */
  set(kind, notice, seconds) {
    if (kind === "notice") clearTimeout(this.#fading);
    if (notice) this.#notices.set(kind, notice);
    else if (!this.#notices.delete(kind)) return;
    if (seconds) this.#fading = window.setTimeout(() => this.set(kind, null), 1000 * seconds);
    this.render();
  }

  /** How far loading has come. It is shown once that takes longer than a moment. @param {BootProgress} progress */
  progress(progress) {
    this.#progress = progress;
    if (!this.#calm) this.#showProgress();
  }

  #endCalm() {
    clearTimeout(this.#calm);
    this.#calm = 0;
  }

  #showProgress() {
    const { bytes, bar } = this.#parts;
    const { stage, loaded, total } = this.#progress;
    const part = total > 0 ? Math.min(1, loaded / total) : 0;
    bytes.textContent = total > 0 ? this.#t(", {} of {} MB", ...[loaded, total].map((size) => this.#t.decimal(size / 1e6))) : "";
    bar.setAttribute("aria-valuenow", (100 * part).toFixed(0));
    /** @type {HTMLElement} */ (bar.firstElementChild).style.transform = `scaleX(${part})`;
    const text = STAGES[stage] ?? STAGES.runtime;
    if (this.#notices.get("loading")?.text !== text) this.set("loading", { text });
  }

  #kind() {
    return ORDER.find((kind) => this.#notices.has(kind));
  }

  #shown() {
    return this.#notices.get(this.#kind() ?? "ready");
  }

  /** Say it again, as another language may have come. */
  render() {
    const { root, text, action } = this.#parts;
    const shown = this.#shown();
    root.dataset.kind = this.#kind() ?? "ready";
    const words = this.#t(shown?.text ?? "");
    if (text.textContent !== words) text.textContent = words;
    action.hidden = !shown?.action;
    action.textContent = this.#t(shown?.action?.label ?? "");
  }
}
