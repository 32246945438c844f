// Boots Pyodide in Node from the slim packs, as the worker does, and runs slim_boot.py there; prints its report as JSON.
//
//   node slim_boot.mjs RUNTIME ABI python_stdlib.zip numpy.zip inkling.zip WEIGHTS...

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, abi, stdlib, numpy, inkling, ...weights] = process.argv.slice(2);
const indexURL = resolve(runtime) + "/";
try {
  const { loadPyodide } = await import(pathToFileURL(indexURL + "pyodide.mjs").href);
  const start = performance.now();
  const pyodide = await loadPyodide({ indexURL, stdLibURL: stdlib, lockFileContents: { info: { abi_version: abi }, packages: {} } });
  const boot = performance.now() - start;
  for (const pack of [numpy, inkling]) pyodide.unpackArchive(new Uint8Array(readFileSync(pack)), "zip", { extractDir: "/lib/python3.14/site-packages" });
  const unpacked = performance.now() - start;
  pyodide.pyimport("numpy");
  const imported = performance.now() - start;
  pyodide.runPython(readFileSync(new URL("slim_boot.py", import.meta.url), "utf8"), { filename: "slim_boot.py" });
  const report = pyodide.globals.get("report")(weights.map((path) => new Uint8Array(readFileSync(path)))).toJs({ dict_converter: Object.fromEntries });
  console.log(JSON.stringify({ ...report, ms: { boot, unpack: unpacked - boot, import: imported - unpacked } }));
  process.exit(0);
} catch (error) {
  console.error(error.message); // left to Node, it would print the 1.2 MB line of pyodide.asm.mjs that threw
  process.exit(1);
}
