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
  const module = await import(file.url).catch((error) => {
    throw unreachable(file.url, error);
  });
  count(file.bytes);
  return module;
}

/**
 * A whole file, counted while it comes.
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 */
export async function download(file, count) {
  return new Uint8Array(await (await counted(file, count)).arrayBuffer());
}

/**
 * A response whose bytes are counted while they pass; fails if they stop coming.
 * @param {FileAsset} file
 * @param {(bytes: number) => void} count
 * @param {string} [type] the MIME type it must have, whatever the host says
 */
async function counted(file, count, type) {
  const watchdog = new AbortController();
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => watchdog.abort(new Error("nothing has arrived for 30 seconds")), STALLED_AFTER);
  };
  alive();
  const response = await fetch(file.url, { signal: watchdog.signal }).catch((error) => {
    throw unreachable(file.url, error);
  });
  if (!response.ok || !response.body) throw unreachable(file.url, new Error(`the host answered ${response.status}`));
  const counter = new TransformStream({
    transform(chunk, controller) {
      alive();
      count(chunk.byteLength);
      controller.enqueue(chunk);
    },
    flush: () => clearTimeout(timer),
  });
  return new Response(response.body.pipeThrough(counter), { headers: { "content-type": type ?? response.headers.get("content-type") ?? "" } });
}

/**
 * Pyodide fetches its own files. It gets ours: already under way, counted, with the right type. It also keeps silent about
 * a file that is missing or broken, and waits for ever; `failed` speaks instead.
 * @param {FileAsset[]} files
 * @param {(bytes: number) => void} count
 */
export function serveToPyodide(files, count) {
  /** @type {(reason: Error) => void} */
  let fail = () => {};
  const failed = new Promise((_, reject) => (fail = reject));
  failed.catch(() => {});
  const ours = new Map(files.map((file) => {
    const response = counted(file, count, file.url.endsWith(".wasm") ? "application/wasm" : undefined);
    response.catch(fail);
    return [file.url, response];
  }));
  const { fetch } = self;
  self.fetch = (input, init) => ours.get(String(input)) ?? fetch(input, init);
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    try {
      return await instantiateStreaming(source, imports);
    } catch (error) {
      fail(unreachable("the Python runtime", /** @type {Error} */ (error)));
      throw error;
    }
  };
  return { failed };
}

/**
 * @param {string} what
 * @param {Error} cause
 */
function unreachable(what, cause) {
  const name = what.split("/").pop();
  return Object.assign(new Error(`Could not load ${name}: ${cause.message}`), {
    name: "LoadError",
    hint: "Check the connection, then try again.",
  });
}
