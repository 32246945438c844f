// Two questions to Pyodide's own Python, asked in Node: which modules of the standard library does the page need, and what do
// modules compile to (so that the .pyc files are the very ones that the browser's Python reads)?
//
//   node compile_pyc.mjs RUNTIME ABI loaded WHEEL NAME...            print, as JSON, the standard library's files that are loaded
//                                                                    after booting, installing WHEEL and importing each NAME
//   node compile_pyc.mjs RUNTIME ABI compile SOURCES TARGET HOME     compile SOURCES/**/*.py to TARGET/**/*.pyc
//
// RUNTIME is the folder with Pyodide's files; HOME is where the modules will lie in the browser, as tracebacks will show it.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const tasks = {
  loaded(pyodide, wheel, ...names) {
    pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel");
    console.log(pyodide.globals.get("loaded_files")(names.join(" ")));
  },
  compile(pyodide, sources, target, home) {
    pyodide.mountNodeFS("/sources", resolve(sources));
    pyodide.mountNodeFS("/target", resolve(target));
    pyodide.globals.get("compile_tree")("/sources", "/target", home);
  },
};

async function main([runtime, abi, task, ...values]) {
  const indexURL = resolve(runtime) + "/";
  const { loadPyodide } = await import(pathToFileURL(indexURL + "pyodide.mjs").href);
  const pyodide = await loadPyodide({
    indexURL,
    // Nothing is installed by name, so Pyodide's 150 KB list of packages, which is not in our cache, need not be read.
    lockFileContents: { info: { abi_version: abi }, packages: {} },
    // marshal writes a frozenset in the order of its hashes: a fixed seed makes two builds give the same bytes.
    env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" },
  });
  pyodide.runPython(readFileSync(new URL("compile_pyc.py", import.meta.url), "utf8"), { filename: "compile_pyc.py" });
  tasks[task](pyodide, ...values);
}

try {
  await main(process.argv.slice(2));
  process.exit(0); // Pyodide leaves handles open that would keep Node alive
} catch (error) {
  console.error(error.message); // left to Node, it would print the line of pyodide.asm.mjs that threw: all 1.2 MB of it
  process.exit(1);
}
