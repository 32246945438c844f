/**
 * The large files that starting takes. The worker has them come as soon as it runs. But where no cache has them, as on a first visit, it would wait for
 * the network: there the page, which runs before it, compiles the WebAssembly and hands it over. Out of a cache the worker does it, which may keep the
 * machine code (downloads.js), and the page stays free.
 */

import { compile, compilePieces, download, importScript } from "./downloads.js";

const COMMON = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];

const PARTS = {
  snapshot: [...COMMON, "heap.bin", "_multiarray_umath.wasm", "_umath_linalg.wasm"],
  slim: [...COMMON, "python_stdlib.zip", "numpy.zip", "inkling.zip"],
};

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {Record<string, Promise<any>>} Parts name -> its bytes, its compiled module, or what a script exports */
/** @typedef {{part: string, module?: WebAssembly.Module, error?: {name: string, message: string, hint: string}}} Handed */

/**
 * What one way to start is made of. The default model is inside the snapshot; another is a part under its name.
 * @param {{files: Files, models: Files, defaultModel: string}} assets
 * @param {"snapshot" | "slim"} path
 * @param {string} model
 * @returns {Files}
 */
export function partsOf({ files, models, defaultModel }, path, model) {
  const wanted = Object.fromEntries(PARTS[path].map((name) => [name, files[name]]));
  return Object.hasOwn(models, model) && (path === "slim" || model !== defaultModel) ? { ...wanted, [model]: models[model] } : wanted;
}

/** @param {Files} files */
export const sizeOf = (files) => Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);

const isWebAssembly = (/** @type {string} */ name) => name.endsWith(".wasm");

/**
 * In the worker: has files come, all at once. What fails is told to whoever comes for it.
 * @param {Files} files
 * @param {import("./downloads.js").Count} count
 * @param {boolean} isHanded their WebAssembly is handed over
 * @returns {{parts: Parts, take: (handed: Handed) => void}}
 */
export function bring(files, count, isHanded) {
  /** @type {Record<string, {resolve: (module: any) => void, reject: (reason: Error) => void}>} */
  const waiting = {};
  const parts = Object.fromEntries(Object.entries(files).map(([name, file]) => {
    if (isHanded && isWebAssembly(name)) return [name, new Promise((resolve, reject) => (waiting[name] = { resolve, reject }))];
    const come = name.endsWith(".mjs") ? importScript : isWebAssembly(name) ? compile : download;
    return [name, come(file, count)];
  }));
  for (const part of Object.values(parts)) part.catch(() => {}); // nobody may wait for it yet
  return { parts, take({ part, module, error }) {
    if (error) waiting[part].reject(Object.assign(new Error(), error));
    else waiting[part].resolve(module);
  } };
}

/**
 * On the page: compiles their WebAssembly, and hands each over.
 * @param {Files} files
 * @param {Worker} worker
 * @param {import("./downloads.js").Count} count
 * @param {AbortSignal} end
 */
export function handOver(files, worker, count, end) {
  for (const [part, file] of Object.entries(files)) {
    if (!isWebAssembly(part)) continue;
    compilePieces(file, count, end).then((module) => worker.postMessage({ part, module }))
      .catch(({ name, message, hint }) => worker.postMessage({ part, error: { name, message, hint } }));
  }
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
