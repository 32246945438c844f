/**
 * The single file's worker: site/js/worker.js and Pyodide's two scripts as one classic script, as a page from a file can
 * start no other.
 */

import { included } from "../../site/js/downloads.js";
import "../../site/js/worker.js";
import { open } from "./carried.js";

// Pyodide refuses to run in classic workers, by trying this, because there it could not import its second script. Here it has that.
Object.assign(self, { importScripts: refuse });

function refuse() {
  throw new Error("All scripts are here already.");
}

// @ts-ignore: part of the runtime, which is not in the source tree
const loader = () => import("../../runtime/pyodide.mjs");
// @ts-ignore: likewise
const machine = () => import("../../runtime/pyodide.asm.mjs");

included.open = open;
included.scripts["pyodide.asm.mjs"] = machine;
included.scripts["pyodide.mjs"] = async () => {
  const [pyodide, { default: createPyodideModule }] = await Promise.all([loader(), machine()]);
  const loadPyodide = (/** @type {object} */ options) => pyodide.loadPyodide({ createPyodideModule, ...options });
  return { ...pyodide, loadPyodide };
};
