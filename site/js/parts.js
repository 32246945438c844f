/**
 * The large files that starting takes. The worker has them come as soon as it runs: the page is busy then, and stays free for the pad.
 */

import { compile, download, importScript } from "./downloads.js";

const COMMON = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];

const PARTS = {
  snapshot: [...COMMON, "heap.bin", "_multiarray_umath.wasm", "_umath_linalg.wasm"],
  slim: [...COMMON, "python_stdlib.zip", "numpy.zip", "inkling.zip"],
};

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {Record<string, Promise<any>>} Parts name -> its bytes, its compiled module, or what a script exports */

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

/**
 * Has files come, all at once. One that nobody waits for yet may fail; whoever comes for it is told.
 * @param {Files} files
 * @param {import("./downloads.js").Count} count
 * @returns {Parts}
 */
export function bring(files, count) {
  const parts = Object.entries(files).map(([name, file]) => {
    const come = name.endsWith(".mjs") ? importScript : name.endsWith(".wasm") ? compile : download;
    const part = come(file, count);
    part.catch(() => {});
    return [name, part];
  });
  return Object.fromEntries(parts);
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
