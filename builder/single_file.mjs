// Bundles the page's scripts, and the worker's, for the single file. Arguments: the folder of our code, that of the runtime, the
// folder with the asset table of the single file, and where page.js and worker.js are to go.

import { join, dirname, basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [app, runtime, table, target] = process.argv.slice(2);
const single = join(dirname(fileURLToPath(import.meta.url)), "single");
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
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  external: ["node:*", "ws"], // Pyodide's, for Node
  define: { "import.meta.url": '"inkling:/script"' }, // asked for by nobody: there is no address to load from
  plugins: [parts],
  outdir: target,
  logLevel: "warning",
};
await build({ ...options, entryPoints: [join(app, "js", "page.js")] });
await build({ ...options, entryPoints: [join(single, "worker.js")], minifyWhitespace: true });
