// Bundles the page's scripts, and the worker's, for the single file. Argument: a folder with app/, our code; runtime/; table/, the
// asset table of the single file; single/, what takes the place of our own modules. page.js and worker.js go to its target/.

import { join, dirname, basename } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
const [app, runtime, table, single, target] = ["app", "runtime", "table", "single", "target"].map((name) => join(folder, name));
const replaced = { "start.js": single, "styles.js": single, "offline.js": single, "assets.js": table };

const parts = {
  name: "parts",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind }) => {
      if (kind === "entry-point") return null;
      const name = basename(path);
      if (Object.hasOwn(replaced, name)) return { path: join(replaced[name], name) };
      if (path.startsWith("../../runtime/")) return { path: join(runtime, name) };
      if (path.startsWith("../../site/")) return { path: join(app, path.slice("../../site/".length)) };
      return { path: join(dirname(importer), path) };
    });
  },
};

const options = {
  bundle: true,
  absWorkingDir: folder, // the bundle names each module by its path from here: the same on every machine
  format: "iife",
  target: "es2022",
  charset: "utf8",
  minifyWhitespace: true,
  minifySyntax: true, // but not the names, as in dist/
  legalComments: "inline",
  external: ["node:*", "ws"], // Pyodide's, for Node
  define: { "import.meta.url": '"inkling:/script"' }, // asked for by nobody: there is no address to load from
  plugins: [parts],
  outdir: target,
  logLevel: "warning",
};
for (const entry of [join(app, "js", "page.js"), join(single, "worker.js")]) await build({ ...options, entryPoints: [entry] });
