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
  const bytes = [...HEADER];
  putSection(bytes, 1, kinds, (out, sig) => {
    out.push(0x60);
    putTypes(out, sig.slice(1));
    putTypes(out, sig[0] === "v" ? "" : sig[0]);
  });
  putSection(bytes, 2, functions, (out, { sig }, i) => {
    putText(out, "");
    putText(out, String(i));
    out.push(0x00);
    putNumber(out, /** @type {number} */ (kindOf.get(/** @type {string} */ (sig))));
  });
  putSection(bytes, 7, functions, (out, _, i) => {
    putText(out, String(i));
    out.push(0x00);
    putNumber(out, i);
  });
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const instance = new WebAssembly.Instance(module, { "": /** @type {any} */ (functions) });
  return new Map(functions.map((original, i) => [original, /** @type {Imported} */ (instance.exports[i])]));
}

/**
 * @template T
 * @param {number[]} out
 * @param {number} id
 * @param {T[]} entries
 * @param {(out: number[], entry: T, i: number) => void} put
 */
function putSection(out, id, entries, put) {
  /** @type {number[]} */
  const content = [];
  putNumber(content, entries.length);
  entries.forEach((entry, i) => put(content, entry, i));
  out.push(id);
  putNumber(out, content.length);
  for (const byte of content) out.push(byte);
}

/** @param {number[]} out @param {string} letters */
function putTypes(out, letters) {
  putNumber(out, letters.length);
  for (const letter of letters) {
    if (!(letter in TYPES)) throw new Error(`no type of WebAssembly has the letter ${letter}`);
    out.push(TYPES[letter]);
  }
}

/** @param {number[]} out @param {string} ascii */
function putText(out, ascii) {
  putNumber(out, ascii.length);
  for (let i = 0; i < ascii.length; i++) out.push(ascii.charCodeAt(i));
}

/** LEB128. @param {number[]} out @param {number} value */
function putNumber(out, value) {
  for (; value >= 0x80; value >>>= 7) out.push((value & 0x7f) | 0x80);
  out.push(value);
}
