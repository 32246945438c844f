/**
 * What the engine starts from in the single file, in place of site/js/start.js: the worker's script and all that the worker
 * loads stand in the page as data blocks, gzipped and then written in 85 letters. They leave the document when they are read;
 * the gzipped bytes stay, so that a worker that dies can be replaced.
 */

import { assets } from "../../site/js/assets.js";

/** @typedef {FileAsset & {parts?: string[]}} CarriedAsset parts: the data blocks that make up the file */

const LETTERS = 85;
const FIRST_LETTER = 35; // "#"; from there on in the order of their codes, without "<", which could end a data block
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => code - FIRST_LETTER - (code > 60 ? 1 : 0));

/** @type {Promise<{blocks: Record<string, Uint8Array<ArrayBuffer>>, script: Blob}> | undefined} */
let carried;

/** @type {Worker | null} one that reads its script while the page still reads the rest */
let ahead = null;

/** Nothing is fetched. */
export const errandOfWorker = () => null;
/** @returns {HostTraits} */
export const hostTraits = () => ({ plain: false, trusting: false, hands: "nothing" });

/** A classic worker: browsers let no page from a file start one that runs modules. @returns {Promise<Worker | null>} */
export async function startWorker() {
  if (typeof Worker !== "function") return null;
  const { script } = await contents();
  const worker = ahead ?? workerOf(script);
  ahead = null;
  return worker;
}

/** @param {Blob} script */
function workerOf(script) {
  const url = URL.createObjectURL(script);
  const worker = new Worker(url, { name: "inkling" });
  worker.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
  return worker;
}

/** The asset map, each file with its bytes. @returns {Promise<typeof assets>} */
export async function assetMap() {
  const { blocks } = await contents();
  /** @template {Record<string, CarriedAsset>} T @param {T} group @returns {T} */
  const filled = (group) => /** @type {T} */ (Object.fromEntries(Object.entries(group).map(
    ([name, { parts, ...asset }]) => [name, { ...asset, data: (parts ?? []).map((part) => blocks[part]) }])));
  return { ...assets, files: filled(assets.files), models: filled(assets.models) };
}

function contents() {
  carried ??= read().catch((error) => {
    carried = undefined; // to be read again, if there is another try
    throw error;
  });
  return carried;
}

async function read() {
  if (document.readyState === "loading") await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
  /** @type {NodeListOf<HTMLElement>} */
  const elements = document.querySelectorAll("script[data-block]");
  const standing = Object.fromEntries(Array.from(elements, (element) => [element.dataset.block, element]));
  const names = [...Object.values(assets.files), ...Object.values(assets.models)].flatMap((/** @type {CarriedAsset} */ { parts }) => parts ?? []);
  for (const name of ["worker.js", ...names]) if (!standing[name]) throw damaged(name);
  const script = await unpacked(bytesOf(standing["worker.js"]));
  // Nothing is waited for from here until the engine has it and listens: an error of the worker's is heard.
  if (typeof Worker === "function") ahead = workerOf(script);
  try {
    const blocks = Object.fromEntries(names.map((name) => [name, bytesOf(standing[name])]));
    for (const element of elements) element.remove();
    return { blocks, script };
  } catch (error) {
    ahead?.terminate();
    throw error;
  }
}

/** @param {HTMLElement} element @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(element) {
  const text = element.textContent ?? "";
  const groups = text.length / 5;
  const size = Number(element.dataset.bytes);
  if (groups !== Math.ceil(size / 4)) throw damaged(element.dataset.block);
  const letters = new TextEncoder().encode(text);
  const numbers = new Uint32Array(groups);
  for (let group = 0, i = 0; group < groups; group++) {
    let number = 0;
    for (const end = i + 5; i < end; i++) number = Math.imul(number, LETTERS) + VALUES[letters[i]];
    numbers[group] = number;
  }
  return new Uint8Array(numbers.buffer, 0, size);
}

/** @param {Uint8Array<ArrayBuffer>} script gzipped @returns {Promise<Blob>} */
async function unpacked(script) {
  const body = /** @type {ReadableStream} */ (new Response(script).body);
  try {
    return await new Response(body.pipeThrough(new DecompressionStream("gzip")), { headers: { "content-type": "text/javascript" } }).blob();
  } catch (error) {
    console.error(error);
    throw damaged("worker.js");
  }
}

/** @param {string | undefined} name */
function damaged(name) {
  return Object.assign(new Error(`Could not load ${name}: this page is incomplete or damaged.`), {
    name: "LoadError",
    hint: "Copy or download the page again.",
  });
}
