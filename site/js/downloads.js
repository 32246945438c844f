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
    const reader = (await counted(file, count)).body.getReader();
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
 * @param {boolean} [copy] count the bytes of a copy, and leave the response as it came
 * @returns {Promise<{response: Response, body: ReadableStream<Uint8Array>}>}
 */
async function counted(file, count, copy = false) {
  const watchdog = new AbortController();
  let giveUp = (/** @type {Error} */ reason) => watchdog.abort(reason);
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp(new Error(`nothing has arrived for ${STALLED_AFTER / 1000} seconds`)), STALLED_AFTER);
  };
  alive();
  const response = await fetch(file.url, { signal: watchdog.signal, cache: file.cache });
  const source = (copy ? response.clone() : response).body;
  if (!response.ok || !source) throw new Error(`the host answered ${response.status}`);
  const body = source.pipeThrough(new TransformStream({
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
  return { response, body };
}

/**
 * Pyodide fetches its own files, and compiles only when its script has been read. It gets ours: already under way, counted,
 * checked, the WebAssembly compiled while it comes. It also keeps silent about a file that is missing or broken, and waits
 * for ever; `failed` speaks instead.
 * @param {FileAsset} wasm the compiler finds out whether it is whole
 * @param {FileAsset} stdlib
 * @param {(bytes: number) => void} count
 * @returns {{failed: Promise<never>}}
 */
export function serveToPyodide(wasm, stdlib, count) {
  const compiled = compile(wasm, count);
  const archive = download(stdlib, count);
  const { fetch } = self;
  self.fetch = async (input, init) => {
    if (String(input) === wasm.url) return new Response(); // only handed on to the function below
    return String(input) === stdlib.url ? new Response(await archive) : fetch(input, init);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const module = await compiled;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  return { failed: new Promise((_, reject) => [compiled, archive].forEach((work) => work.catch(reject))) };
}

/**
 * Browsers keep the machine code for the next visit, but only that of a response as it came from the network or their cache.
 * @param {FileAsset} wasm
 * @param {(bytes: number) => void} count
 */
async function compile(wasm, count) {
  try {
    const { response, body } = await counted(wasm, count, true);
    const isTyped = response.headers.get("content-type") === "application/wasm"; // else the compiler refuses it
    const typed = isTyped ? response : new Response(response.body, { headers: { "content-type": "application/wasm" } });
    const [module] = await Promise.all([WebAssembly.compileStreaming(typed), body.pipeTo(new WritableStream())]);
    return module;
  } catch (error) {
    console.error(error);
    throw unreachable(wasm, error instanceof WebAssembly.CompileError ? damaged() : error);
  }
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
