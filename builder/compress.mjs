// Brotli with Node's own zlib. Argument: the quality; standard input: a JSON list of [source, target]; prints a line per file done.

import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const compress = promisify(brotliCompress); // on Node's thread pool, so several files at a time

await Promise.all(
  JSON.parse(readFileSync(0, "utf8")).map(async ([source, target]) => {
    const data = readFileSync(source);
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: Number(process.argv[2]),
      [constants.BROTLI_PARAM_LGWIN]: 24, // the whole 16 MB that browsers must accept: one window for pyodide.asm.wasm
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    };
    writeFileSync(target, await compress(data, { params }));
    console.log(source);
  }),
);
