// Brotli with Node's own zlib. Arguments: the quality, the window in bits; standard input: a JSON list of [source, target]; prints a line per file done.

import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const [quality, window] = process.argv.slice(2).map(Number);
const compress = promisify(brotliCompress); // on Node's thread pool, so several files at a time

await Promise.all(
  JSON.parse(readFileSync(0, "utf8")).map(async ([source, target]) => {
    const data = readFileSync(source);
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: window,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    };
    writeFileSync(target, await compress(data, { params }));
    console.log(source);
  }),
);
