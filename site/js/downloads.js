/**
 * Getting the large files, out of the network or out of the page itself: counted byte by byte for an honest loading bar,
 * as small as they come, and never waiting for ever.
 */

/** @typedef {import("./assets.js").FileAsset} FileAsset */

const request = self.fetch.bind(self); // as it was before Pyodide got another
const STALLED_AFTER = 30_000; // ms without a single byte; then the network counts as gone

/** @type {Record<string, () => Promise<any>>} the scripts that came together with the worker's own: in the single file */
export const included = {};

/**
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 */
export async function importScript(file, count) {
  try {
    const own = included[nameOf(file)];
    if (!own && file.cache === "reload") await (await fetch(file.url, { cache: "reload" })).arrayBuffer(); // import finds it in the browser's cache
    const module = await (own ? own() : import(file.url));
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
    const { body } = await counted(file, count);
    return await collect(file, body);
  } catch (error) {
    file.cache = "reload"; // what is wrong must not come out of the browser's cache for ever
    throw unreachable(file, error);
  }
}

/**
 * All bytes of a body, if they are those of the file.
 * @param {FileAsset} file
 * @param {ReadableStream<Uint8Array>} body
 */
async function collect(file, body) {
  const bytes = new Uint8Array(file.bytes);
  let size = 0;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (size + part.value.length > file.bytes) throw damaged();
    bytes.set(part.value, size);
    size += part.value.length;
  }
  if (size < file.bytes || !(await isRight(file, bytes))) throw damaged();
  return bytes;
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
  const response = await open(file, watchdog.signal);
  const source = /** @type {ReadableStream<Uint8Array>} */ ((copy ? response.clone() : response).body);
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
 * The file as a response, decoded whatever it came as. A host that would send a large one as it is (it names the length of
 * the whole) is asked for the .gz beside it instead. After a failure nothing is tried but the file itself.
 * @param {FileAsset} file
 * @param {AbortSignal} signal
 */
async function open(file, signal) {
  if (file.data) return new Response(joined(file.data));
  const get = async (/** @type {string} */ url) => {
    const response = await request(url, { signal, cache: file.cache });
    if (!response.ok || !response.body) throw new Error(`the host answered ${response.status}`);
    return response;
  };
  if (!file.gz || file.cache === "reload") return get(file.url);
  if (!file.plain) {
    const response = await get(file.url);
    if (response.headers.get("content-length") !== String(file.bytes)) return response;
    response.body?.cancel();
  }
  return get(`${file.url}.gz`).then(unpacked).catch(() => get(file.url)); // the .gz was not copied to the host, or stays unread in an old browser
}

/** What gzipped parts hold, one after the other. @param {Uint8Array<ArrayBuffer>[]} parts */
function joined(parts) {
  const { readable, writable } = new TransformStream();
  const pour = async () => {
    for (const part of parts) {
      const body = /** @type {ReadableStream} */ (new Response(part).body);
      await body.pipeThrough(new DecompressionStream("gzip")).pipeTo(writable, { preventClose: true });
    }
    await writable.close();
  };
  pour().catch((error) => writable.abort(error).catch(() => {})); // whoever reads is told
  return readable;
}

/**
 * Some hosts call a .gz an encoding of the file, and then the browser has undone it already: the first bytes tell.
 * @param {Response} response
 */
async function unpacked(response) {
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  const { value: first = new Uint8Array() } = await reader.read();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const isPacked = first[0] === 0x1f && first[1] === 0x8b;
  return new Response(isPacked ? body.pipeThrough(new DecompressionStream("gzip")) : body);
}

/**
 * Pyodide fetches its own files, and compiles only when its script has been read. It gets ours: already under way, counted,
 * checked, the WebAssembly compiled while it comes. It also keeps silent about a file that is missing or broken, and waits
 * for ever; `failed` speaks instead.
 * @param {FileAsset} wasm
 * @param {FileAsset} stdlib
 * @param {Promise<Uint8Array<ArrayBuffer>>} archive what is given out as the latter
 * @param {(bytes: number) => void} count
 * @returns {{failed: Promise<never>}}
 */
export function serveToPyodide(wasm, stdlib, archive, count) {
  const compiled = compile(wasm, count);
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
 * The compiled module of certainly the right file. Browsers keep the machine code for the next visit, but only that of a response
 * as it came from the network or their cache: so that one is compiled, and a copy of it is checked.
 * @param {FileAsset} wasm
 * @param {(bytes: number) => void} count
 */
export async function compile(wasm, count) {
  try {
    const { response, body } = await counted(wasm, count, true);
    const isTyped = response.headers.get("content-type") === "application/wasm"; // else the compiler refuses it
    const typed = isTyped ? response : new Response(response.body, { headers: { "content-type": "application/wasm" } });
    const [module] = await Promise.all([WebAssembly.compileStreaming(typed), collect(wasm, body)]);
    return module;
  } catch (error) {
    console.error(error);
    wasm.cache = "reload";
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
  return Object.assign(new Error(`Could not load ${nameOf(file)}: ${why}.`), {
    name: "LoadError",
    hint: file.data ? "Copy or download the page again." : "Check the connection, then try again.",
  });
}
