/**
 * WebAssembly modules that the build has cut in two (builder/wasm.py): the primary has the functions that starting calls, the secondary the others.
 * Here they become one again: while the primary runs, or in the file that they were made from.
 */

import { checksumOf } from "./checksum.js";
import { compile } from "./downloads.js";
import { wrap } from "./wrapping.js";

/** A custom section of both, what the primary exports for the secondary, and where that imports it from. */
const PART = "split";

/**
 * of: sha256 of the module that was cut; id: what two halves of the same cut have in common; bytes, checksum: of the secondary, in the primary
 * @typedef {{of: string, id: string, bytes: number, checksum: number, links?: import("./linking.js").Links, symbols?: import("./linking.js").Symbols}} Part
 */

/** What a module is a part of, null if it is whole. @param {WebAssembly.Module} module @returns {Part | null} */
export function partOf(module) {
  const [section] = WebAssembly.Module.customSections(module, PART);
  return section ? JSON.parse(new TextDecoder().decode(section)) : null;
}

/**
 * Has the secondary come at once should one of its functions be called.
 * @param {Part} part of the primary
 * @param {WebAssembly.Instance} instance of the primary
 * @param {any} imports what that was made with
 * @param {FileAsset} file the secondary
 * @param {(symbols: any) => void} [joined] called when it is there
 * @returns {() => Promise<void>} has it come when there is time
 */
export function bringLater(part, { exports }, imports, file, joined = () => {}) {
  const table = /** @type {WebAssembly.Table} */ (exports[`${PART}:functions`]);
  const there = /** @type {WebAssembly.Global} */ (exports[`${PART}:there`]);
  const join = (/** @type {WebAssembly.Module} */ secondary) => {
    if (there.value) return; // it was called for while it was on its way
    const other = partOf(secondary);
    if (other?.id !== part.id) throw new Error(`${file.url} belongs to another build`);
    const wanted = WebAssembly.Module.imports(secondary).filter(({ module }) => module === PART);
    const shared = Object.fromEntries(wanted.map(({ name }) => [name, exports[`${PART}:${name}`]]));
    new WebAssembly.Instance(secondary, { ...imports, [PART]: shared }); // puts its functions into the table
    there.value = 1;
    joined(other.symbols);
  };
  const bringNow = Object.assign(() => join(new WebAssembly.Module(bytesNow(file, part))), { sig: "v" });
  table.set(0, wrap([bringNow]).get(bringNow));
  return async () => {
    if (!there.value) join(await compile(file, () => {}));
  };
}

/**
 * A file while everything waits for it. There is no sha256 to be had without a pause, so it is told by its checksum.
 * @param {FileAsset} file
 * @param {Part} part
 */
function bytesNow(file, { bytes, checksum }) {
  if (file.data) throw new Error("A part of Python that is still being unpacked was called."); // the single file's, in its first moments
  for (const url of [file.url, `${file.url}?anew`]) { // what the browser has kept of the first may be what is wrong
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.responseType = "arraybuffer";
    request.send();
    const content = new Uint8Array(request.response ?? new ArrayBuffer(0));
    if (content.length === bytes && checksumOf(content, [[0, bytes]]) === checksum) return content;
  }
  throw new Error(`${file.url} came incomplete or damaged`);
}

const HEADER = 8; // bytes before the first section
const CUSTOM = 0, CODE = 10; // sections
const CHANGED = [4, 6, 7, 9]; // in the primary: tables, globals, exports, elements

/** @typedef {{id: number, name: string, raw: Uint8Array<ArrayBuffer>, content: Uint8Array<ArrayBuffer>}} Section raw: with its head; content: behind the name, if it has one */

/**
 * The module that two halves were made from, byte for byte: who calls it must look whether it is.
 * @param {Uint8Array<ArrayBuffer>} primary
 * @param {Uint8Array<ArrayBuffer>} secondary
 * @returns {{bytes: Uint8Array<ArrayBuffer>, sha256: string}} the hash is the one that it should have
 */
export function whole(primary, secondary) {
  const own = sectionsOf(primary, HEADER);
  const others = sectionsOf(secondary, HEADER);
  const named = (/** @type {string} */ name) => /** @type {Section} */ (others.find((section) => section.id === CUSTOM && section.name === name)).content;
  const kept = named("kept");
  const replaced = new Map(sectionsOf(named("replaced"), 0).map((section) => [section.id, section.raw]));
  const bodies = [own, others].map((sections) => bodiesOf(/** @type {Section} */ (sections.find(({ id }) => id === CODE)).content));
  const parts = [primary.subarray(0, HEADER)];
  for (const { id, name, raw } of own) {
    if (id === CUSTOM && name === PART) continue;
    if (id === CODE) {
      const chosen = bodies[0].map((body, i) => (kept[i >> 3] >> (i & 7)) & 1 ? body : bodies[1][i]);
      const count = numberBytes(chosen.length);
      const size = chosen.reduce((sum, body) => sum + body.length, count.length);
      parts.push(Uint8Array.of(CODE, ...numberBytes(size), ...count), ...chosen);
    } else if (!CHANGED.includes(id)) {
      parts.push(raw);
    } else if (replaced.has(id)) { // else there was none
      parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (replaced.get(id)));
    }
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return { bytes, sha256: JSON.parse(new TextDecoder().decode(named(PART))).of };
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} begin @returns {Section[]} */
function sectionsOf(bytes, begin) {
  const sections = [];
  for (let place = begin; place < bytes.length;) {
    const id = bytes[place];
    const [size, at] = numberAt(bytes, place + 1);
    const end = at + size;
    const [length, text] = id === CUSTOM ? numberAt(bytes, at) : [0, at];
    const name = new TextDecoder().decode(bytes.subarray(text, text + length));
    sections.push({ id, name, raw: bytes.subarray(place, end), content: bytes.subarray(text + length, end) });
    place = end;
  }
  return sections;
}

/** Function bodies, each with its length before it. @param {Uint8Array<ArrayBuffer>} code */
function bodiesOf(code) {
  const [count, first] = numberAt(code, 0);
  const bodies = [];
  for (let i = 0, place = first; i < count; i++) {
    const [size, at] = numberAt(code, place);
    bodies.push(code.subarray(place, at + size));
    place = at + size;
  }
  return bodies;
}

/** LEB128: the number, and the place behind it. @param {Uint8Array} bytes @param {number} place @returns {[number, number]} */
function numberAt(bytes, place) {
  let number = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[place++];
    number += (byte & 0x7f) * 2 ** shift;
    if (!(byte & 0x80)) return [number, place];
  }
}

/** @param {number} number */
function numberBytes(number) {
  const bytes = [];
  for (; number >= 0x80; number >>>= 7) bytes.push((number & 0x7f) | 0x80);
  return [...bytes, number];
}
