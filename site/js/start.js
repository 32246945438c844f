/**
 * What the engine starts from: the worker, and the map of all that it loads. The single file, which has no addresses to load
 * from, has another module in place of this one.
 */

import { assets } from "./assets.js";

const SERVICE_WORKER = new URL("../../sw.js", import.meta.url).href; // of dist/, where this lies in a folder of its own

/** A new worker, its errand in its name, or null if this browser has none that run modules. @param {Errand} errand @returns {Worker | null | Promise<Worker | null>} */
export function startWorker(errand) {
  let knowsModules = false; // an old browser never looks at `type` and would run the module as a classic script
  const options = { name: `inkling ${JSON.stringify(errand)}`, get type() { knowsModules = true; return /** @type {const} */ ("module"); } };
  const worker = typeof Worker === "function" ? new Worker(new URL("./worker.js", import.meta.url), options) : null;
  if (worker && knowsModules) return worker;
  worker?.terminate();
  return null;
}

/**
 * In the worker: its errand, before the page has sent a word.
 * @returns {BootRequest | null}
 */
export function errandOfWorker() {
  const { path, model, handed, ...how } = JSON.parse(self.name.slice(self.name.indexOf("{")));
  return { ...assetMap(how), path, why: null, model, handed };
}

/** What the page knows of its host, and what it hands over (parts.js). @returns {HostTraits} */
export function hostTraits() {
  const controller = navigator.serviceWorker?.controller;
  const trusting = controller?.scriptURL === SERVICE_WORKER;
  const isCached = controller ? trusting : isOutOfCache();
  const hands = isCached ? "heap" : controller ? "nothing" : "all"; // past a foreign service worker, which this page has and our worker need not have
  return { plain: isPlainHost(), trusting, hands };
}

/**
 * The asset map with addresses that mean the same in the worker.
 * @param {Pick<FileAsset, "plain" | "trusting" | "cache">} how to have its files come
 */
export function assetMap(how) {
  /** @template {Record<string, FileAsset>} T @param {T} group @returns {T} */
  const located = (group) => /** @type {T} */ (Object.fromEntries(Object.entries(group).map(
    ([name, asset]) => [name, { ...asset, ...how, url: new URL(asset.url, import.meta.url).href }])));
  return { ...assets, files: located(assets.files), models: located(assets.models) };
}

/** Whether the browser had this script in its own cache, and so, as likely as not, the large files. */
function isOutOfCache() {
  const [{ transferSize, decodedBodySize } = /** @type {any} */ ({})] = performance.getEntriesByName(import.meta.url);
  return transferSize === 0 && decodedBodySize > 0;
}

/**
 * Whether this host sends files as they are, and no smaller: it did so with this script. A service worker's answer tells nothing.
 */
function isPlainHost() {
  const [{ workerStart, encodedBodySize, decodedBodySize } = /** @type {any} */ ({})] = performance.getEntriesByName(import.meta.url);
  const isFromHost = workerStart === 0 && !navigator.serviceWorker?.controller; // by its standing rules there is an answer of it although it did not start
  return isFromHost && encodedBodySize > 0 && encodedBodySize === decodedBodySize;
}
