/**
 * The large files that starting takes. The page has them come, as it runs long before a worker does, and hands each over at
 * once: bytes, or WebAssembly that is compiled already.
 */

import { compile, download, included } from "./downloads.js";

const COMMON = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];

const PARTS = {
  snapshot: [...COMMON, "heap.bin", "_multiarray_umath.wasm", "_umath_linalg.wasm"],
  slim: [...COMMON, "python_stdlib.zip", "numpy.zip", "inkling.zip"],
};

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {Record<string, Promise<any>>} Parts name -> its bytes, its compiled module, or of a script only that it is the right one, as {isAnew} */

/**
 * What one way to start is made of. The default model is inside the snapshot; another is a part under its name.
 * @param {{files: Files, models: Files, defaultModel: string}} assets
 * @param {"snapshot" | "slim"} path
 * @param {string} model
 * @returns {{carried: Files, distant: Files}} the page carries its parts with it, or has them come
 */
export function partsOf({ files, models, defaultModel }, path, model) {
  const wanted = Object.fromEntries(PARTS[path].map((name) => [name, files[name]]));
  if (models[model] && (path === "slim" || model !== defaultModel)) wanted[model] = models[model];
  const some = (/** @type {boolean} */ isCarried) => Object.fromEntries(Object.entries(wanted).filter(([, { data }]) => Boolean(data) === isCarried));
  return { carried: some(true), distant: some(false) };
}

/**
 * Has files come, all at once.
 * @param {Files} files
 * @param {import("./downloads.js").Count} count
 * @param {AbortSignal} [signal] ends it
 * @returns {Parts}
 */
export function bring(files, count, signal) {
  const come = (/** @type {string} */ name, /** @type {FileAsset} */ file) => {
    if (!included.scripts[name]) return name.endsWith(".wasm") ? compile(file, count, signal) : download(file, count, signal);
    count(file.bytes);
    return Promise.resolve();
  };
  return silenced(Object.fromEntries(Object.entries(files).map(([name, file]) => [name, come(name, file)])));
}

/** On the page: what comes, counted together with what the worker does meanwhile. */
export class Delivery {
  #end = new AbortController();
  #files;
  #parts;
  #total;
  #arrived = 0;
  #worker = { stage: "runtime", loaded: 0 };
  #onProgress;

  /**
   * @param {Parameters<typeof partsOf>[0]} assets
   * @param {"snapshot" | "slim"} path
   * @param {string} model
   * @param {(progress: BootProgress) => void} onProgress
   */
  constructor(assets, path, model, onProgress) {
    const { carried, distant } = partsOf(assets, path, model);
    this.#total = [carried, distant].flatMap((files) => Object.values(files)).reduce((sum, { bytes }) => sum + bytes, 0);
    this.#onProgress = onProgress;
    this.#files = distant;
    const report = sometimes(() => this.#report());
    this.#parts = bring(distant, (bytes) => {
      this.#arrived += bytes;
      report();
    }, this.#end.signal);
  }

  /** Hands over each part. @param {Worker} worker */
  to(worker) {
    for (const [part, comes] of Object.entries(this.#parts)) {
      comes.then((value) => {
        const isScript = part.endsWith(".mjs"); // the worker imports it from its address
        worker.postMessage({ part, value: isScript ? { isAnew: this.#files[part].cache === "reload" } : value }, !isScript && value.buffer ? [value.buffer] : []);
      }).catch(({ name, message, hint }) => worker.postMessage({ part, error: { name, message, hint } }));
    }
  }

  /** How far the worker says it is. @param {{stage: string, loaded: number}} progress loaded: in bytes, of what the page carries */
  set worker(progress) {
    this.#worker = progress;
    this.#report();
  }

  /** Nobody waits any more. */
  end() {
    this.#end.abort();
  }

  #report() {
    const { stage, loaded } = this.#worker;
    this.#onProgress({ stage, loaded: Math.min(this.#arrived + loaded, this.#total), total: this.#total });
  }
}

/**
 * In the worker: promises of what is handed over.
 * @param {string[]} names
 * @returns {{parts: Parts, take: (message: {part: string, value?: any, error?: object}) => void}}
 */
export function expect(names) {
  /** @type {Map<string, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
  const waiting = new Map();
  const parts = silenced(Object.fromEntries(names.map((name) => [name, new Promise((resolve, reject) => waiting.set(name, { resolve, reject }))])));
  return { parts, take({ part, value, error }) {
    if (error) waiting.get(part)?.reject(Object.assign(new Error(), error));
    else waiting.get(part)?.resolve(value);
  } };
}

/** One that nobody waits for yet may fail; whoever comes for it is told. @param {Parts} parts */
function silenced(parts) {
  for (const part of Object.values(parts)) part.catch(() => {});
  return parts;
}

const REPORT_EVERY = 50; // ms; some hundred parts arrive, and more steps than a bar can show only cost the page time

/** Calls the function now, and again only after a while. @param {() => void} report */
export function sometimes(report) {
  let last = -Infinity;
  return () => {
    if (performance.now() - last < REPORT_EVERY) return;
    last = performance.now();
    report();
  };
}
