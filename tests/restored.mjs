// Starts Python in Node by the page's own code, from the snapshot or slim, and runs restored.py there; prints its report as JSON.
//
//   node restored.mjs snapshot|patient|slim ABI WEIGHTS DRAWINGS FILE...
//
// patient: from the snapshot, and nothing but drawings is given to it before all of Python is there. FILEs are those of the asset table, WEIGHTS is the
// default model's, DRAWINGS the ink of some, one behind the other, 280 x 280 bytes each.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const SIDE = 280; // px of a drawing

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
const early = []; // second halves that were called for before there was time
globalThis.XMLHttpRequest = class {
  open(method, url, asynchronous) {
    if (method !== "GET" || asynchronous) throw new Error("nobody can wait for this");
    Object.assign(this, { url });
  }
  send() {
    early.push(basename(this.url));
    this.response = new Uint8Array(readFileSync(new URL(this.url))).buffer;
  }
};
const { included } = await import("../site/js/downloads.js");
const later = []; // what comes when there is time, in this order
included.open = ({ url }) => {
  later.push(basename(url));
  return new Response(readFileSync(new URL(url)));
};
const { bootFromSnapshot, bootSlim, bringModules } = await import("../site/js/booting.js");
const { bring, partsOf } = await import("../site/js/parts.js");

const PIECE = 2 ** 20; // bytes, as downloads.js checks them
const digest = (bytes) => createHash("sha256").update(bytes).digest();
const [way, abi, weights, drawings, ...paths] = argv.slice(2);
const files = Object.fromEntries(paths.map((file) => {
  const bytes = readFileSync(file);
  const parts = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, i) => digest(bytes.subarray(i * PIECE, (i + 1) * PIECE)));
  const hashes = { sha256: digest(bytes).toString("hex"), ...(parts.length > 1 && { pieces: digest(Buffer.concat(parts)).toString("hex") }) };
  return [basename(file), { url: pathToFileURL(file).href, bytes: bytes.length, ...hashes }];
}));

const toJs = (proxy) => {
  const value = proxy.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
  proxy.destroy();
  return value;
};

/** The answers to all drawings, as the worker asks for them. */
function read(pyodide, session) {
  const ink = readFileSync(drawings);
  return Array.from({ length: ink.length / SIDE ** 2 }, (_, i) => {
    const pixels = pyodide.toPy(new Uint8Array(ink.subarray(i * SIDE ** 2, (i + 1) * SIDE ** 2)));
    const answers = [false, true].map((numbers) => toJs(session.predict(pixels, SIDE, SIDE, 1, numbers, i % 2 === 0)).text);
    pixels.destroy();
    return answers;
  });
}

try {
  const isRestored = way !== "slim";
  const path = isRestored ? "snapshot" : "slim";
  const { parts } = bring(partsOf({ files, models: {}, defaultModel: "" }, path, ""), () => {}, [], () => {});
  const { pyodide, session, complete } = await (isRestored ? bootFromSnapshot : bootSlim)({ files, parts, abi, enter() {} });
  if (!isRestored) session.use_model("convnet", new Uint8Array(readFileSync(weights)));
  const { exports } = pyodide._module.LDSO.loadedLibsByName.__main__;
  const report = { modules: made, signature: exports.emscripten_console_log.sig, atStart: later.splice(0).sort() };
  report.read = read(pyodide, session);
  report.toRead = [...early];
  const ask = (name) => {
    pyodide.globals.set("session", session);
    pyodide.runPython(readFileSync(new URL("restored.py", import.meta.url), "utf8"), { filename: "restored.py" });
    return pyodide.globals.get(name)().toJs({ dict_converter: Object.fromEntries });
  };
  if (way !== "patient") report.before = ask("before_modules_come");
  report.early = [...early];
  await bringModules(pyodide, files, path, complete);
  report.later = later.splice(0);
  report.after = ask("with_all_modules");
  report.atOnce = early.slice(report.early.length);
  report.heap = pyodide._module.HEAP8.length;
  console.log(JSON.stringify(report));
  exit(0);
} catch (error) {
  console.error(String(error.stack).slice(0, 3000));
  exit(1);
}
