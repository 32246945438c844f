/**
 * What bench_soak.py adds to a worker: soak.py, imported where everything else of Python is, and a way to call it.
 */

/** @type {any} proxy of the module */
let soak;
/** @type {any} proxy of the Run that was begun last */
let run;

const MALLINFO_SIZE = 40; // bytes: ten numbers
const IN_USE = 7; // the place of `uordblks` among them

/** Every request; each is short enough that the engine does not take the worker for dead. */
const calls = {
  begin: (/** @type {any} */ _, { seed, batch_size }) => {
    run?.destroy();
    run = soak.Run(seed, batch_size);
    return true;
  },
  steps: (/** @type {any} */ _, { n }) => run.steps(n),
  digest: () => run.digest(),
  faults: () => plain(soak.faults()),
  grow: () => plain(soak.grow()),
  heap: (/** @type {any} */ { _module: module }) => ({ size: module.HEAP8.length, used: allocated(module) }),
};

/**
 * @param {any} pyodide
 * @param {{call: keyof typeof calls, [field: string]: any}} fields
 */
export async function callSoak(pyodide, { call, ...fields }) {
  if (!soak) await bring(pyodide);
  return calls[call](pyodide, fields);
}

/** @param {any} pyodide */
async function bring(pyodide) {
  const library = pyodide.FS.readdir("/lib").find((/** @type {string} */ name) => /^python3\.\d+$/.test(name));
  const response = await fetch(new URL("soak.zip", import.meta.url));
  pyodide.unpackArchive(await response.arrayBuffer(), "zip", { extractDir: `/lib/${library}/site-packages` });
  soak = pyodide.pyimport("soak");
}

/** Bytes that are allocated and not freed: what a leak adds to, where the heap's size goes in steps of a fifth. @param {any} module */
function allocated(module) {
  const info = module._malloc(MALLINFO_SIZE);
  module.LDSO.loadedLibsByName.__main__.exports.mallinfo(info); // by no other way: our script of the module leaves its name out
  const used = module.HEAPU32[info / 4 + IN_USE];
  module._free(info);
  return used;
}

/** @param {any} proxy of a dict */
function plain(proxy) {
  const value = proxy.toJs({ dict_converter: Object.fromEntries });
  proxy.destroy();
  return value;
}
