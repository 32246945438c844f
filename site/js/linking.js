/**
 * Functions and addresses under the numbers that they have in the heap snapshot. Emscripten gives each of seven thousand exported functions a place
 * in its table, one by one, at every start; the build has done that (builder/halves.py), and most of the exports are not even there until the rest of Python is.
 */

import { wrap } from "./wrapping.js";

/** functions: exported name -> place in the table; others: name of a function of JavaScript -> the same @typedef {{functions: Record<string, number>, others: Record<string, number>}} Links */
/** functions: name -> place in the table; data: name -> address @typedef {{functions: Record<string, number>, data: Record<string, number>}} Symbols */

/**
 * Before Emscripten sees the instance: whatever has a number already gets no other.
 * @param {Links} links
 * @param {WebAssembly.Instance} instance
 * @param {any} imports what that was made with
 * @returns {() => void} to be called when Emscripten's module is there
 */
export function link({ functions, others }, { exports }, imports) {
  const table = /** @type {WebAssembly.Table} */ (exports.__indirect_function_table);
  const { env, "GOT.func": got } = imports;
  for (const [name, place] of Object.entries(functions)) got[name].value = place;
  const wrapped = wrap([...new Set(Object.keys(others).map((name) => env[name]))]);
  for (const [name, place] of Object.entries(others)) {
    table.set(place, wrapped.get(env[name]));
    got[name].value = place;
  }
  // Given its first new function, Emscripten looks through the whole table for it; that it need not before `linkRest`.
  Object.defineProperty(table, "length", { value: 0, configurable: true });
  return () => void delete (/** @type {any} */ (table).length);
}

/**
 * All that the primary does not export, for libraries that are loaded from now on.
 * @param {any} module Emscripten's
 * @param {Symbols} symbols
 */
export function linkRest(module, { functions, data }) {
  const { GOT, LDSO, wasmTable } = module;
  const main = LDSO.loadedLibsByName.__main__.exports;
  const offer = (/** @type {string} */ name, /** @type {number} */ address, /** @type {any} */ value) => {
    GOT[name] ??= new WebAssembly.Global({ value: "i32", mutable: true }, -1);
    if (GOT[name].value === -1) GOT[name].value = address;
    if (!(name in main) || main[name].stub) main[name] = value;
  };
  for (const [name, place] of Object.entries(functions)) offer(name, place, wasmTable.get(place));
  for (const [name, address] of Object.entries(data)) offer(name, address, new WebAssembly.Global({ value: "i32" }, address));
  module.updateTableMap(0, wasmTable.length);
}
