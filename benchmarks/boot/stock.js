/**
 * Pyodide as tutorials load it. settings.js is written by our_pages.py.
 */

import { loadPyodide } from "./pyodide.mjs";
import { abi, wheel } from "./settings.js";

/** @returns Pyodide with NumPy and the sources of inkling */
export async function load() {
  const pyodide = await loadPyodide({ lockFileContents: { info: { abi_version: abi }, packages: {} } });
  await pyodide.loadPackage(new URL(wheel, import.meta.url).href, { checkIntegrity: false });
  pyodide.unpackArchive(await fetched("inkling.zip"), "zip", { extractDir: "/home/pyodide" });
  return pyodide;
}

/** @returns a function that reads ink */
export async function start() {
  const weightsCome = fetched("convnet.npz");
  const pyodide = await load();
  const session = pyodide.pyimport("inkling.session").Session();
  session.use_model("convnet", pyodide.toPy(new Uint8Array(await weightsCome)));
  return (ink) => session.predict(pyodide.toPy(ink), 280, 280).toJs({ dict_converter: Object.fromEntries });
}

const fetched = async (name) => (await fetch(new URL(name, import.meta.url))).arrayBuffer();
