/**
 * One minified module of each script: node bundle.mjs ENTRY... OUTPUT-FOLDER
 */

import { build } from "esbuild"; // the project's own
import { fileURLToPath } from "node:url";

const entries = process.argv.slice(2);
const outdir = entries.pop();
await build({
  entryPoints: entries,
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  nodePaths: [fileURLToPath(new URL("node_modules", import.meta.url))],
  logLevel: "error",
});
