/**
 * Functions of JavaScript as functions of WebAssembly. Pyodide's WebAssembly wants 280 by address, nearly all of them OpenGL's, so they stand in its
 * function table; only the latter can, and Emscripten makes a module and an instance for each, after an error that says so. Here one module does for all.
 */

/** Signatures as Emscripten writes them: what is returned, v for nothing, then the arguments. */
const TYPES = /** @type {Record<string, number>} */ ({ i: 0x7f, p: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c, e: 0x6f });
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** @typedef {Function & {sig?: string}} Imported */

/**
 * Until the returned function is called, wrapped ones stand where Emscripten looks for what goes into the table. It goes through them in
 * its own order, so that each gets the number that it would have had.
 * @param {WebAssembly.Module} module instantiated already: it has got the functions themselves
 * @param {Record<string, Imported>} environment all that Pyodide offers it
 * @returns {() => void}
 */
export function offerWrapped(module, environment) {
  const names = WebAssembly.Module.imports(module).filter((wanted) => wanted.module === "GOT.func").map(({ name }) => name)
    .filter((name) => typeof environment[name]?.sig === "string");
  const originals = Object.fromEntries(names.map((name) => [name, environment[name]]));
  const wrapped = wrap([...new Set(Object.values(originals))]);
  for (const name of names) environment[name] = /** @type {Imported} */ (wrapped.get(originals[name]));
  return () => void Object.assign(environment, originals);
}

/**
 * Each function with the function of WebAssembly that calls it.
 * @param {Imported[]} functions
 * @returns {Map<Imported, Imported>}
 */
export function wrap(functions) {
  const kinds = [...new Set(functions.map(({ sig }) => /** @type {string} */ (sig)))];
  const kindOf = new Map(kinds.map((sig, i) => [sig, i]));
  const types = kinds.map((sig) => [0x60, ...list(typesOf(sig.slice(1))), ...list(typesOf(sig[0] === "v" ? "" : sig[0]))]);
  const imports = functions.map(({ sig }, i) => [...text(""), ...text(String(i)), 0x00, ...number(/** @type {number} */ (kindOf.get(/** @type {string} */ (sig))))]);
  const exports = functions.map((_, i) => [...text(String(i)), 0x00, ...number(i)]);
  const module = new WebAssembly.Module(Uint8Array.from([...HEADER, ...section(1, types), ...section(2, imports), ...section(7, exports)]));
  const instance = new WebAssembly.Instance(module, { "": /** @type {any} */ (functions) });
  return new Map(functions.map((original, i) => [original, /** @type {Imported} */ (instance.exports[i])]));
}

/** @param {string} letters */
const typesOf = (letters) => Array.from(letters, (letter) => {
  if (!(letter in TYPES)) throw new Error(`no type of WebAssembly has the letter ${letter}`);
  return [TYPES[letter]];
});

/** @param {number} id @param {number[][]} entries */
function section(id, entries) {
  const content = list(entries);
  return [id, ...number(content.length), ...content];
}

/** @param {number[][]} entries */
const list = (entries) => [...number(entries.length), ...entries.flat()];

/** @param {string} ascii */
const text = (ascii) => list(Array.from(ascii, (letter) => [letter.charCodeAt(0)]));

/** LEB128. @param {number} value @returns {number[]} */
const number = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...number(value >>> 7)]);
