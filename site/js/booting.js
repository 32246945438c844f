/**
 * The two ways in which the worker starts Python, NumPy and a session that reads digits: from a snapshot of the memory in which
 * all of them stand ready, or slim, one after the other. Either gives {pyodide, session}, and the model may be another than the
 * one that was asked for: then it is up to the caller to load it.
 */

import { compile, download, importScript, serveToPyodide } from "./downloads.js";
import { parseHeap, restoreLibraries, restoreMemory } from "./restore.js";

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {{files: Files, abi: string, count: import("./downloads.js").Count, enter: (stage: string) => void}} Options */

const COMMON = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];
const LIBRARIES = ["_multiarray_umath.wasm", "_umath_linalg.wasm"];
const PACKAGES = ["numpy.zip", "inkling.zip"];

/** Downloads that take part in each way, for a loading bar that knows the total. */
export const PARTS = {
  snapshot: [...COMMON, "heap.bin", ...LIBRARIES],
  slim: [...COMMON, "python_stdlib.zip", ...PACKAGES],
};

/** @param {Options} options */
export async function bootFromSnapshot({ files, abi, count, enter }) {
  /** @template T @param {Promise<T>} work */
  const ours = (work) => work.catch((error) => {
    throw Object.assign(error, { name: "SnapshotError" }); // the other way does without these files
  });
  const heapComes = ours(download(files["heap.bin"], count).then((bytes) => {
    const heap = parseHeap(bytes);
    checkPartners(heap.header, files);
    return heap;
  }));
  const librariesCome = ours(Promise.all(LIBRARIES.map(async (name) => ({ name, module: await compile(files[name], count) }))));
  const nothing = Promise.resolve(new Uint8Array()); // the standard library is in the heap; its archive comes when there is time
  const { failed } = serveToPyodide(files["pyodide.asm.wasm"], files["python_stdlib.zip"], nothing, count);
  const scripts = Promise.all([importScript(files["pyodide.mjs"], count), importScript(files["pyodide.asm.mjs"], count)]);
  const start = async () => {
    const [{ loadPyodide }, { default: createModule }] = await scripts;
    return loadPyodide({
      ...settings(files, abi),
      _loadSnapshot: new Uint8Array(16), // only says that there is one
      async createPyodideModule(/** @type {any} */ emscripten) {
        const module = await createModule(emscripten);
        const [heap, libraries] = await Promise.all([heapComes, librariesCome]);
        const { header } = heap;
        enter("python");
        const compiled = header.libraries.map(({ file }) => libraries.find(({ name }) => name === file)?.module);
        const table = async () => JSON.parse(new TextDecoder().decode(await ours(download(files["table.json"], () => {}))));
        const trampoline = await restoreLibraries(module, header, /** @type {WebAssembly.Module[]} */ (compiled), table);
        module.API.restoreSnapshot = () => {
          restoreMemory(module, header, heap.data, trampoline);
          heap.data = new Uint8Array(); // this function stays as long as Python, its fourteen megabytes need not
          return header.state;
        };
        return module;
      },
    });
  };
  const [pyodide] = await Promise.all([Promise.race([failed, start()]), heapComes, librariesCome]);
  enter("model");
  pyodide.FS.unlink(stdlibPath(pyodide)); // an empty archive; a module in it is to be missed, not broken
  const session = pyodide.globals.get("session");
  if (!session.wake()) throw new Error("what it computes is wrong");
  return { pyodide, session };
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
export async function bootSlim({ files, abi, count, enter }) {
  const scripts = ["pyodide.mjs", "pyodide.asm.mjs"].map((name) => importScript(files[name], count));
  const [stdlib, ...packages] = ["python_stdlib.zip", ...PACKAGES].map((name) => download(files[name], count));
  const { failed } = serveToPyodide(files["pyodide.asm.wasm"], files["python_stdlib.zip"], stdlib, count);
  const start = async () => {
    const [{ loadPyodide }] = await Promise.all(scripts);
    return loadPyodide(settings(files, abi));
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
