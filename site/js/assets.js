/**
 * Where everything is that gets loaded at run time. This is the table as it looks before a build: build.py writes the
 * real one over it in dist/. URLs are relative to this module: `new URL(url, import.meta.url)`.
 */

/**
 * @typedef {FileAsset & {parameters: number, mnist_test_accuracy: number | null}} ModelAsset
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
