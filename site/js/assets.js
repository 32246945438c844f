/**
 * Where everything is that gets loaded at run time. This is the table as it looks before a build: build.py writes the
 * real one over it in dist/. URLs are relative to this module: `new URL(url, import.meta.url)`.
 */

/**
 * @typedef {object} FileAsset
 * @property {string} url
 * @property {number} bytes size once decoded; what a host sends in Brotli or gzip is less
 * @property {string} sha256 in hex, of the same
 * @property {boolean} [gz] whether there is a .gz beside it that is worth its own request
 * @property {boolean} [plain] the host is known to send files as they are: that .gz is asked for at once
 * @property {RequestCache} [cache] "reload" after a failure: whatever the browser has kept may be what is wrong
 * @property {Uint8Array<ArrayBuffer>[]} [data] the file itself, in parts, each gzipped: the single file carries it, and nothing is fetched
 */

/**
 * @typedef {FileAsset & {parameters: number, mnist_test_accuracy: number}} ModelAsset
 *   both out of the model card, which is one of the files: <name>.json
 */

/**
 * @typedef {object} Assets
 * @property {string} build hash of our own code and data
 * @property {string} version of Inkling
 * @property {string} pyodide version of Pyodide
 * @property {string} abi of that Pyodide, which loadPyodide wants to see in its list of packages
 * @property {Record<string, FileAsset>} files by name; booting.js says which are for what
 * @property {Record<string, ModelAsset>} models
 * @property {string} defaultModel
 */

/** @type {Assets} */
export const assets = { build: "", version: "", pyodide: "", abi: "", files: {}, models: {}, defaultModel: "" };
