// Runs products.py in Pyodide in Node, the engine of Chromium's workers: node products.mjs RUNTIME ABI STDLIB NUMPY INKLING

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, abi, stdLibURL, ...packs] = process.argv.slice(2);
const indexURL = resolve(runtime) + "/";
try {
  const { loadPyodide } = await import(pathToFileURL(indexURL + "pyodide.mjs").href);
  const pyodide = await loadPyodide({ indexURL, stdLibURL, lockFileContents: { info: { abi_version: abi }, packages: {} } });
  for (const pack of packs) pyodide.unpackArchive(new Uint8Array(readFileSync(pack)), "zip", { extractDir: "/lib/python3.14/site-packages" });
  console.log(pyodide.runPython(readFileSync(new URL("products.py", import.meta.url), "utf8"), { filename: "products.py" }));
  process.exit(0);
} catch (error) {
  console.error(error.message); // left to Node, it would print the 1.2 MB line of pyodide.asm.mjs that threw
  process.exit(1);
}
