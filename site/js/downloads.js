/**
 * Fetching the large files: counted byte by byte for an honest loading bar, and never waiting for ever.
 */

/** @typedef {import("./assets.js").FileAsset} FileAsset */

const STALLED_AFTER = 30_000; // ms without a single byte; then the network counts as gone

/**
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 */
export async function importScript(file, count) {
  try {
    if (file.cache === "reload") await (await fetch(file.url, { cache: "reload" })).arrayBuffer(); // import finds it in the browser's cache
    const module = await import(file.url);
    count(file.bytes);
    return module;
  } catch (error) {
    throw unreachable(file, error);
  }
}

/**
 * A whole file, counted while it comes, and certainly the right one.
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 */
export async function download(file, count) {
  try {
    const bytes = new Uint8Array(file.bytes);
    let size = 0;
    const reader = (await counted(file, count)).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (size + part.value.length > file.bytes) throw damaged();
      bytes.set(part.value, size);
      size += part.value.length;
    }
    if (size < file.bytes || !(await isRight(file, bytes))) throw damaged();
    return bytes;
  } catch (error) {
    file.cache = "reload"; // what is wrong must not come out of the browser's cache for ever
    throw unreachable(file, error);
  }
}

/**
 * A body whose bytes are counted while they pass; fails if they stop coming.
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 * @returns {Promise<ReadableStream<Uint8Array>>}
 */
async function counted(file, count) {
  const watchdog = new AbortController();
  let giveUp = (/** @type {Error} */ reason) => watchdog.abort(reason);
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp(new Error(`nothing has arrived for ${STALLED_AFTER / 1000} seconds`)), STALLED_AFTER);
  };
  alive();
  const response = await fetch(file.url, { signal: watchdog.signal, cache: file.cache });
  if (!response.ok || !response.body) throw new Error(`the host answered ${response.status}`);
  return response.body.pipeThrough(new TransformStream({
    start(controller) {
      giveUp = (reason) => {
        controller.error(reason); // an abort alone would hide the reason
        watchdog.abort(reason);
      };
    },
    transform(chunk, controller) {
      alive();
      count(chunk.byteLength);
      controller.enqueue(chunk);
    },
    flush: () => clearTimeout(timer),
  }));
}

/**
 * Pyodide fetches its own files. It gets ours: already under way, counted, with the right type. It also keeps silent about
 * a file that is missing or broken, and waits for ever; `failed` speaks instead.
 * @param {FileAsset} wasm compiled while it comes; the compiler finds out whether it is whole
 * @param {FileAsset} stdlib
 * @param {(bytes: number) => void} count
 */
export function serveToPyodide(wasm, stdlib, count) {
  /** @type {(reason: Error) => void} */
  let fail = () => {};
  const failed = new Promise((_, reject) => (fail = reject));
  failed.catch(() => {});
  const streamed = counted(wasm, count).then(
    (body) => new Response(body, { headers: { "content-type": "application/wasm" } }),
    (error) => Promise.reject(unreachable(wasm, error)));
  const ours = new Map([[wasm.url, streamed], [stdlib.url, download(stdlib, count).then((bytes) => new Response(bytes))]]);
  for (const response of ours.values()) response.catch(fail);
  const { fetch } = self;
  self.fetch = (input, init) => ours.get(String(input)) ?? fetch(input, init);
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    try {
      return await instantiateStreaming(source, imports);
    } catch (error) {
      console.error(error);
      fail(unreachable(wasm, error instanceof WebAssembly.CompileError ? damaged() : error));
      throw error;
    }
  };
  return { failed };
}

/**
 * @param {FileAsset} file
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function isRight({ sha256 }, bytes) {
  if (!crypto.subtle) return true; // there is none over plain http from another machine
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}

const damaged = () => new Error("it came incomplete or damaged");

/**
 * @param {FileAsset} file
 * @param {unknown} cause
 */
function unreachable({ url }, cause) {
  const { name, message } = /** @type {Error} */ (cause);
  if (name === "LoadError") return /** @type {Error} */ (cause);
  return Object.assign(new Error(`Could not load ${url.split("/").pop()}: ${message.split(": http")[0].replace(/\.+$/, "")}.`), {
    name: "LoadError",
    hint: "Check the connection, then try again.",
  });
}
