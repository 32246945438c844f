/**
 * Getting the large files, out of the network or the page itself: counted byte by byte, as small as they come, and never
 * waiting for ever.
 */

import { CHECKED_FROM, CHECKSUM_AT, checksumOf } from "./checksum.js";

/** @typedef {(bytes: number) => void} Count */

export const fetchFile = self.fetch.bind(self); // as it was before Pyodide got another
// Bytes that are hashed at a time, as the build has hashed them (builder/common.py), and worked off in one task: eleven megabytes at once would stop the
// page, and with half as many at a time it starts later.
const PIECE = 2 ** 20;
const STALLED_AFTER = 30_000; // ms without a single byte; then the network counts as gone

/** What the single file brings in another way: scripts that came with the worker's own, and files that stand in the page. */
export const included = {
  /** @type {Record<string, () => Promise<any>>} */
  scripts: {},
  /** @type {(file: FileAsset) => Response | null} */
  open: () => null,
};

/**
 * What a script exports. It is imported at once; its bytes come apart from that, to be checked before anything is computed with it.
 * @param {FileAsset} file
 * @param {Count} count
 */
export async function importScript(file, count) {
  const own = included.scripts[nameOf(file)];
  if (own) {
    count(file.bytes);
    return own();
  }
  const load = (/** @type {string} */ url) => import(url).catch((error) => {
    throw unreachable(file, error);
  });
  if (file.cache === "reload") { // what the browser has kept may be what was wrong
    await download(file, count);
    return load(file.url);
  }
  const early = load(file.url);
  early.catch(() => {}); // what was wrong may not even be a script
  await download(file, count);
  const wasWrong = /** @type {string} */ (file.cache) === "reload"; // and by its own address it would be the one that is there already
  return wasWrong ? load(`${file.url}?anew`) : early;
}

/**
 * A whole file, counted while it comes, and certainly the right one.
 * @param {FileAsset} file
 * @param {Count} count
 * @param {AbortSignal} [end]
 */
export function download(file, count, end) {
  return attempt(file, count, end, (response, counted) => arriving(file, response, counted, new Uint8Array(file.bytes)));
}

/**
 * The compiled module of certainly the right file, on the page: it is compiled by pieces, as a browser that is given the response works off
 * in one task whatever has come, and the page would stand still for so long.
 * @param {FileAsset} wasm
 * @param {Count} count
 * @param {AbortSignal} end
 */
export function compilePieces(wasm, count, end) {
  return attempt(wasm, count, end, async (response, counted) => {
    /** @type {ReadableStreamDefaultController} */
    let compiler;
    const pieces = new ReadableStream({ start: (controller) => void (compiler = controller) });
    const compiled = WebAssembly.compileStreaming(new Response(pieces, { headers: { "content-type": "application/wasm" } }));
    const checked = arriving(wasm, response, counted, undefined, (part) => compiler.enqueue(part));
    checked.then(() => compiler.close()).catch((error) => compiler.error(error));
    const [module] = await Promise.all([compiled, checked]);
    return module;
  });
}

/**
 * The same in the worker, which may stand still. Browsers keep the machine code for the next visit, but only that of a response
 * as it came: so that one is compiled, and a copy of it is checked.
 * @param {FileAsset} wasm
 * @param {Count} count
 */
export function compile(wasm, count) {
  return attempt(wasm, count, undefined, async (response, counted) => {
    const copy = response.clone();
    const isTyped = response.headers.get("content-type") === "application/wasm"; // else the compiler refuses it
    const typed = isTyped ? response : new Response(response.body, { headers: { "content-type": "application/wasm" } });
    const [module] = await Promise.all([WebAssembly.compileStreaming(typed), arriving(wasm, copy, counted)]);
    return module;
  });
}

/**
 * Has the file come and does the work with it; gives up when nothing has arrived for a while, and says in people's words what was wrong.
 * @template T
 * @param {FileAsset} file
 * @param {Count} count
 * @param {AbortSignal | undefined} end nobody wants it any more
 * @param {(response: Response, counted: Count) => Promise<T>} work
 */
async function attempt(file, count, end, work) {
  const controller = new AbortController();
  const abort = () => controller.abort(end?.reason);
  end?.addEventListener("abort", abort);
  /** @type {Error | null} */
  let stalled = null;
  let last = performance.now();
  let counted = 0;
  let hasCome = false;
  const watchdog = setInterval(() => {
    if (performance.now() - last < STALLED_AFTER) return;
    stalled = new Error(`nothing has arrived for ${STALLED_AFTER / 1000} seconds`);
    controller.abort(stalled);
  }, 500);
  try {
    const response = await open(file, controller.signal);
    hasCome = true;
    return await work(response, (bytes) => {
      controller.signal.throwIfAborted();
      last = performance.now();
      counted += bytes;
      count(bytes);
    });
  } catch (error) {
    controller.abort(); // of what was wrong nothing more is to come, and to be counted
    const isFirst = file.cache !== "reload";
    file.cache = "reload"; // what is wrong must not come out of the browser's cache for ever
    if (isFirst && hasCome && !stalled && !file.data && !end?.aborted) { // something came, and was wrong: the file itself, from the host, may be right
      count(-counted);
      return await attempt(file, count, end, work);
    }
    throw unreachable(file, stalled ?? (error instanceof WebAssembly.CompileError ? damaged() : error));
  } finally {
    clearInterval(watchdog);
    end?.removeEventListener("abort", abort);
  }
}

/**
 * Counted and hashed while it comes, or where that is not to be had or known already, by its own checksum if it has one, on the page a piece a task: worked off in the task that brought it, what lies there in heaps would hold it up.
 * @param {FileAsset} file
 * @param {Response} response
 * @param {Count} counted
 * @param {Uint8Array<ArrayBuffer>} [store] as long as the file; without it, nobody wants its bytes afterwards
 * @param {(part: Uint8Array) => void} [pass] hears of every part as it comes
 */
async function arriving(file, response, counted, store = new Uint8Array(PIECE), pass = () => {}) {
  /** @type {Promise<ArrayBuffer>[]} */
  const hashes = [];
  const isHashed = canHash && !isKept(file, response);
  const isSummed = !isHashed && nameOf(file) === CHECKED_BY_ITSELF;
  let size = 0, checked = 0, sum = 0;
  const checkPiece = () => { // the hash is of a copy, made before this returns: what comes next may be put in the same place
    const begin = checked % store.length;
    const piece = store.subarray(begin, begin + size - checked);
    if (isHashed) hashes.push(sha256(piece));
    else if (isSummed) sum = checksumOf(piece, [checked ? [0, piece.length] : [CHECKED_FROM, piece.length - CHECKED_FROM]], sum);
    checked = size;
  };
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (let { done, value } = await reader.read(); !done && value; { done, value } = await reader.read()) {
    for (let at = 0, part; at < value.length; at += part.length) {
      part = value.subarray(at, at + PIECE - (size % PIECE)); // no further than this piece's end
      if (isPage) await turn();
      if (size + part.length > file.bytes) throw damaged();
      store.set(part, size % store.length);
      size += part.length;
      counted(part.length);
      if (size % PIECE === 0) checkPiece();
      pass(part);
    }
  }
  if (size !== file.bytes) throw damaged();
  if (size % PIECE) checkPiece();
  if (isSummed && new DataView(store.buffer).getInt32(CHECKSUM_AT, true) !== sum) throw damaged();
  if (isHashed && hex(await ofPieces(await Promise.all(hashes))) !== (file.pieces ?? file.sha256)) throw damaged();
  return store;
}

const CHECKED_BY_ITSELF = "heap.bin";

/**
 * Whether it lies in the cache of our own service worker, which has hashed it before keeping it and says so (sw.js). So it does of the
 * heap alone: that has a checksum in it that tells what went bad since. After a failure nobody is believed.
 * @param {FileAsset} file
 * @param {Response} response
 */
function isKept(file, response) {
  return Boolean(file.trusting) && file.cache !== "reload" && response.headers.get("inkling-sha256") === file.sha256;
}

/**
 * The file as a response, decoded whatever it came as. A host that would send a large one as it is (it names the length of
 * the whole) is asked for the .gz beside it instead. After a failure nothing is tried but the file itself, nor where our own service worker
 * keeps it: decoded, though with the length that the host named.
 * @param {FileAsset} file
 * @param {AbortSignal} signal
 */
async function open(file, signal) {
  const standing = included.open(file);
  if (standing) return standing;
  const get = async (/** @type {string} */ url) => {
    const response = await fetchFile(url, { signal, cache: file.cache });
    if (!response.ok || !response.body) throw new Error(`the host answered ${response.status}`);
    return response;
  };
  if (!file.gz || file.trusting || file.cache === "reload") return get(file.url);
  if (!file.plain) {
    const response = await get(file.url);
    if (response.headers.get("content-length") !== String(file.bytes)) return response;
    response.body?.cancel();
  }
  return get(`${file.url}.gz`).then(unpacked).catch(() => get(file.url)); // the .gz was not copied to the host, or stays unread in an old browser
}

/**
 * Some hosts call a .gz an encoding of the file, and then the browser has undone it already: the first bytes tell.
 * @param {Response} response
 */
async function unpacked(response) {
  const [probe, body] = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).tee();
  const reader = probe.getReader();
  const { value: first } = await reader.read();
  reader.cancel();
  const isPacked = first?.[0] === 0x1f && first[1] === 0x8b;
  return new Response(isPacked ? body.pipeThrough(new DecompressionStream("gzip")) : body);
}

/**
 * @param {Pick<FileAsset, "sha256">} file
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export async function isRight(file, bytes) {
  return !canHash || hex(await sha256(bytes)) === file.sha256;
}

/** Resolves in a task of its own. lessons.js, which takes turns by the thousand, keeps one channel for them; this module can keep nothing (builder/bundle.py). */
const turn = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => resolve(port1.close());
  port2.postMessage(null);
});

const isPage = "document" in self; // a worker may stand still

const canHash = Boolean(crypto.subtle); // there is none over plain http from another machine

/** @param {BufferSource} bytes */
const sha256 = (bytes) => crypto.subtle.digest("SHA-256", bytes);

/** @param {ArrayBuffer[]} hashes */
const ofPieces = (hashes) => hashes.length > 1 ? sha256(Uint8Array.from(hashes.flatMap((hash) => [...new Uint8Array(hash)]))) : hashes[0];

/** @param {ArrayBuffer} digest */
const hex = (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");

const damaged = () => new Error("it came incomplete or damaged");

/** @param {FileAsset} file */
const nameOf = ({ url }) => url.slice(url.lastIndexOf("/") + 1);

/**
 * @param {FileAsset} file
 * @param {unknown} cause
 */
function unreachable(file, cause) {
  const { name, message } = /** @type {Error} */ (cause);
  if (name === "LoadError") return /** @type {Error} */ (cause);
  const why = file.data ? "this page is incomplete or damaged" : message.split(": http")[0].replace(/\.+$/, "");
  return Object.assign(new Error(`Could not load ${nameOf(file)}: ${why}.`, { cause }), {
    name: "LoadError",
    hint: file.data ? "Copy or download the page again." : "Check the connection, then try again.",
  });
}
