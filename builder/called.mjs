// Notes which functions of Python and NumPy are called when the page starts from the snapshot and reads digits, by the page's own code.
//
//   node called.mjs RUNTIME ABI FOLDER STDLIB TARGET MODULE...
//
// RUNTIME is the folder with Pyodide's scripts; FOLDER has heap.bin and marked-<MODULE> of each module, by builder/wasm.py, Pyodide's own first.
// Writes {module: [numbers of the functions that were called]} to TARGET.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const SIDE = 280; // px of a drawing, as the page's
const PICTURES = [90, 280, 900]; // px of a side
const ROUNDS = 24; // drawings; by then Python has cleaned up once, and some were doubtful

// As in a worker: Pyodide is not to know of Node, nor to read from its disk.
const { argv, exit } = process;
process.on("uncaughtException", fail);
globalThis.WorkerGlobalScope = Object;
globalThis.self = globalThis;
globalThis.location = new URL("file:///");
globalThis.process = undefined;

const [runtime, abi, folder, stdlib, target, ...names] = argv.slice(2);
const { bootFromSnapshot } = await import("../site/js/booting.js");

/** Modules -> their tables of what was called. */
const tables = {};
const { instantiate } = WebAssembly;
const compiled = Object.fromEntries(names.map((name) => [name, new WebAssembly.Module(readFileSync(join(folder, `marked-${name}`)))]));
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  const name = names.find((known) => compiled[known] === module);
  if (name) tables[name] = instance.exports.called;
  return instance;
};

async function main() {
  const { pyodide, session } = await boot();
  for (let round = 0; round < ROUNDS; round++) {
    const drawing = draw(round);
    for (const numbers of [false, true]) {
      for (const once of [false, true]) read(pyodide, session.predict, drawing, 1, numbers, once);
    }
  }
  read(pyodide, session.predict, new Uint8Array(SIDE * SIDE), 1, false, false);
  read(pyodide, session.debug, draw(1), 1);
  for (const size of PICTURES) {
    for (const paint of [photograph, onPaper, onBoard, onNothing]) {
      for (const numbers of [false, true]) read(pyodide, session.predict, picture(size, paint), 4, numbers, false);
      read(pyodide, session.debug, picture(size, paint), 4);
    }
  }
  toJs(session.health());
  session.self_test(SIDE).destroy();
  const gc = pyodide.pyimport("gc");
  gc.collect();
  gc.destroy();
  const called = Object.fromEntries(names.map((name) => [name, numbersOf(tables[name])]));
  if (!called[names[0]].length) throw new Error("nothing was noted");
  writeFileSync(target, JSON.stringify(called));
}

function boot() {
  const { madeWith, libraries } = headerOf(readFileSync(join(folder, "heap.bin")));
  const file = (path, sha256) => ({ url: pathToFileURL(path).href, bytes: 0, sha256 });
  const files = Object.fromEntries(Object.entries(madeWith).map(([name, sha256]) => [name, file(join(runtime, name), sha256)]));
  for (const library of libraries) files[library.file] = file(join(folder, library.file), library.sha256);
  files["python_stdlib.zip"].url = pathToFileURL(stdlib).href;
  const parts = { "heap.bin": Promise.resolve(new Uint8Array(readFileSync(join(folder, "heap.bin")))) };
  for (const name of names) parts[name] = Promise.resolve(compiled[name]);
  for (const name of ["pyodide.mjs", "pyodide.asm.mjs"]) parts[name] = import(pathToFileURL(join(runtime, name)).href);
  return bootFromSnapshot({ files, parts, abi, enter() {} });
}

function headerOf(heap) {
  return JSON.parse(heap.subarray(12, 12 + heap.readUInt32LE(8)).toString());
}

/** As the worker does for every drawing. */
function read(pyodide, method, pixels, channels, ...options) {
  const buffer = pyodide.toPy(pixels);
  const side = Math.sqrt(pixels.length / channels);
  const value = toJs(method(buffer, side, side, channels, ...options));
  buffer.destroy();
  return value;
}

function toJs(proxy) {
  const value = proxy.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
  proxy.destroy();
  return value;
}

/** Some strokes, straight and round, others each round. */
function draw(round) {
  const pixels = new Uint8Array(SIDE * SIDE);
  let seed = round + 1;
  const chance = (from, to) => from + ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32) * (to - from);
  for (let stroke = 0; stroke <= round % 4; stroke++) {
    const [x, y, across, down, turn] = [chance(60, 220), chance(60, 220), chance(10, 60), chance(20, 80), chance(0.5, 6.3)];
    for (let angle = 0; angle < turn; angle += 0.02) dot(pixels, x + across * Math.cos(angle), y + down * Math.sin(angle));
  }
  return pixels;
}

function dot(pixels, x, y) {
  for (let dy = -9; dy <= 9; dy++) {
    for (let dx = -9; dx <= 9; dx++) {
      const [column, row] = [Math.round(x + dx), Math.round(y + dy)];
      if (dx * dx + dy * dy <= 81 && column >= 0 && column < SIDE && row >= 0 && row < SIDE) pixels[row * SIDE + column] = 255;
    }
  }
}

/** Two drawings side by side, as RGBA. */
function picture(side, paint) {
  const [left, right] = [draw(1), draw(2)];
  const pixels = new Uint8Array(4 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const at = Math.floor((row / side) * SIDE) * SIDE;
      const across = Math.floor((column / side) * 2 * SIDE);
      const ink = across < SIDE ? left[at + across] : right[at + across - SIDE];
      pixels.set(paint(ink > 0, row / side, (row * 7 + column * 13) % 11), 4 * (row * side + column));
    }
  }
  return pixels;
}

// What a pixel shows: dark ink on paper in uneven light and with grain, in even light, the other way round, and on nothing.
const photograph = (ink, down, grain) => [...Array(3).fill((ink ? 40 : 120 + Math.floor(100 * down)) + grain), 255];
const onPaper = (ink) => [...Array(3).fill(ink ? 20 : 250), 255];
const onBoard = (ink) => [...Array(3).fill(ink ? 240 : 15), 255];
const onNothing = (ink) => [0, 0, 0, ink ? 255 : 0];

function numbersOf(table) {
  return Array.from({ length: table.length }, (_, i) => i).filter((i) => table.get(i) !== null);
}

try {
  await main();
  exit(0);
} catch (error) {
  fail(error);
}

function fail(error) {
  console.error(String(error.stack).slice(0, 2000)); // left to Node, it would print the line of pyodide.asm.mjs that threw: all 1.2 MB of it
  exit(1);
}
