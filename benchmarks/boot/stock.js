/**
 * Pyodide as tutorials load it. settings.js is written by bench_boot.py.
 */

import { loadPyodide } from "./pyodide.mjs";
import { abi, wheel } from "./settings.js";

/** @returns a function that reads ink */
export async function start() {
  const pyodide = await loadPyodide({ lockFileContents: { info: { abi_version: abi }, packages: {} } });
  await pyodide.loadPackage(new URL(wheel, import.meta.url).href, { checkIntegrity: false });
  const [sources, weights] = await Promise.all(["inkling.zip", "convnet.npz"].map(async (name) => (await fetch(new URL(name, import.meta.url))).arrayBuffer()));
  pyodide.unpackArchive(sources, "zip", { extractDir: "/home/pyodide" });
  const session = pyodide.pyimport("inkling.session").Session();
  session.use_model("convnet", pyodide.toPy(new Uint8Array(weights)));
  return (ink) => session.predict(pyodide.toPy(ink), 280, 280).toJs({ dict_converter: Object.fromEntries });
}
