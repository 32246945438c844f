// Makes the heap snapshot: Pyodide's memory at the moment when Python, NumPy, inkling and a model stand ready to answer.
//
//   node snapshot.mjs RUNTIME ABI STDLIB NUMPY INKLING WEIGHTS MODEL TARGET
//
// RUNTIME is the folder with Pyodide's files, STDLIB, NUMPY and INKLING are the slim archives, WEIGHTS the .npz of MODEL.
// Writes into TARGET: heap.bin (below); each of NumPy's shared libraries as <name>.wasm; and table.json, {ownLength, length, got: symbol -> address}: how
// Emscripten numbers all symbols before anything runs.
//
// Pyodide's own snapshots leave out shared libraries. So what the browser must put back by itself, without running a line of
// their start code, is noted here: where each library's memory and functions lie, and what else was put into the function table.
//
// heap.bin: see site/js/restore.js, which is the other half. Only what differs from a memory in which nothing has run yet is in it.

import crypto from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { CHECKED_FROM, CHECKSUM_AT, checksumOf } from "../site/js/checksum.js";
import { FORMAT, MAGIC, restoreLibraries } from "../site/js/restore.js";

const GRAIN = 256; // bytes; memory is kept or left out in pieces of this size
const NOTHING = Buffer.alloc(GRAIN);

/** Clock and chance, which would be in the memory too: two builds are to give the same bytes. Randomness is drawn anew in the page (Session.wake). */
function freeze() {
  let calls = 0;
  performance.now = () => ++calls; // ms
  Date.now = () => Date.UTC(2026, 0, 1) + performance.now();
  crypto.randomFillSync = (array) => array.fill(1);
  syncBuiltinESMExports();
  Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Node.js", platform: "" }, configurable: true }); // newer Nodes have one, with their version in it
}

async function main([runtime, abi, stdlib, numpy, inkling, weights, model, target]) {
  freeze();
  const load = await starter(runtime, abi, stdlib);
  const { pyodide, module, bare } = await start(load);
  prepare(pyodide, { numpy, inkling, weights, model });
  const libraries = describeLibraries(module, target);
  const table = describeTable(module, bare, libraries);
  zeroFreeMemory(module);
  const snapshot = pyodide.makeMemorySnapshot();
  const [, heapStart, stateLength] = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 3);
  const heap = snapshot.slice(heapStart);
  const header = {
    format: FORMAT,
    model,
    madeWith: Object.fromEntries([...["pyodide.asm.wasm", "pyodide.asm.mjs"].map((name) => join(runtime, name)), stdlib, numpy, inkling].map(
      (path) => [basename(path), sha256(readFileSync(path))])),
    libraries: libraries.map(({ exports, memorySize, ...library }) => library),
    table,
    state: JSON.parse(new TextDecoder().decode(snapshot.subarray(48, 48 + stateLength))),
    heapSize: heap.length,
  };
  const fresh = await memoryBefore(load, header, target);
  Object.assign(header, compare(heap, fresh, (place, before) => isData(place, before, bare.data, libraries)));
  writeFileSync(join(target, "heap.bin"), pack(header, header.runs.map(([begin, length]) => heap.subarray(begin, begin + length))));
  const { ownLength, length, got } = bare;
  writeFileSync(join(target, "table.json"), JSON.stringify({ ownLength, length, got }));
}

/** A function that starts Pyodide as the page does, with more options; and the factory of its module. */
async function starter(runtime, abi, stdlib) {
  const indexURL = resolve(runtime) + "/";
  const [{ loadPyodide }, { default: createModule }] = await Promise.all(["pyodide.mjs", "pyodide.asm.mjs"].map((name) => import(pathToFileURL(indexURL + name).href)));
  return (createPyodideModule, options) => loadPyodide({
    indexURL,
    stdLibURL: resolve(stdlib),
    lockFileContents: { info: { abi_version: abi }, packages: {} },
    env: { PYTHONDONTWRITEBYTECODE: "1", PYTHONHASHSEED: "0", PYTHONOPTIMIZE: "2" }, // the seed fixed, or no two builds would give the same bytes
    _sysExecutable: "./this.program", // as in a browser; the path of this script is nobody's business
    createPyodideModule: (settings) => createPyodideModule(createModule, settings),
    ...options,
  });
}

/** Pyodide; its memory as the WebAssembly module itself fills it, and its function table as it was before anything was loaded. */
async function start(load) {
  let module, bare, ownLength, data;
  const pyodide = await load(async (createModule, settings) => {
    const { instantiateWasm } = settings;
    settings.instantiateWasm = (imports, done) => instantiateWasm(imports, (instance, compiled) => {
      ownLength = instance.exports.__indirect_function_table.length;
      data = new Uint8Array(instance.exports.memory.buffer).slice();
      done(instance, compiled);
    });
    module = await withoutTrampoline(() => createModule(settings));
    bare = { ownLength, data, length: module.wasmTable.length, got: gotOf(module) };
    return module;
  }, { _makeSnapshot: true });
  if (module.wasmTable.length !== bare.length) throw new Error("starting Python has changed the function table: this Pyodide is not the one that was studied");
  return { pyodide, module, bare };
}

/** The memory into which the page will put the snapshot: what the WebAssembly modules themselves bring is in it already, and need not be in the file. */
async function memoryBefore(load, header, target) {
  const libraries = header.libraries.map(({ file }) => new WebAssembly.Module(readFileSync(join(target, file))));
  let memory;
  const enough = new Error("enough");
  await load(async (createModule, settings) => {
    const module = await withoutTrampoline(() => createModule(settings));
    await restoreLibraries(module, header, libraries);
    memory = module.HEAPU8.slice();
    throw enough;
  }, { _loadSnapshot: new Uint8Array(16) }).catch((error) => {
    if (error !== enough) throw error;
  });
  return memory;
}

/** Where WebAssembly has garbage collection, Pyodide puts a helper of its own into the table, in one engine and not in another: leave it out. */
async function withoutTrampoline(create) {
  const { Module } = WebAssembly;
  WebAssembly.Module = new Proxy(Module, {
    construct(Module, [bytes]) {
      if (Buffer.from(bytes).includes("trampoline_call")) throw new Error("not now");
      return new Module(bytes);
    },
  });
  try {
    return await create();
  } finally {
    WebAssembly.Module = Module;
  }
}

/** The global offset table: symbol -> address. */
const gotOf = (module) => Object.fromEntries(Object.entries(module.GOT).map(([symbol, { value }]) => [symbol, value]));

/** Brings NumPy, inkling and the model in and lets them do all that they put off until it is asked for. */
function prepare(pyodide, { numpy, inkling, weights, model }) {
  const library = pyodide.FS.readdir("/lib").find((name) => /^python3\.\d+$/.test(name));
  for (const archive of [numpy, inkling]) {
    pyodide.unpackArchive(new Uint8Array(readFileSync(archive)), "zip", { extractDir: `/lib/${library}/site-packages` });
  }
  const source = readFileSync(new URL("prepare_snapshot.py", import.meta.url), "utf8");
  const names = pyodide.runPython("{}");
  pyodide.runPython(source, { globals: names, filename: "prepare_snapshot.py" });
  const [prepareSession, tidy] = ["prepare_session", "tidy"].map((name) => names.get(name));
  const bytes = readFileSync(weights);
  const buffer = pyodide.toPy(new Uint8Array(bytes));
  const session = prepareSession(model, buffer, sha256(bytes));
  pyodide.globals.set("session", session);
  for (const proxy of [session, buffer, prepareSession]) proxy.destroy();
  tidy();
  tidy.destroy();
  names.destroy();
}

/** NumPy's loaded libraries in the order of their functions in the table; writes each into the target folder, and frees the copy of it in memory. */
function describeLibraries(module, target) {
  const { loadedLibsByName, loadedLibsByHandle } = module.LDSO;
  const libraries = Object.entries(loadedLibsByName).filter(([path]) => path !== "__main__").map(([path, library]) => {
    const binary = module.FS.readFile(path);
    const handles = Object.keys(loadedLibsByHandle).map(Number).filter((handle) => loadedLibsByHandle[handle] === library);
    const at = (offset) => module.HEAPU32[(handles[0] + offset) >>> 2]; // of C's struct dso
    const [memoryBase, memorySize, tableBase, tableSize, copy, copySize] = [12, 16, 20, 24, 28, 32].map(at);
    const wanted = module.getDylinkMetadata(binary);
    if (wanted.memorySize !== memorySize || wanted.tableSize !== tableSize || wanted.neededDynlibs.length) {
      throw new Error(`${path} is not laid out in memory as expected: this Pyodide is not the one that was studied`);
    }
    if (Buffer.compare(module.HEAPU8.subarray(copy, copy + copySize), binary)) throw new Error(`${path} does not lie in memory as it was read: this Pyodide is not the one that was studied`);
    module._free(copy); // kept for threads, which there are none of
    module.HEAPU32.fill(0, (handles[0] + 28) >>> 2, (handles[0] + 36) >>> 2);
    const file = `${basename(path).split(".")[0]}.wasm`;
    writeFileSync(join(target, file), binary);
    const { global, refcount, exports } = library;
    return { path, file, sha256: sha256(binary), handles, memoryBase, memorySize, tableBase, tableSize, global, refcount: refcount === Infinity ? null : refcount, exports };
  });
  return libraries.sort((a, b) => a.tableBase - b.tableBase);
}

/** What the function table has beyond the bare one: functions of the libraries outside their own ranges, free slots, changed addresses. */
function describeTable(module, bare, libraries) {
  const { wasmTable } = module;
  const places = new Map(); // function -> [library, export]
  libraries.forEach(({ exports }, i) => {
    for (const [name, value] of Object.entries(exports)) if (typeof value === "function") places.set(value, [i, name]);
  });
  const isOwn = (slot) => libraries.some(({ tableBase, tableSize }) => slot >= tableBase && slot < tableBase + tableSize);
  const slots = [];
  for (let slot = bare.length; slot < wasmTable.length; slot++) {
    if (isOwn(slot)) continue;
    const entry = wasmTable.get(slot);
    if (entry && !places.has(entry)) throw new Error(`function ${slot} (${entry.name}) belongs to no library`);
    slots.push([slot, ...(entry ? places.get(entry) : [null, null])]);
  }
  const got = Object.fromEntries(Object.entries(gotOf(module)).filter(([symbol, value]) => bare.got[symbol] !== value));
  return { bareLength: bare.length, length: wasmTable.length, free: [...module.freeTableIndexes], slots, got };
}

/** Fills what malloc has free with zeros: it is left out of the file then. It is found by asking for all of it. */
function zeroFreeMemory(module) {
  const taken = [];
  module.memory.grow = () => {
    throw new RangeError("not now");
  };
  for (let size = 8 << 20; size >= 16; size = size > 64 ? size >> 1 : size - 16) {
    for (let place = module._malloc(size); place; place = module._malloc(size)) {
      module.HEAPU8.fill(0, place, place + size);
      taken.push(place);
    }
  }
  for (const place of taken) module._free(place);
  delete module.memory.grow;
  module.HEAPU8.fill(0, module.HEAPU32[module._emscripten_get_sbrk_ptr() >>> 2]);
}

/** What differs from the memory before, and what does not though it is not zero: each as [[begin, length]]. */
function compare(heap, fresh, isSame) {
  const runs = [], untouched = [];
  for (let begin = 0; begin < heap.length; begin += GRAIN) {
    const [now, before] = [heap, fresh].map((memory) => grain(memory, begin));
    const isKnown = before.equals(NOTHING) || isSame(begin, before);
    if (!now.equals(before) || !isKnown) append(runs, begin);
    else if (!now.equals(NOTHING)) append(untouched, begin);
  }
  return { runs, untouched, checksum: checksumOf(heap, untouched) };
}

/** Whether a piece of memory holds what lies in the WebAssembly modules themselves: their start code writes what depends on the engine and the page. */
function isData(place, before, data, libraries) {
  if (place < data.length && grain(data, place).equals(before)) return true;
  return libraries.some(({ memoryBase, memorySize }) => place >= memoryBase && place + GRAIN <= memoryBase + memorySize);
}

const grain = (memory, begin) => Buffer.from(memory.buffer, memory.byteOffset + begin, GRAIN);

/** Adds a grain to the last run if it goes on there, else begins another. */
function append(runs, begin) {
  const last = runs.at(-1);
  if (last && last[0] + last[1] === begin) last[1] += GRAIN;
  else runs.push([begin, GRAIN]);
}

function pack(header, parts) {
  const text = Buffer.from(JSON.stringify(header));
  const blanks = Buffer.alloc(-text.length & 3, " ");
  const start = Buffer.alloc(12);
  start.write(MAGIC, "latin1");
  start.writeUInt32LE(text.length + blanks.length, 8);
  const packed = Buffer.concat([start, text, blanks, ...parts]);
  packed.writeInt32LE(checksumOf(packed, [[CHECKED_FROM, packed.length - CHECKED_FROM]]), CHECKSUM_AT);
  return packed;
}

const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");

try {
  await main(process.argv.slice(2));
  process.exit(0); // Pyodide leaves handles open that would keep Node alive
} catch (error) {
  console.error(error.stack.slice(0, 2000)); // left to Node, it would print the line of pyodide.asm.mjs that threw: all 1.2 MB of it
  process.exit(1);
}
