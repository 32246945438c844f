/**
 * The two ways in which the worker starts Python, NumPy and a session that reads digits: from a snapshot of the memory in which
 * all stand ready, or slim, one after the other. Either gives {pyodide, session}; its model may be another than the one asked for.
 */

import { download } from "./downloads.js";
import { isSound, parseHeap, restoreLibraries, restoreMemory } from "./restore.js";
import { offerWrapped } from "./wrapping.js";

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {{files: Files, parts: import("./parts.js").Parts, abi: string, enter: (stage: string) => void, count: import("./downloads.js").Count}} Options parts: those of this way */

const SCRIPTS = ["pyodide.mjs", "pyodide.asm.mjs"];
const PACKAGES = ["numpy.zip", "inkling.zip"];

/** @param {Options} options */
export async function bootFromSnapshot({ files, parts, abi, enter, count }) {
  /** @template T @param {Promise<T>} work */
  const ours = (work) => work.catch((error) => {
    throw Object.assign(error, { name: "SnapshotError" }); // the other way does without these files
  });
  const heapComes = ours(parts["heap.bin"].then(async (bytes) => {
    const heap = parseHeap(isSound(bytes) ? bytes : await download({ ...files["heap.bin"], cache: "reload" }, count));
    checkPartners(heap.header, files);
    return heap;
  }));
  const nothing = Promise.resolve(new Uint8Array()); // the standard library is in the heap; its archive comes when there is time
  const { failed, linked } = serveToPyodide(files["pyodide.asm.wasm"], parts["pyodide.asm.wasm"], files["python_stdlib.zip"], nothing);
  const scripts = Promise.all(SCRIPTS.map((name) => parts[name]));
  const start = async () => {
    const [{ loadPyodide }, { default: createModule }] = await scripts;
    return loadPyodide({
      ...settings(files, abi),
      _loadSnapshot: new Uint8Array(16), // only says that there is one
      async createPyodideModule(/** @type {any} */ emscripten) {
        const module = await createModule(emscripten);
        linked();
        const heap = await heapComes;
        const { header } = heap;
        const compiled = await ours(Promise.all(header.libraries.map(({ file }) => parts[file])));
        enter("python");
        const table = async () => JSON.parse(new TextDecoder().decode(await ours(download(files["table.json"], () => {}))));
        const trampoline = await restoreLibraries(module, header, compiled, table);
        module.API.restoreSnapshot = () => {
          restoreMemory(module, header, heap.data, trampoline);
          heap.data = new Uint8Array(); // this function stays as long as Python, its eleven megabytes need not
          return header.state;
        };
        return module;
      },
    });
  };
  const [pyodide] = await Promise.all([Promise.race([failed, start()]), heapComes]);
  enter("model");
  pyodide.FS.unlink(stdlibPath(pyodide)); // an empty archive; a module in it is to be missed, not broken
  const session = pyodide.globals.get("session");
  if (!session.wake()) throw new Error("what it computes is wrong");
  return { pyodide, session };
}

/**
 * Pyodide fetches its own files, and compiles only when its script has been read. It gets ours: already under way, counted,
 * checked, compiled. About a file that is missing or broken it keeps silent, and waits for ever; `failed` speaks instead.
 * @param {FileAsset} wasm
 * @param {Promise<WebAssembly.Module>} compiled
 * @param {FileAsset} stdlib
 * @param {Promise<Uint8Array<ArrayBuffer>>} archive what is given out as the latter
 * @returns {{failed: Promise<never>, linked: () => void}} the latter to be called when its module is there
 */
function serveToPyodide(wasm, compiled, stdlib, archive) {
  const { fetch } = self;
  self.fetch = async (input, init) => {
    if (String(input) === wasm.url) return new Response(); // only handed on to the function below
    return String(input) === stdlib.url ? new Response(await archive) : fetch(input, init);
  };
  let linked = () => {};
  const instantiate = async (/** @type {any} */ imports) => {
    const module = await compiled;
    const instance = await WebAssembly.instantiate(module, imports);
    try {
      linked = offerWrapped(module, imports.env);
    } catch (error) {
      console.warn("Functions are wrapped one by one:", error); // by Emscripten itself, which is slower
    }
    return { module, instance };
  };
  const failed = /** @type {Promise<never>} */ (new Promise((_, reject) => {
    for (const work of [compiled, archive]) work.catch(reject);
    WebAssembly.instantiateStreaming = (_, imports) => {
      const instantiated = instantiate(imports);
      instantiated.catch(reject);
      return instantiated;
    };
  }));
  return { failed, linked: () => linked() };
}

/**
 * All files of one build, or nothing: a heap knows the very runtime, libraries and archives that it was made with.
 * @param {HeapHeader} header
 * @param {Files} files
 */
function checkPartners({ madeWith, libraries }, files) {
  const partners = [...Object.entries(madeWith), ...libraries.map(({ file, sha256 }) => [file, sha256])];
  for (const [name, sha256] of partners) {
    if (files[name].sha256 !== sha256) throw new Error(`the snapshot was made with another ${name}`);
  }
}

/** @param {Options} options */
export async function bootSlim({ files, parts, abi, enter }) {
  const packages = PACKAGES.map((name) => parts[name]);
  const { failed, linked } = serveToPyodide(files["pyodide.asm.wasm"], parts["pyodide.asm.wasm"], files["python_stdlib.zip"], parts["python_stdlib.zip"]);
  const start = async () => {
    const [{ loadPyodide }, { default: createModule }] = await Promise.all(SCRIPTS.map((name) => parts[name]));
    return loadPyodide({
      ...settings(files, abi),
      async createPyodideModule(/** @type {any} */ emscripten) { // by itself it would import that script by its address, which may have been wrong
        const module = await createModule(emscripten);
        linked();
        return module;
      },
    });
  };
  // Waiting for all of them: whichever fails first is heard at once.
  const [pyodide, numpy, inkling] = await Promise.all([Promise.race([failed, start()]), ...packages]);
  enter("python");
  pyodide.unpackArchive(numpy, "zip", { extractDir: sitePackages(pyodide) });
  enter("numpy");
  pyodide.pyimport("numpy").destroy();
  enter("model");
  pyodide.unpackArchive(inkling, "zip", { extractDir: sitePackages(pyodide) });
  const module = pyodide.pyimport("inkling.session");
  const session = module.Session();
  module.destroy();
  return { pyodide, session };
}

/**
 * The files of all modules that were not imported yet; they can wait until there is time.
 * @param {any} pyodide
 * @param {Files} files
 * @param {"snapshot" | "slim"} path how Python was started: slim, it lacks only what nobody needs to read a digit
 */
export async function bringModules(pyodide, files, path) {
  const get = (/** @type {string[]} */ ...names) => Promise.all(names.map((name) => download(files[name], () => {})));
  const archives = await get("numpy_random.zip", ...(path === "slim" ? [] : PACKAGES));
  if (path === "snapshot") {
    // The very archive that the heap was made with: the heap holds its table of contents.
    const [stdlib] = await get("python_stdlib.zip");
    pyodide.FS.writeFile(stdlibPath(pyodide), stdlib);
  }
  for (const archive of archives) pyodide.unpackArchive(archive, "zip", { extractDir: sitePackages(pyodide) });
  const { path_importer_cache: cache } = pyodide.pyimport("sys"); // of whoever has looked for a module before it was there
  cache.clear();
  cache.destroy();
}

/** @param {Files} files @param {string} abi */
const settings = (files, abi) => ({
  indexURL: new URL(".", files["pyodide.asm.wasm"].url).href,
  stdLibURL: files["python_stdlib.zip"].url,
  lockFileContents: { info: { abi_version: abi }, packages: {} }, // nothing is installed by name
  env: { PYTHONDONTWRITEBYTECODE: "1" },
});

/** Where Python looks for the archive of its standard library. @param {any} pyodide */
const stdlibPath = (pyodide) => `/lib/${libraryFolder(pyodide).replace(".", "")}.zip`;

/** @param {any} pyodide */
const sitePackages = (pyodide) => `/lib/${libraryFolder(pyodide)}/site-packages`;

/** @param {any} pyodide @returns {string} */
const libraryFolder = ({ FS }) => FS.readdir("/lib").find((/** @type {string} */ name) => /^python3\.\d+$/.test(name));
