"""site/js/downloads.js: a file is hashed by pieces of a MiB however it comes, with its bytes kept or not."""

import json

import pytest

from builder.common import SITE

PIECE = 2**20
SIZES = (1, 100, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5)
BEGIN = f"""
import {{ createHash }} from "node:crypto";
globalThis.self = globalThis;
const {{ compile, compilePieces, download, included }} = await import({json.dumps((SITE / "js" / "downloads.js").as_uri())});
const PIECE = {PIECE};
const hash = (bytes) => createHash("sha256").update(bytes).digest();
const asset = (bytes) => {{
  const pieces = [];
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(hash(bytes.subarray(at, at + PIECE)));
  return {{ url: "here/file", bytes: bytes.length, sha256: hash(bytes).toString("hex"), cache: "reload", data: [],
    ...(pieces.length > 1 ? {{ pieces: hash(Buffer.concat(pieces)).toString("hex") }} : {{}}) }};
}};
const coming = (bytes, part) => new Response(new ReadableStream({{ start(controller) {{
  for (let at = 0; at < bytes.length; at += part) controller.enqueue(bytes.slice(at, at + part));
  controller.close();
}} }}), {{ headers: {{ "content-type": "application/wasm" }} }});
const noise = (length) => Uint8Array.from({{ length }}, (_, i) => Math.imul(i + length, 2654435761) >>> 24);
/** A module of just so many bytes, nearly all of them in a section that nobody reads. */
const wasm = (length) => {{
  const size = length - 14; // of the section: its length takes five bytes of LEB128
  const leb = [0, 1, 2, 3, 4].map((i) => ((size >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0));
  const bytes = new Uint8Array(length);
  bytes.set([0, 97, 115, 109, 1, 0, 0, 0, 0, ...leb, 1, 120]);
  bytes.set(noise(length - 16), 16);
  return bytes;
}};
const flipped = (bytes) => {{
  const other = bytes.slice();
  other[other.length - 1] ^= 1;
  return other;
}};
let counted;
const count = (bytes) => {{ counted += bytes; }};
/** What comes of work on these bytes if they come in such parts: an array, a module, or an error's name. */
const outcome = async (work, bytes, part, wanted = bytes) => {{
  counted = 0;
  included.open = () => coming(bytes, part);
  return work(asset(wanted), count).catch(({{ name }}) => name);
}};
const said = [];
"""


@pytest.fixture
def run(run_script):
    return lambda script: run_script(f"{BEGIN}{script}\nconsole.log(JSON.stringify(said));")


@pytest.mark.parametrize("part", [PIECE // 16, PIECE - 1, PIECE, PIECE + 7, 7 * PIECE])
def test_a_whole_file_comes_in_parts_of_any_size(run, part):
    assert run(f"""
        for (const size of {list(SIZES)}) {{
          const bytes = noise(size);
          const whole = await outcome(download, bytes, {part});
          said.push([Buffer.compare(Buffer.from(whole), bytes) === 0, counted === size,
            await outcome(download, flipped(bytes), {part}, bytes), await outcome(download, bytes.subarray(0, -1), {part}, bytes),
            await outcome(download, noise(size + 1), {part}, bytes)]);
        }}
    """) == [[True, True, "LoadError", "LoadError", "LoadError"]] * len(SIZES)


@pytest.mark.parametrize("work", ["compile", "compilePieces"])
def test_what_is_compiled_is_hashed_though_its_bytes_are_not_kept(run, work):
    sizes = [size for size in SIZES if size > PIECE // 2]
    assert run(f"""
        for (const size of {sizes}) for (const part of [PIECE / 16, PIECE + 7]) {{
          const bytes = wasm(size);
          const module = await outcome({work}, bytes, part);
          said.push([module instanceof WebAssembly.Module, counted === size, await outcome({work}, flipped(bytes), part, bytes)]);
        }}
    """) == [[True, True, "LoadError"]] * (2 * len(sizes))
