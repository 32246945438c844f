/**
 * The large files that starting takes, of which page and worker bring a part each. Where no cache has them, as on a first visit, the page compiles the
 * WebAssembly and hands it over, and the heap: it runs before the worker, which would wait for the network. Out of a cache the worker compiles it, which
 * may keep the machine code (downloads.js), and the page hands over the heap alone: when that comes the worker has its hands full.
 */

import { compile, compilePieces, download, importScript } from "./downloads.js";

const COMMON = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"]; // of the last one half, which the slim way puts together with the other

const PARTS = {
  snapshot: [...COMMON, "heap.bin", "_multiarray_umath.wasm", "_umath_linalg.wasm"],
  slim: [...COMMON, "pyodide.asm.secondary.wasm", "python_stdlib.zip", "numpy.zip", "inkling.zip"],
};

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {Record<string, Promise<any>>} Parts name -> its bytes, its compiled module, or what a script exports */
/** @typedef {{part: string, what?: any, error?: {name: string, message: string, hint: string}}} Handed */

/**
 * What one way to start is made of. The default model is inside the snapshot; another is a part under its name.
 * @param {{files: Files, models: Files, defaultModel: string}} assets
 * @param {"snapshot" | "slim"} path
 * @param {string} model
 * @returns {Files}
 */
export function partsOf({ files, models, defaultModel }, path, model) {
  const wanted = Object.fromEntries(PARTS[path].map((name) => [name, path === "slim" ? { ...files[name], uncompiled: true } : files[name]]));
  return Object.hasOwn(models, model) && (path === "slim" || model !== defaultModel) ? { ...wanted, [model]: models[model] } : wanted;
}

/** @param {Files} files */
export const sizeOf = (files) => Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);

const HEAP = "heap.bin";
const FIRST = "pyodide.asm.wasm"; // what starting waits for first
const MOST = 0.7; // of it; the heap begins a little before its end, as it takes a moment itself to set out

const isCompiled = (/** @type {string} */ name, /** @type {FileAsset} */ file) => name.endsWith(".wasm") && !file.uncompiled;

/** @type {Record<HostTraits["hands"], (name: string, file: FileAsset) => boolean>} */
const ARE_HANDED = { all: (name, file) => isCompiled(name, file) || name === HEAP, heap: (name) => name === HEAP, nothing: () => false };

/** Names of those that the page hands over. @param {Files} files @param {HostTraits["hands"]} hands */
export const handedParts = (files, hands) => Object.keys(files).filter((name) => ARE_HANDED[hands](name, files[name]));

/**
 * In the worker: has files come, all at once but those that are handed over. What fails is told to whoever comes for it.
 * @param {Files} files
 * @param {import("./downloads.js").Count} count
 * @param {string[]} handed names of those that are handed over
 * @param {() => void} onRoom called when there is room for a heap that is handed over: with most of the first part there, which beside it would come later
 * @returns {{parts: Parts, take: (handed: Handed) => void}}
 */
export function bring(files, count, handed, onRoom) {
  /** @type {Record<string, {resolve: (what: any) => void, reject: (reason: Error) => void}>} */
  const waiting = {};
  const parts = Object.fromEntries(Object.entries(files).map(([name, file]) => {
    if (handed.includes(name)) return [name, new Promise((resolve, reject) => (waiting[name] = { resolve, reject }))];
    const come = name.endsWith(".mjs") ? importScript : isCompiled(name, file) ? compile : download;
    return [name, come(file, name === FIRST && handed.includes(HEAP) ? countingTo(MOST * file.bytes, count, onRoom) : count)];
  }));
  for (const part of Object.values(parts)) part.catch(() => {}); // nobody may wait for it yet
  return { parts, take({ part, what, error }) {
    if (error) waiting[part].reject(Object.assign(new Error(), error));
    else waiting[part].resolve(what);
  } };
}

/**
 * On the page: has those parts come that are to be handed over, WebAssembly compiled, and hands each over.
 * @param {Files} files
 * @param {string[]} handed
 * @param {Worker} worker
 * @param {import("./downloads.js").Count} count
 * @param {AbortSignal} end
 * @returns {() => void} to be called once, when the worker says that there is room for the heap; if it does
 */
export function handOver(files, handed, worker, count, end) {
  const hand = (/** @type {string} */ part, /** @type {Promise<any>} */ coming) => coming
    .then((what) => worker.postMessage({ part, what }, what.buffer ? [what.buffer] : [])) // bytes move, a module is shared
    .catch(({ name, message, hint }) => worker.postMessage({ part, error: { name, message, hint } }));
  const handHeap = () => hand(HEAP, download(files[HEAP], count, end));
  for (const part of handed.filter((name) => name !== HEAP)) hand(part, compilePieces(files[part], count, end));
  if (handed.includes(HEAP) && handed.includes(FIRST)) handHeap(); // of the first part the worker has no word
  return handHeap;
}

/** Counts, and calls a function once so many bytes have come. @param {number} bytes @param {import("./downloads.js").Count} count @param {() => void} reached */
function countingTo(bytes, count, reached) {
  let missing = bytes;
  return (/** @type {number} */ come) => {
    count(come);
    if (missing > 0 && (missing -= come) <= 0) reached();
  };
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
