/**
 * The worker: owns Pyodide and the Python session, and answers requests one by one.
 *
 * Request {id, name, ...fields} -> reply {id, ok: true, value} or {id, ok: false, error: {type, message, hint}};
 * while booting also {id, event: "progress", value}. Before that {part, what} or {part, error} for each part that the page hands over, and
 * {hasRoom: true} when the heap may come (parts.js). No Python source here: functions are imported and called.
 */

import { bootFromSnapshot, bootSlim, bringModules } from "./booting.js";
import { download, fetchFile } from "./downloads.js";
import { part } from "./errors.js";
import { bring, partsOf, sizeOf, sometimes } from "./parts.js";
import { errandOfWorker } from "./start.js";

/** @typedef {(value: {stage: string, loaded: number, total?: number}) => void} OnProgress */

/** @type {any} the Pyodide API object */
let pyodide;
/** @type {any} proxy of inkling.session.Session */
let session;
/** @type {Record<string, FileAsset>} */
let models = {};
/** @type {Record<string, FileAsset>} */
let files = {};
let modelsWanted = 0; // so far; the newest counts
let boot = /** @type {{path: string, ms: Record<string, number>, why_not_faster: string | null}} */ ({});
/** @type {() => Promise<void>} everything that Python can import is there; most of it comes only when there is time */
let modules = async () => {};
/** @type {() => Promise<void>} all of Python's own functions are there; drawings and pictures are read without the rest (halves.js) */
let whole = async () => {};

/** @type {string[]} addresses of the WebAssembly that the page has compiled */
let compiledByPage = [];

const SIGN_OF_LIFE = 2000; // ms; the page takes a worker for dead that is silent for ten times as long
const PAD = 280; // px of the drawing that is read until the functions for it are hot: as large as what the page sends
const IDLE_AFTER = 1500; // ms without a request
let asked = 0; // requests that have no answer yet; a training has none for long
const LESSONS_PATIENCE = 15_000; // ms; less than the page waits before it takes the worker for dead
let lastAsked = 0;

let loaded = 0; // bytes of what Python starts from
let reportLoaded = () => {};
const count = (/** @type {number} */ bytes) => {
  loaded += bytes;
  reportLoaded();
};
const begin = (/** @type {BootRequest} */ request) => bring(
  partsOf(request, request.path, request.model), count, request.handed, () => self.postMessage({ hasRoom: true }));
const errand = errandOfWorker();
const ahead = errand && begin(errand);

/** Every request that the page can make. */
const actions = /** @type {Record<string, (fields: any, progress: OnProgress, id: number) => any>} */ ({
  boot: start,
  predict: (fields) => callWithPixels(session.predict, fields, fields.numbers, fields.once),
  debug: async (fields) => {
    const value = await callWithPixels(session.debug, fields);
    return { ...value, png: await pngOf(value.image) };
  },
  useModel: loadModel,
  card: async ({ model }) => JSON.parse(new TextDecoder().decode(await download(files[`${model}.json`], () => {}))),
  health: () => ({ ...toJs(session.health()), boot }),
  keepMachineCode: keepMachineCodeInTime,
});

/** The requests that have to do with learning, too; their code is loaded when the first of them comes. */
const learning = once(async () => {
  const { learningActions } = await part(import("./lessons.js"), LESSONS_PATIENCE);
  Object.assign(actions, learningActions({ pyodide, session, files, modules, whole, reporting, toJs, overtake: () => modelsWanted++ }));
});

self.onmessage = ({ data }) => data.part ? ahead?.take(data) : answer(data);

/** @param {any} request */
async function answer({ id, name, ...fields }) {
  asked++;
  try {
    if (!actions[name]) await learning();
    const value = await actions[name](fields, (progress) => self.postMessage({ id, event: "progress", value: progress }), id);
    self.postMessage({ id, ok: true, value }, value?.image ? { transfer: [value.image.buffer] } : {});
  } catch (error) {
    self.postMessage({ id, ok: false, error: describe(/** @type {Error} */ (error)) });
  } finally {
    asked--;
    lastAsked = performance.now();
  }
}

/**
 * Starts Python, NumPy and the model, out of parts that are on their way already, or came with the page.
 * @param {BootRequest} request
 * @param {OnProgress} progress
 */
async function start(request, progress) {
  const { path, why, model } = request;
  ({ files, models } = request);
  modelAsset(model);
  const clock = stopwatch();
  const total = sizeOf(partsOf(request, path, model));
  let stage = "runtime";
  const report = () => progress({ stage, loaded, total });
  const enter = (/** @type {string} */ next) => {
    clock.lap(stage);
    stage = next;
    report();
  };
  report();
  reportLoaded = sometimes(report);
  const { parts } = ahead ?? begin(request);
  const started = (path === "snapshot" ? bootFromSnapshot : bootSlim)({ files, parts, abi: request.abi, enter });
  const [weights] = await Promise.all([parts[model], started]);
  const { complete, ...python } = await started;
  ({ pyodide, session } = python);
  whole = once(complete);
  if (weights) {
    await reporting(whole(), report); // to read them takes more of Python than is there at first
    useModel(model, weights);
  }
  for (const name of Object.keys(parts)) delete parts[name]; // they need not stay
  enter("ready");
  boot = { path, ms: clock.laps, why_not_faster: why };
  compiledByPage = request.handed.filter((name) => name.endsWith(".wasm")).map((name) => files[name].url);
  modules = once(() => bringModules(pyodide, files, path, whole));
  if (files["heap.bin"].data) whole().catch(() => {}); // the single file's: they cannot be had at once
  whenIdle(() => modules().catch((error) => console.warn("Some of Python's modules are not there:", error)));
  return { versions: { pyodide: pyodide.version }, model, ms: clock.laps, path };
}

/**
 * Fetches a model and takes it, if no other has been asked for meanwhile. Says that it is alive as long as bytes arrive.
 * @param {{model: string}} fields
 * @param {OnProgress} progress
 */
async function loadModel({ model }, progress) {
  const asset = modelAsset(model);
  const turn = ++modelsWanted;
  let loaded = 0;
  const report = sometimes(() => progress({ stage: "model", loaded, total: asset.bytes }));
  const bytes = await download(asset, (more) => {
    loaded += more;
    report();
  });
  await reporting(whole(), report);
  if (turn !== modelsWanted) throw Object.assign(new Error("Another model was chosen meanwhile."), { name: "AbortError" });
  return useModel(model, bytes);
}

/** The work, which says meanwhile that the worker is alive. @template T @param {Promise<T>} work @param {() => void} report @returns {Promise<T>} */
function reporting(work, report) {
  const alive = setInterval(report, SIGN_OF_LIFE);
  return work.finally(() => clearInterval(alive));
}

/**
 * @param {string} name
 * @param {Uint8Array} bytes of its .npz
 */
function useModel(name, bytes) {
  const buffer = pyodide.toPy(bytes);
  try {
    return toJs(session.use_model(name, buffer, models[name].sha256));
  } finally {
    buffer.destroy();
  }
}

/** @param {string} name */
function modelAsset(name) {
  if (Object.hasOwn(models, name)) return models[name];
  const names = Object.keys(models).join(", ");
  throw Object.assign(new Error(`There is no model "${name}"; there are ${names}.`), { name: "ModelError", hint: "Choose one of these." });
}

/**
 * Hands a drawing to a Python function: its pixels, or those of a decoded picture.
 * @param {any} method bound Python method
 * @param {{pixels?: Uint8Array, bitmap?: ImageBitmap, width: number, height: number, channels: number}} fields
 * @param {any[]} options what else the function takes
 */
async function callWithPixels(method, { pixels, bitmap, width, height, channels }, ...options) {
  if (bitmap) {
    const canvas = new OffscreenCanvas(width, height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    pixels = new Uint8Array(context.getImageData(0, 0, width, height).data.buffer);
  }
  const buffer = pyodide.toPy(pixels);
  try {
    const call = () => toJs(method(buffer, width, height, channels, ...options));
    try {
      return call();
    } catch (error) {
      if (/** @type {any} */ (error).type !== "ModuleNotFoundError") throw error;
      await modules();
      return call();
    }
  } finally {
    buffer.destroy();
  }
}

/**
 * A Python dict as a plain object, its arrays as typed arrays; the proxy is gone afterwards.
 * @param {any} proxy
 */
function toJs(proxy) {
  const value = proxy.toJs({ dict_converter: Object.fromEntries, create_pyproxies: false });
  proxy.destroy();
  return withNull(value);
}

/**
 * None crosses over as undefined; the API says null.
 * @param {any} value changed in place, and returned
 */
function withNull(value) {
  if (value === undefined) return null;
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
    for (const key of Object.keys(value)) value[key] = withNull(value[key]);
  }
  return value;
}

/**
 * White strokes on black, as the network sees them.
 * @param {Float32Array} image 28 x 28, 0..1
 */
function pngOf(image) {
  const canvas = new OffscreenCanvas(28, 28);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const rgba = new ImageData(28, 28);
  image.forEach((value, i) => rgba.data.set([value * 255, value * 255, value * 255, 255], 4 * i));
  context.putImageData(rgba, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** Begins it; it goes on when nobody asks for anything else. What the worker has compiled itself the browser keeps anyway. */
function keepMachineCodeInTime() {
  const addresses = compiledByPage.splice(0);
  if (!addresses.length) return;
  const idle = () => new Promise((/** @type {(value: void) => void} */ resolve) => setTimeout(whenIdle, 0, resolve));
  import("./machine-code.js").then(({ keepMachineCode }) => keepMachineCode(addresses, fetchFile, () => session.self_test(PAD).destroy(), idle))
    .catch((error) => console.warn("The next start will be no quicker:", error));
}

/** Calls the function once nothing has been asked for a while: the first drawing comes before anything else. @param {() => void} work */
function whenIdle(work) {
  const rest = asked ? IDLE_AFTER : lastAsked + IDLE_AFTER - performance.now();
  if (rest > 0) setTimeout(whenIdle, rest, work);
  else work();
}

/** A function that does the work when it is first called; again if it failed. @param {() => Promise<void>} work */
function once(work) {
  /** @type {Promise<void> | null} */
  let done = null;
  return () => (done ??= work().catch((error) => {
    done = null;
    throw error;
  }));
}

function stopwatch() {
  const start = performance.now();
  let last = start;
  const laps = /** @type {Record<string, number>} */ ({});
  return {
    laps,
    lap(/** @type {string} */ name) {
      laps[name] = performance.now() - last;
      last = performance.now();
      laps.total = last - start;
    },
  };
}

/**
 * An error as it crosses to the page. Of a Python traceback only the last line is for people; the rest goes to the console.
 * @param {Error & {type?: string, hint?: string, pyodide_fatal_error?: boolean}} error
 */
function describe(error) {
  if (error.name !== "AbortError") console.error(error);
  const fatal = error.pyodide_fatal_error || error instanceof WebAssembly.RuntimeError; // Python can't be used after it
  if (error.name !== "PythonError") return { type: fatal ? "fatal" : error.name, message: error.message, hint: error.hint ?? "" };
  const lastLine = error.message.trim().split("\n").pop() ?? "";
  return { type: error.type ?? "PythonError", message: lastLine.replace(/^[\w.]+: /, ""), hint: "" };
}
