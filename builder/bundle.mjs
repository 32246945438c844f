// Makes one file of each entry and the modules inside it. Argument: a folder with the modules. Standard input, as JSON: for each
// entry's name the scripts that it consists of, all modules that are to be inside, and the entry, if any, out of whose bundle others
// are taken, with their names. Such a bundle exports whatever its modules do. The bundles go to the folder's target/.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";

const BANNER = "// Made by build.py of the modules beside it, where all this can be read.";
const folder = process.argv[2];
const entries = JSON.parse(readFileSync(0, "utf8"));

/** What is not inside stays a file of its own, which is imported when it is wanted, or comes out of another bundle. */
const outside = (entry, inside, first) => ({
  name: "outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, kind, resolveDir }) => {
      const name = relative(folder, join(resolveDir, path)).replaceAll("\\", "/");
      if (name.startsWith("..")) throw new Error(`${path} leads out of the site: to ${name}`);
      const isThere = first?.inside.includes(name);
      if (inside.includes(name) || (kind !== "dynamic-import" && !isThere)) return null;
      return { path: `./${relative(dirname(entry), isThere ? first.entry : name).replaceAll("\\", "/")}`, external: true };
    });
  },
});

const exported = {};
for (const [entry, { scripts, inside, first, shared }] of Object.entries(entries)) {
  const lines = [...scripts.map((name) => `import "./${name}";`), ...(shared ? inside : []).map((name) => `export * from "./${name}";`)];
  const outfile = join(folder, "target", entry);
  const { metafile } = await build({
    stdin: { contents: lines.join("\n"), resolveDir: folder, sourcefile: "scripts" },
    outfile,
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    minifyWhitespace: true,
    minifySyntax: true, // but not the names: whoever reads an error's trace is to find them in the modules
    banner: { js: BANNER },
    metafile: true,
    plugins: [outside(entry, inside, first)],
    logLevel: "warning",
  });
  let text = readFileSync(outfile, "utf8");
  const [made] = Object.values(metafile.outputs);
  if (!made.exports.length && !made.imports.some(({ kind }) => kind === "import-statement")) { // in a block: where a file ends too early, that is an error at once, and no script that does nothing
    text = text.replace(BANNER, `${BANNER}\n{`) + "}\n";
    writeFileSync(outfile, text);
  }
  exported[entry] = namesIn(text, /\bexport\{([^}]*)\}/g).map(([, outside]) => outside);
  if (!first) continue;
  // Of two modules that export the same name neither's is exported by both together, and nobody else would say so before the page did not start.
  const imports = namesIn(text, new RegExp(`\\bimport\\{([^}]*)\\}from"\\./${first.entry.split("/").pop()}"`, "g"));
  const missing = imports.map(([name]) => name).filter((name) => !exported[first.entry].includes(name));
  if (missing.length) throw new Error(`${first.entry} does not export ${missing.join(", ")}; do two of the modules in it export that name?`);
}

/** [name there, name here] of everything in the lists that the pattern finds. */
function namesIn(text, pattern) {
  return [...text.matchAll(pattern)].flatMap(([, list]) => list.split(",").map((entry) => {
    const [name, other = name] = entry.trim().split(" as ");
    return [name, other];
  }));
}
