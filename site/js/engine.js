/**
 * The engine owns the worker: starts it, talks to it, notices when it dies and starts it again.
 */

import { assets } from "./assets.js";
import { closed, notSendable, RecognizerError, unsupported } from "./errors.js";
import { handedParts, handOver, partsOf, sizeOf, sometimes } from "./parts.js";
import { assetMap, hostTraits, startWorker } from "./start.js";

const PATIENCE = 20_000; // ms; an answer takes 5, the largest picture some seconds. After that the worker is taken for dead
const LOADING_PATIENCE = 60_000; // ms without any progress, for an old phone that compiles ten megabytes, and longer than downloads wait
// To a running Python, the fastest first; each is left as soon as it fails. So for slow lines, too: over 20 Mbit/s of gzip a first visit took
// 5.0 s and 7.9, over 5 Mbit/s 16.3 and 15.0 (README), and no browser knows a line that it has not used yet.
const PATHS = /** @type {const} */ (["snapshot", "slim"]);
const MAX_RESTARTS = 3; // in a row, without an answer in between

/** @type {RequestCache} after a boot that failed nothing is taken from the browser's cache: it may be what was wrong */
let cache = "default";

/**
 * Fires "restart" when a dead worker has been replaced and answers again, "error" (detail: RecognizerError) when that failed.
 */
export class Engine extends EventTarget {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  #lastId = 0;
  #restarts = 0;
  #closed = false;
  /** @type {string | null} why a worker died that had been ready: what it was restored from may have been to blame */
  #death = null;
  /** @type {Promise<any>} the latest boot */
  #booted = Promise.resolve();
  #model;
  /** @type {((progress: BootProgress) => void) | undefined} */
  #listener;
  /** @type {BootProgress | null} */
  #progress = null;
  /** What the worker's word that there is room for the heap sets off. */
  #onRoom = () => {};

  /** @param {string} [model] */
  constructor(model = assets.defaultModel) {
    super();
    this.#model = model;
  }

  /** Hears how far the boot has come, at once and from then on. @param {((progress: BootProgress) => void) | undefined} listener */
  set onProgress(listener) {
    this.#listener = listener;
    if (this.#progress) listener?.(this.#progress);
  }

  /** The latest boot: versions, model, path, times by stage, as soon as it can predict. */
  get booted() {
    return this.#booted;
  }

  /** What the build knows of each model: name -> {url, bytes, parameters, mnist_test_accuracy}. */
  get models() {
    return assets.models;
  }

  /** Name of the model that answers. */
  get model() {
    return this.#model;
  }

  /** Starts the worker; `booted` tells how it goes. @returns {Promise<any>} */
  boot() {
    this.#booted = this.#boot();
    this.#booted.catch(() => {}); // the caller hears of it
    return this.#booted;
  }

  async #boot() {
    if (typeof WebAssembly !== "object" || typeof WebAssembly.instantiateStreaming !== "function") {
      throw unsupported("WebAssembly is missing or switched off in this browser.");
    }
    const mode = cache; // also for the other way: a file that was wrong is fetched anew by itself, and the others are good
    const isWish = new URLSearchParams(globalThis.location?.search).get("boot") === "slim";
    let why = isWish ? "the address asks for it" : this.#death;
    const paths = why ? PATHS.slice(1) : PATHS;
    const end = new AbortController(); // of all ways, only now: where Firefox ends a worker that compiles a file, the next one waits for that file for ever
    try {
      for (const path of paths) {
        try {
          return await this.#bootBy(path, why, mode, end.signal);
        } catch (error) {
          const { name, message } = /** @type {RecognizerError} */ (error);
          if (path === paths.at(-1) || name === "LoadError" || this.#closed) throw error;
          why = message;
        }
      }
    } finally {
      end.abort();
    }
  }

  /**
   * @param {"snapshot" | "slim"} path
   * @param {string | null} why it is not a faster one
   * @param {RequestCache} mode
   * @param {AbortSignal} end
   */
  async #bootBy(path, why, mode, end) {
    try {
      const { hands, ...how } = { ...hostTraits(), cache: mode };
      const map = await assetMap(how);
      const wanted = partsOf(map, path, this.#model);
      const handed = handedParts(wanted, hands);
      const worker = await this.#startWorker({ path, model: this.#model, handed, ...how });
      let progress = { stage: "runtime", loaded: 0, total: sizeOf(wanted) }; // the worker's
      let arrived = 0; // bytes of what is handed over
      const report = () => worker === this.#worker && this.#report({ ...progress, loaded: Math.min(progress.loaded + arrived, progress.total) });
      const reportSometimes = sometimes(report);
      this.#onRoom = handOver(wanted, handed, worker, (bytes) => {
        arrived += bytes;
        reportSometimes();
      }, end);
      const onProgress = (/** @type {BootProgress} */ next) => {
        progress = next;
        report();
      };
      return await this.#request("boot", { ...map, path, why, model: this.#model, handed }, { onProgress, patience: LOADING_PATIENCE });
    } catch (error) {
      cache = "reload";
      const worker = this.#worker;
      this.#worker = null;
      end.addEventListener("abort", () => worker?.terminate());
      throw error;
    }
  }

  /** @param {Errand} errand */
  async #startWorker(errand) {
    const worker = await startWorker(errand);
    if (!worker) throw unsupported("This browser has no module workers.");
    if (this.#closed) {
      worker.terminate();
      throw closed();
    }
    this.#worker = worker;
    const die = (/** @type {string} */ reason) => worker === this.#worker && this.#die(reason); // one that was ended may still speak
    worker.onmessage = ({ data }) => worker === this.#worker && (data.hasRoom ? this.#onRoom() : this.#receive(data));
    worker.onerror = (event) => {
      event.preventDefault();
      die(event.message || "it could not be started");
    };
    worker.onmessageerror = () => die("a message could not be read");
    return worker;
  }

  /** @param {BootProgress} progress */
  #report(progress) {
    for (const request of this.#pending.values()) request.restartTimer(); // the one for which all this comes
    this.#progress = progress;
    this.#listener?.(progress);
  }

  /**
   * One request, after the boot. Rejects with RecognizerError, also if the worker dies meanwhile.
   * @param {string} name
   * @param {Record<string, any>} [fields]
   * @param {Transferable[]} [transfer]
   * @param {{onProgress?: (value: any) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<any>}
   */
  async call(name, fields = {}, transfer = [], options = {}) {
    await this.#booted;
    options.signal?.throwIfAborted();
    const value = await this.#request(name, fields, { ...options, transfer, patience: name === "useModel" ? LOADING_PATIENCE : PATIENCE });
    this.#restarts = 0;
    if (name === "useModel") this.#model = fields.model;
    return value;
  }

  /** Ends the worker. Pending requests are rejected. */
  close() {
    this.#closed = true;
    this.#stop(closed());
  }

  /**
   * @param {string} name
   * @param {Record<string, any>} fields
   * @param {{transfer?: Transferable[], patience: number, onProgress?: (value: any) => void, signal?: AbortSignal}} options
   */
  #request(name, fields, { transfer = [], patience, onProgress, signal }) {
    return new Promise((resolve, reject) => {
      if (!this.#worker) {
        reject(new RecognizerError({ message: "The recogniser is not running.", hint: "Reload the page." }));
        return;
      }
      const id = ++this.#lastId;
      const request = { name, resolve, reject, onProgress, timer: 0, restartTimer: () => {
        clearTimeout(request.timer);
        request.timer = setTimeout(() => this.#die(`it did not answer for ${patience / 1000} s.`), patience);
      } };
      try {
        this.#worker.postMessage({ id, name, ...fields }, transfer);
      } catch {
        reject(notSendable(fields));
        return;
      }
      signal?.addEventListener("abort", () => this.#pending.has(id) && this.#worker?.postMessage({ name: "cancel", target: id }));
      request.restartTimer();
      this.#pending.set(id, request);
    });
  }

  /** @param {any} data a message of the worker */
  #receive({ id, event, ok, value, error }) {
    const request = this.#pending.get(id);
    if (!request) return;
    if (event === "progress") {
      request.restartTimer();
      request.onProgress?.(value);
      return;
    }
    if (!ok && error.type === "fatal") {
      this.#die(error.message);
      return;
    }
    this.#pending.delete(id);
    clearTimeout(request.timer);
    if (ok) request.resolve(value);
    else request.reject(new RecognizerError(error));
  }

  /**
   * The worker is gone or of no more use. A first boot that fails is reported by its own promise, later deaths by events.
   * @param {string} reason
   */
  async #die(reason) {
    const wasBooting = [...this.#pending.values()].some(({ name }) => name === "boot");
    console.error("The worker died:", reason);
    const error = new RecognizerError({ type: "WorkerError", message: `The recogniser stopped: ${reason.replace(/\.?$/, ".")}`, hint: "Reload the page." });
    if (wasBooting) {
      this.#refuse(error); // and its boot, which fails by that, has the worker
      return;
    }
    this.#stop(error);
    if (this.#closed) return;
    this.#death = `a worker died: ${reason}`;
    try {
      if (++this.#restarts > MAX_RESTARTS) throw new RecognizerError({ message: `The recogniser keeps stopping: ${reason}`, hint: "Reload the page." });
      await this.boot();
      this.dispatchEvent(new Event("restart"));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
    }
  }

  /** @param {RecognizerError} error for those who still wait */
  #stop(error) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#refuse(error);
  }

  /** @param {RecognizerError} error for those who still wait */
  #refuse(error) {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of waiting) {
      clearTimeout(timer);
      reject(error);
    }
  }
}

/** @type {Engine | null} one that was started before anyone had asked for it */
let ahead = null;

/** Starts an engine now, with the default model. The first who asks for one gets it. */
export function startAhead() {
  ahead = new Engine();
  ahead.boot();
}

/**
 * An engine that boots already; its model may be another than the one that is asked for.
 * @param {string} [model]
 */
export function bootingEngine(model) {
  const engine = ahead ?? new Engine(model);
  if (!ahead) engine.boot();
  ahead = null;
  return engine;
}
