/**
 * The two ways in which the worker starts Python, NumPy and a session that reads digits: from a snapshot of the memory in which
 * all stand ready, or slim, one after the other. Either gives {pyodide, session, complete}; its model may be another than the one asked for. What has not
 * come by then of Python's own functions does so when `complete` is called, or when one of them is.
 */

import { download, isRight } from "./downloads.js";
import { bringLater, partOf, whole } from "./halves.js";
import { link, linkRest } from "./linking.js";
import { parseHeap, restoreLibraries, restoreMemory } from "./restore.js";
import { offerWrapped } from "./wrapping.js";

/** @typedef {Record<string, FileAsset>} Files */
/** @typedef {{files: Files, parts: import("./parts.js").Parts, abi: string, enter: (stage: string) => void}} Options parts: those of this way */

const SCRIPTS = ["pyodide.mjs", "pyodide.asm.mjs"];
const MAIN = "pyodide.asm.wasm";
const SECONDARY = "pyodide.asm.secondary.wasm";
const PACKAGES = ["numpy.zip", "inkling.zip"];

/** @param {Options} options */
export async function bootFromSnapshot({ files, parts, abi, enter }) {
  /** @template T @param {Promise<T>} work */
  const ours = (work) => work.catch((error) => {
    throw Object.assign(error, { name: "SnapshotError" }); // the other way does without these files
  });
  const heapComes = ours(parts["heap.bin"].then(parseHeap));
  const nothing = Promise.resolve(new Uint8Array()); // the standard library is in the heap; its archive comes when there is time
  /** @type {any} Emscripten's */
  let machine;
  /** @type {(() => Promise<void>)[]} */
  const rests = [];
  const bringRest = (/** @type {WebAssembly.Module} */ compiled, /** @type {WebAssembly.Instance} */ instance, /** @type {any} */ imports, /** @type {string} */ name, joined = (/** @type {any} */ _) => {}) => {
    const part = partOf(compiled);
    if (part) rests.push(bringLater(part, instance, imports, files[name.replace(".wasm", ".secondary.wasm")], joined));
    return part;
  };
  const connect = (/** @type {WebAssembly.Module} */ compiled, /** @type {WebAssembly.Instance} */ instance, /** @type {any} */ imports) => {
    const part = bringRest(compiled, instance, imports, MAIN, (/** @type {import("./linking.js").Symbols} */ symbols) => linkRest(machine, symbols));
    return part?.links ? link(part.links, instance, imports) : () => {};
  };
  const { failed, linked } = serveToPyodide(files, parts[MAIN], nothing, connect);
  const scripts = Promise.all(SCRIPTS.map((name) => parts[name]));
  const start = async () => {
    const [{ loadPyodide }, { default: createModule }] = await scripts;
    return loadPyodide({
      ...settings(files, abi),
      _loadSnapshot: new Uint8Array(16), // only says that there is one
      async createPyodideModule(/** @type {any} */ emscripten) {
        const module = machine = await createModule(emscripten);
        linked();
        const heap = await heapComes;
        const { header } = heap;
        const compiled = await ours(Promise.all(header.libraries.map(({ file }) => parts[file])));
        checkPartners(header, files, { [MAIN]: await parts[MAIN], ...Object.fromEntries(header.libraries.map(({ file }, i) => [file, compiled[i]])) });
        enter("python");
        const trampoline = await restoreLibraries(module, header, compiled,
          (instance, imports, i) => bringRest(compiled[i], instance, imports, header.libraries[i].file));
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
  return { pyodide, session, complete: async () => {
    for (const rest of rests) await rest();
  } };
}

/**
 * Pyodide fetches its own files, and compiles only when its script has been read. It gets ours: already under way, counted,
 * checked, compiled. About a file that is missing or broken it keeps silent, and waits for ever; `failed` speaks instead.
 * @param {Files} files
 * @param {Promise<WebAssembly.Module>} compiled
 * @param {Promise<Uint8Array<ArrayBuffer>>} archive what is given out as its standard library
 * @param {(compiled: WebAssembly.Module, instance: WebAssembly.Instance, imports: any) => () => void} connect is called before Emscripten sees the instance; what it returns, when its module is there
 * @returns {{failed: Promise<never>, linked: () => void}} the latter to be called when that is there
 */
function serveToPyodide({ [MAIN]: wasm, "python_stdlib.zip": stdlib }, compiled, archive, connect) {
  const { fetch } = self;
  self.fetch = async (input, init) => {
    if (String(input) === wasm.url) return new Response(); // only handed on to the function below
    return String(input) === stdlib.url ? new Response(await archive) : fetch(input, init);
  };
  let linked = () => {};
  const instantiate = async (/** @type {any} */ imports) => {
    const module = await compiled;
    const instance = await WebAssembly.instantiate(module, imports);
    linked = connect(module, instance, imports);
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
 * @param {Record<string, WebAssembly.Module>} modules those of them that are compiled; half of a module counts as the whole
 */
function checkPartners({ madeWith, libraries }, files, modules) {
  const partners = [...Object.entries(madeWith), ...libraries.map(({ file, sha256 }) => [file, sha256])];
  for (const [name, sha256] of partners) {
    const part = modules[name] && partOf(modules[name]);
    if ((part ? part.of : files[name].sha256) !== sha256) throw new Error(`the snapshot was made with another ${name}`);
  }
}

/** @param {Options} options */
export async function bootSlim({ files, parts, abi, enter }) {
  const packages = PACKAGES.map((name) => parts[name]);
  const compiled = Promise.all([parts[MAIN], parts[SECONDARY]]).then(compileWhole);
  const { failed, linked } = serveToPyodide(files, compiled, parts["python_stdlib.zip"], (module, _, imports) => wrapOnce(module, imports));
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
  return { pyodide, session, complete: async () => {} };
}

/** Pyodide's module as it was made: nothing of ours is to be to blame. @param {Uint8Array<ArrayBuffer>[]} halves */
async function compileWhole([primary, secondary]) {
  const { bytes, sha256 } = whole(primary, secondary);
  if (!await isRight({ sha256 }, bytes)) throw new Error(`${MAIN} could not be put together`);
  return WebAssembly.compile(bytes);
}

/** @param {WebAssembly.Module} module @param {any} imports */
function wrapOnce(module, imports) {
  try {
    return offerWrapped(module, imports.env);
  } catch (error) {
    console.warn("Functions are wrapped one by one:", error); // by Emscripten itself, which is slower
    return () => {};
  }
}

/**
 * The files of all modules that were not imported yet; they can wait until there is time.
 * @param {any} pyodide
 * @param {Files} files
 * @param {"snapshot" | "slim"} path how Python was started: slim, it lacks only what nobody needs to read a digit
 * @param {() => Promise<void>} complete
 */
export async function bringModules(pyodide, files, path, complete) {
  await complete();
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
