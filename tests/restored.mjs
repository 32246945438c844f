// Starts Python in Node by the page's own code, from the snapshot or slim, and runs restored.py there; prints its report as JSON.
//
//   node restored.mjs snapshot|slim ABI WEIGHTS FILE...     FILEs are those of the asset table; WEIGHTS is the default model's

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

// As in a worker: Pyodide is not to know of Node, nor to read from its disk.
const { argv, exit } = process;
globalThis.WorkerGlobalScope = Object;
globalThis.self = globalThis;
globalThis.location = new URL("file:///");
globalThis.process = undefined;
const { Module } = WebAssembly;
let made = 0; // modules at once; those that are compiled while something waits are not among them
WebAssembly.Module = new Proxy(Module, { construct(_, given) {
  made++;
  return new Module(...given);
} });
const [{ included }, { open }] = [await import("../site/js/downloads.js"), await import("../builder/single/carried.js")];
included.open = open; // files come with their bytes, as in the single file
const { bootFromSnapshot, bootSlim, bringModules } = await import("../site/js/booting.js");
const { bring, partsOf } = await import("../site/js/parts.js");

const PIECE = 2 ** 20; // bytes, as downloads.js checks them
const digest = (bytes) => createHash("sha256").update(bytes).digest();
const [path, abi, weights, ...paths] = argv.slice(2);
const files = Object.fromEntries(paths.map((file) => {
  const bytes = readFileSync(file);
  const parts = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, i) => digest(bytes.subarray(i * PIECE, (i + 1) * PIECE)));
  const hashes = { sha256: digest(bytes).toString("hex"), ...(parts.length > 1 && { pieces: digest(Buffer.concat(parts)).toString("hex") }) };
  return [basename(file), { url: pathToFileURL(file).href, bytes: bytes.length, ...hashes, data: [new Uint8Array(gzipSync(bytes, { level: 1 }))] }];
}));
try {
  const isRestored = path === "snapshot";
  const { parts } = bring(partsOf({ files, models: {}, defaultModel: "" }, path, ""), () => {}, [], () => {});
  const { pyodide, session } = await (isRestored ? bootFromSnapshot : bootSlim)({ files, parts, abi, enter() {}, count() {} });
  if (!isRestored) session.use_model("convnet", new Uint8Array(readFileSync(weights)));
  pyodide.globals.set("session", session);
  pyodide.runPython(readFileSync(new URL("restored.py", import.meta.url), "utf8"), { filename: "restored.py" });
  const ask = (name) => pyodide.globals.get(name)().toJs({ dict_converter: Object.fromEntries });
  const { exports } = pyodide._module.LDSO.loadedLibsByName.__main__;
  const report = { before: ask("before_modules_come"), modules: made, signature: exports.emscripten_console_log.sig };
  await bringModules(pyodide, files, path);
  report.after = ask("with_all_modules");
  report.heap = pyodide._module.HEAP8.length;
  console.log(JSON.stringify(report));
  exit(0);
} catch (error) {
  console.error(String(error.stack).slice(0, 3000));
  exit(1);
}
