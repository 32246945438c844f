/**
 * Puts the heap snapshot back: Pyodide's memory as it was when Python, NumPy, inkling and a model stood ready (builder/snapshot.mjs made it).
 *
 * Memory alone is not enough. NumPy's shared libraries must be instantiated again, at the very addresses that they had and without
 * running their start code; and the function table must hold each function in the slot that pointers in memory name. All this leans on
 * private parts of one version of Pyodide. So whatever is not as it was is an error here, and the page starts without a snapshot.
 */

import { checksumOf } from "./checksum.js";

export const MAGIC = "INKL";
export const FORMAT = 2;

/**
 * heap.bin: the magic word; a checksum of all behind it (i32, checksum.js) and the header's length (u32), both little endian; the header as JSON,
 * with blanks at its end for whole words of four bytes; the bytes of its runs.
 * @param {Uint8Array} bytes
 * @returns {{header: HeapHeader, data: Uint8Array}}
 */
export function parseHeap(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  const length = view.getUint32(8, true);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== MAGIC) throw new Error("the snapshot is not one");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)));
  if (header.format !== FORMAT) throw new Error(`the snapshot has format ${header.format}, not ${FORMAT}`);
  return { header, data: bytes.subarray(12 + length) };
}

/**
 * Instantiates the libraries at their old places and makes the function table what it was.
 * @param {any} module Emscripten's, which has not run anything yet
 * @param {HeapHeader} header
 * @param {WebAssembly.Module[]} libraries compiled, in the header's order
 * @param {(instance: WebAssembly.Instance, imports: any, i: number) => void} [instantiated] hears of each library
 */
export async function restoreLibraries(module, header, libraries, instantiated = () => {}) {
  const { table } = header;
  const { wasmTable, GOT } = module;
  const trampoline = trampolineOf(module);
  const added = trampoline ? 1 : 0;
  const isNumbered = wasmTable.length === table.bareLength + added && (!trampoline || trampoline.slot === table.bareLength);
  if (!isNumbered) throw new Error("this browser numbers functions in another way");
  if (wasmTable.length < table.length) wasmTable.grow(table.length - wasmTable.length);
  for (let slot = table.bareLength; slot < wasmTable.length; slot++) module.setWasmTableEntry(slot, null);
  for (const [symbol, address] of Object.entries(table.got)) {
    (GOT[symbol] ??= new WebAssembly.Global({ value: "i32", mutable: true }, -1)).value = address;
  }
  if (module.HEAP8.length < header.heapSize) module.growMemory(header.heapSize);
  if (module.HEAP8.length !== header.heapSize) throw new Error(`the memory has ${module.HEAP8.length} bytes, not ${header.heapSize}`);

  const exportsOf = [];
  for (const [i, library] of header.libraries.entries()) {
    exportsOf.push(await instantiate(module, library, libraries[i], (instance, imports) => instantiated(instance, imports, i)));
  }
  for (const [slot, i, name] of table.slots) module.setWasmTableEntry(slot, i === null ? null : exportsOf[i][/** @type {string} */ (name)]);
  for (const { tableBase, tableSize } of header.libraries) module.wasmTableMirror.fill(undefined, tableBase, tableBase + tableSize);
  module.freeTableIndexes.splice(0, Infinity, ...table.free);
  return trampoline;
}

/**
 * Writes the memory over.
 * @param {any} module after `restoreLibraries`
 * @param {HeapHeader} header
 * @param {Uint8Array} data the bytes of all runs
 * @param {Trampoline | null} trampoline what `restoreLibraries` returned
 */
export function restoreMemory(module, { runs, untouched, checksum }, data, trampoline) {
  if (checksumOf(module.HEAPU8, untouched) !== checksum) throw new Error("this browser sets the memory up in another way");
  let begin = 0;
  for (const [place, length] of runs) {
    module.HEAPU8.set(data.subarray(begin, begin + length), place);
    begin += length;
  }
  if (begin !== data.length) throw new Error(`the snapshot has ${data.length} bytes, not ${begin}`);
  if (!trampoline) return;
  const slot = module.wasmTable.grow(1);
  module.setWasmTableEntry(slot, trampoline.call);
  module.HEAP32[trampolinePlace(module)] = slot;
}

/** Where in memory, in words, its number stands. @param {any} module */
function trampolinePlace(module) {
  return (module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET >> 2]) >> 2;
}

/** @param {any} module @returns {Trampoline | null} */
function trampolineOf(module) {
  const slot = module.HEAP32[trampolinePlace(module)];
  return slot ? { slot, call: module.wasmTable.get(slot) } : null;
}

/**
 * One library at its old place. Its start code has run already, before the snapshot.
 * @param {any} module
 * @param {HeapHeader["libraries"][number]} library
 * @param {WebAssembly.Module} compiled
 * @param {(instance: WebAssembly.Instance, imports: any) => void} instantiated
 */
async function instantiate(module, { path, handles, memoryBase, tableBase, global, refcount }, compiled, instantiated) {
  const { GOT, LDSO } = module;
  const main = LDSO.loadedLibsByName.__main__.exports;
  const known = (/** @type {string} */ symbol) => (symbol in main && !main[symbol].stub ? main[symbol] : null);
  /** @type {Record<string, any>} */
  let exports = {};
  const symbols = new Proxy(/** @type {Record<string, any>} */ ({ __memory_base: memoryBase, __table_base: tableBase }), {
    get: (own, symbol) => own[/** @type {string} */ (symbol)] ??= known(/** @type {string} */ (symbol)) ?? ((/** @type {any[]} */ ...values) => exports[/** @type {string} */ (symbol)](...values)),
  });
  const addresses = new Proxy({}, {
    get(_, symbol) {
      if (!GOT[symbol]) throw new Error(`${path} wants ${String(symbol)}, which there was not`);
      return GOT[symbol];
    },
  });
  const imports = { env: symbols, wasi_snapshot_preview1: symbols, "GOT.mem": addresses, "GOT.func": addresses };
  const instance = await WebAssembly.instantiate(compiled, imports);
  instantiated(instance, imports);
  exports = module.relocateExports(instance.exports, memoryBase);
  for (const { kind, name } of WebAssembly.Module.imports(compiled)) {
    if (kind === "function" && !known(name) && !exports[name]) throw new Error(`${path} wants ${name}, which there is not`);
  }
  const entry = { refcount: refcount ?? Infinity, name: path, exports, global };
  LDSO.loadedLibsByName[path] = entry;
  for (const handle of handles) LDSO.loadedLibsByHandle[handle] = entry;
  return exports;
}
