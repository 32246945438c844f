"""builder/wasm.py, and site/js/halves.js, which puts together what it has cut: on modules made by hand, and on the runtime's own."""

import base64
import hashlib
import json
import struct

import numpy as np
import pytest
from small_wasm import IN_TABLE, LENGTH, NAMES, PLACE, Shape, custom, leb, section, small_module, text, vector

from builder import wasm
from builder.common import ROOT, SITE, BuildError
from builder.halves import MAIN, secondary_name
from builder.python_pack import make_packs
from builder.runtime import read_lock, runtime_directory
from builder.snapshot import LIBRARIES, make_snapshot, whole_name

LOCK = read_lock()
RUNTIME = runtime_directory(LOCK)
needs_runtime = pytest.mark.skipif(not RUNTIME.is_dir(), reason="no runtime in the cache yet: python build.py fetches it")

SHAPES = [Shape(), Shape(imports=True, starts=False)]
NUMBER = {name: i for i, name in enumerate(NAMES)}
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=["with memory of its own", "as a library"])

SECOND = "https://here/x.secondary.wasm"

# What all modules of small_wasm.py can be asked, and what a sequence of calls gives.
BEGIN = f"""
import {{ createHash }} from "node:crypto";
globalThis.self = globalThis;
const {{ included }} = await import({json.dumps((SITE / "js" / "downloads.js").as_uri())});
const {{ bringLater, partOf, whole }} = await import({json.dumps((SITE / "js" / "halves.js").as_uri())});
const {{ checksumOf }} = await import({json.dumps((SITE / "js" / "checksum.js").as_uri())});
const bytesOf = (base64) => Uint8Array.from(Buffer.from(base64, "base64"));
const say = (what) => console.log(JSON.stringify(what, (_, value) => typeof value === "bigint" ? String(value) : value));
const surroundings = () => ({{ env: {{
  log: (value) => value + 100,
  memory: new WebAssembly.Memory({{ initial: 1 }}),
  table: new WebAssembly.Table({{ element: "anyfunc", initial: {LENGTH} }}),
  counter: new WebAssembly.Global({{ value: "i32", mutable: true }}, 5),
}} }});
const CALLS = [
  ["even", 9], ["count"], ["add", 2, 3], ["odd", 9], ["count"], ["keep", 64, 8], ["through", 1, 4], ["through", 2, 4], ["through", 3, 4], ["shout", 6], ["seven"],
  ["mix", 3n, 0.5], ["catches", 13], ["looped", 10], ["count"], ["through", 4, 1], ["through", 0, 1], ["never"],
];
/** Results, errors as their classes; the memory, the global and the table as they are afterwards. */
function use(exports, names = Object.keys(exports), calls = CALLS) {{
  const outcome = ([name, ...given]) => {{
    try {{
      return exports[name](...given) ?? null;
    }} catch (error) {{
      return error.constructor.name;
    }}
  }};
  return [...calls.filter(([name]) => names.includes(name)).map(outcome), new Int32Array(exports.memory.buffer, 0, 32).join(), exports.counter.value];
}}
const requests = [];
/** What a synchronous request gives. */
let answer = () => new ArrayBuffer(0);
globalThis.XMLHttpRequest = class {{
  open(method, url, asynchronous) {{
    requests.push([method, url, asynchronous]);
  }}
  send() {{
    this.response = answer();
  }}
}};
/** Both halves, instantiated as far as one can. */
async function begin(primary, secondary, joined) {{
  const compiled = await WebAssembly.compile(primary);
  const imports = surroundings();
  const instance = await WebAssembly.instantiate(compiled, imports);
  const file = {{ url: "{SECOND}", bytes: secondary.length, sha256: createHash("sha256").update(secondary).digest("hex") }};
  answer = () => secondary.slice().buffer;
  included.open = () => new Response(secondary.slice());
  return {{ exports: instance.exports, file, complete: bringLater(partOf(compiled), instance, imports, file, joined) }};
}}
"""


def b64(data: bytes) -> str:
    return f"bytesOf({json.dumps(base64.b64encode(data).decode())})"


@pytest.fixture
def run(run_script):
    return lambda script: run_script(BEGIN + script)


def subsets(n: int, seed: int = 0) -> list[set[int]]:
    """Functions that may have been called: none, all, and chance's choice."""
    rng = np.random.default_rng(seed)
    return [set(), set(range(len(NAMES))), *({int(i) for i in np.flatnonzero(rng.random(len(NAMES)) < rng.random())} for _ in range(n))]


@each_shape
def test_a_module_put_together_from_its_parts_is_the_same_byte_for_byte(shape):
    data = small_module(shape)
    module = wasm.parse(data)
    assert wasm.assemble(module.sections) == data
    assert [name for name, kind, _ in module.exports if kind == wasm.FUNCTION] == NAMES
    assert len(module.bodies) == len(module.functions) == len(NAMES)
    assert module.start == (PLACE["begin"] if shape.starts else None)
    assert module.imported == {wasm.FUNCTION: 1, wasm.TABLE: int(shape.imports), wasm.MEMORY: int(shape.imports), wasm.GLOBAL: int(shape.imports), wasm.TAG: 0}


@each_shape
def test_a_marked_module_does_the_same_and_notes_exactly_what_was_called(run, shape):
    data = small_module(shape)
    calls = [["even", 3], ["count"], ["through", 3, 1], ["looped", 4], ["catches", 2]]
    alike, noted = run(f"""
        const calls = {json.dumps(calls)};
        const [plain, marked] = await Promise.all([{b64(data)}, {b64(wasm.marked(data))}].map((bytes) => WebAssembly.instantiate(bytes, surroundings())));
        const alike = JSON.stringify(use(plain.instance.exports, undefined, calls)) === JSON.stringify(use(marked.instance.exports, undefined, calls));
        const {{ called }} = marked.instance.exports;
        say([alike, Array.from({{ length: called.length }}, (_, i) => i).filter((i) => called.get(i) !== null)]);
    """)
    wanted = {"even", "odd", "count", "through", "shout", "looped", "catches", "throws"} | ({"begin"} if shape.starts else set())
    assert alike and set(noted) == {NUMBER[name] for name in wanted}


@each_shape
@pytest.mark.parametrize("way", ["at once", "in time", "in the middle"])
def test_the_halves_do_together_what_the_whole_did_wherever_the_cut_is(run, shape, way):
    """at once: the first call into the second half brings it; in time: it has come before anything is called; in the middle: after some calls."""
    data = small_module(shape)
    cuts = [wasm.split(data, called) for called in subsets(14)]
    pairs = ", ".join(f"[{b64(primary)}, {b64(secondary)}]" for primary, secondary in cuts)
    results = run(f"""
        const {{ instance }} = await WebAssembly.instantiate({b64(data)}, surroundings());
        const expected = JSON.stringify([use(instance.exports), use(instance.exports)]);
        const results = [];
        for (const [primary, secondary] of [{pairs}]) {{
          requests.length = 0;
          let joined = 0;
          const {{ exports, complete }} = await begin(primary, secondary, () => joined++);
          if ({json.dumps(way)} === "in time") await complete();
          const first = use(exports);
          const before = requests.length;
          if ({json.dumps(way)} !== "at once") await complete();
          results.push([JSON.stringify([first, use(exports)]) === expected, before, requests.length - before, joined]);
        }}
        say(results);
    """)
    everything = NUMBER.keys() - {"begin"}
    for (right, before, after, joined), called in zip(results, subsets(14)):
        all_kept = {NUMBER[name] for name in everything} <= called
        assert right
        assert before == (0 if all_kept or way == "in time" else 1)
        assert after == 0
        assert joined == (0 if all_kept and way == "at once" else 1)


@each_shape
def test_memory_table_and_globals_are_one_and_the_same_in_both_halves(run, shape):
    """Written in one half and read in the other, either way round; also by whoever has them from the first half's exports."""
    primary, secondary = wasm.split(small_module(shape), {NUMBER[name] for name in ("keep", "through", "catches")})
    assert run(f"""
        const {{ exports, complete }} = await begin({b64(primary)}, {b64(secondary)});
        const counts = [exports.count(), exports.counter.value]; // of the second half
        exports.counter.value = 20;
        const there = exports.table.get({1 + IN_TABLE.index("seven")});
        exports.table.set(0, exports.looped);
        exports.keep(64, 33);
        say([...counts, exports.count(), there(), exports.through(0, 4), new Int32Array(exports.memory.buffer)[16], exports.catches(8), exports.tag instanceof WebAssembly.Tag]);
    """) == [6, 6, 21, 7, 10, 33, 8, True]


def test_a_call_of_the_second_half_asks_for_it_once_and_nothing_else_does(run):
    primary, secondary = wasm.split(small_module(Shape()), {NUMBER["even"], NUMBER["odd"], NUMBER["add"]})
    asked, later = run(f"""
        let symbols = "nothing yet";
        const {{ exports, file, complete }} = await begin({b64(primary)}, {b64(secondary)}, (given) => (symbols = given ?? null));
        const counts = [[exports.add(1, 2), exports.even(7), requests.length, symbols]];
        counts.push([exports.count(), requests.length, symbols], [exports.looped(3), exports.count(), requests.length]);
        included.open = () => {{ throw new Error("it is there"); }};
        await complete();
        say([requests, counts]);
    """)
    assert asked == [["GET", SECOND, False]]
    assert later == [[3, 0, 0, "nothing yet"], [6, 1, None], [6, 7, 1]]


def test_what_is_called_for_while_it_is_on_its_way_is_put_in_once(run):
    primary, secondary = wasm.split(small_module(Shape()), {NUMBER["even"]})
    assert run(f"""
        let joined = 0;
        const {{ exports, complete }} = await begin({b64(primary)}, {b64(secondary)}, () => joined++);
        let release;
        included.open = () => new Response(new ReadableStream({{ async pull(controller) {{
          await new Promise((resolve) => (release = resolve));
          controller.enqueue({b64(secondary)});
          controller.close();
        }} }}));
        const coming = complete();
        const between = [exports.count(), joined, requests.length]; // it cannot wait
        while (!release) await new Promise((resolve) => setTimeout(resolve, 5));
        release();
        await coming;
        say([between, joined, exports.count()]);
    """) == [[6, 1, 1], 1, 7]


DAMAGED = {
    "a bit": "(bytes) => (bytes[bytes.length >> 1] ^= 4, bytes.buffer)",
    "its end": "(bytes) => bytes.slice(0, -4).buffer",
    "more": "(bytes) => Uint8Array.from([...bytes, 0, 0, 0, 0]).buffer",
    "another page": "() => new TextEncoder().encode('<!doctype html><title>404</title>').buffer",
    "nothing": "() => new ArrayBuffer(0)",
    "null, as after a failure": "() => null",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_second_half_is_refused_and_asked_for_again_by_the_next_call(run, damage):
    primary, secondary = wasm.split(small_module(Shape()), {NUMBER["even"]})
    assert run(f"""
        let joined = 0;
        const {{ exports }} = await begin({b64(primary)}, {b64(secondary)}, () => joined++);
        const right = answer;
        answer = () => ({DAMAGED[damage]})({b64(secondary)});
        const attempt = () => {{
          try {{
            return exports.count();
          }} catch (error) {{
            return error.message;
          }}
        }};
        const refused = [attempt(), attempt(), joined];
        answer = right;
        say([...refused, attempt(), joined, requests.map(([, url]) => url)]);
    """) == [*[f"{SECOND} came incomplete or damaged"] * 2, 0, 6, 1, [SECOND, f"{SECOND}?anew"] * 2 + [SECOND]]


def test_a_second_half_that_comes_damaged_in_time_is_refused_and_may_come_later(run):
    primary, secondary = wasm.split(small_module(Shape()), {NUMBER["even"]})
    refused, joined, later = run(f"""
        let joined = 0;
        const {{ exports, file, complete }} = await begin({b64(primary)}, {b64(secondary)}, () => joined++);
        const right = included.open;
        included.open = () => {{
          const bytes = {b64(secondary)};
          bytes[bytes.length - 9] ^= 1;
          return new Response(bytes);
        }};
        const refused = await complete().then(() => "came", ({{ message }}) => message);
        const before = joined;
        included.open = right;
        await complete();
        say([refused, [before, joined], [exports.count(), requests.length]]);
    """)
    assert refused.startswith("Could not load x.secondary.wasm: it came incomplete or damaged")
    assert (joined, later) == ([0, 1], [6, 0])


@pytest.mark.parametrize("way", ["at once", "in time"])
def test_the_second_half_of_another_cut_is_refused(run, way):
    """It is sound in itself, and would even fit; but it has other functions, or those of another module."""
    data = small_module(Shape())
    other_module = data.replace(b"debugging", b"debagging")
    primary, _ = wasm.split(data, {NUMBER["even"]})
    for _, other in (wasm.split(data, {NUMBER["odd"]}), wasm.split(other_module, {NUMBER["even"]})):
        message, count = run(f"""
            const other = {b64(other)};
            const {{ exports, complete, file }} = await begin({b64(primary)}, other);
            let message = "";
            if ({json.dumps(way)} === "in time") await complete().catch((error) => (message = error.message));
            else {{
              const compiled = new WebAssembly.Module({b64(primary)});
              const imports = surroundings();
              const instance = new WebAssembly.Instance(compiled, imports);
              bringLater({{ ...partOf(compiled), bytes: other.length, checksum: checksumOf(other, [[0, other.length]]) }}, instance, imports, file);
              try {{
                instance.exports.count();
              }} catch (error) {{
                message = error.message;
              }}
            }}
            say([message, exports["split:there"].value]);
        """)
        assert (message, count) == (f"{SECOND} belongs to another build", 0)


def test_where_files_come_with_the_page_nothing_can_come_at_once(run):
    primary, secondary = wasm.split(small_module(Shape()), {NUMBER["even"]})
    assert run(f"""
        const {{ exports, file, complete }} = await begin({b64(primary)}, {b64(secondary)});
        file.data = [];
        let message;
        try {{
          exports.count();
        }} catch (error) {{
          message = error.message;
        }}
        await complete();
        say([message, requests.length, exports.count()]);
    """) == ["A part of Python that is still being unpacked was called.", 0, 6]


def test_a_whole_module_is_no_part_of_anything(run):
    assert run(f"say([partOf(new WebAssembly.Module({b64(small_module(Shape()))})), partOf(new WebAssembly.Module({b64(wasm.marked(small_module(Shape())))}))]);") == [None, None]


def test_a_cut_says_what_of_and_of_which_length_and_no_two_are_alike(run):
    data = small_module(Shape())
    seen = set()
    for called in ({0}, {0, 1}, {0, 2}):
        primary, secondary = wasm.split(data, called)
        assert wasm.split(data, called) == (primary, secondary)
        one, other = run(f"say([{b64(primary)}, {b64(secondary)}].map((bytes) => partOf(new WebAssembly.Module(bytes))));")
        assert one["of"] == other["of"] == hashlib.sha256(data).hexdigest()
        assert one["id"] == other["id"] and one["bytes"] == len(secondary)
        seen.add(one["id"])
    assert len(seen) == 3


def test_the_function_that_starts_is_kept_though_nobody_said_so(run):
    primary, secondary = wasm.split(small_module(Shape()), set())
    assert run(f"""
        const {{ exports }} = await begin({b64(primary)}, {b64(secondary)});
        say([new Int32Array(exports.memory.buffer)[0], requests.length]);
    """) == [42, 0]


@each_shape
def test_halves_put_together_are_the_old_file_byte_for_byte(run, shape):
    data = small_module(shape)
    cuts = [wasm.split(data, called, links) for called in subsets(14) for links in ([None] if shape.imports else [None, LINKS])]
    pairs = ", ".join(f"[{b64(primary)}, {b64(secondary)}]" for primary, secondary in cuts)
    assert run(f"""
        const old = {b64(data)};
        say([{pairs}].map((halves) => {{
          const {{ bytes, sha256 }} = whole(...halves);
          return Buffer.compare(bytes, old) === 0 && createHash("sha256").update(bytes).digest("hex") === sha256;
        }}));
    """) == [True] * len(cuts)


def test_halves_that_do_not_belong_together_have_not_the_hash_that_they_name(run):
    data = small_module(Shape())
    (primary, secondary), (_, other) = wasm.split(data, {1, 2, 3}), wasm.split(data, {2, 3, 4, 5})
    damaged = secondary.replace(b"\x20\x00\x20\x01\x36", b"\x20\x01\x20\x01\x36")
    assert damaged != secondary
    assert run(f"""
        say([{b64(secondary)}, {b64(other)}, {b64(damaged)}].map((half) => {{
          const {{ bytes, sha256 }} = whole({b64(primary)}, half);
          return createHash("sha256").update(bytes).digest("hex") === sha256;
        }}));
    """) == [True, False, False]


# The table's own end is at LENGTH; the functions that nobody had put there before have their places from there on, in Emscripten's order.
SLOTS = {name: LENGTH + i for i, name in enumerate(name for name in NAMES[::-1] if name not in IN_TABLE)} | {name: 1 + i for i, name in enumerate(IN_TABLE)}
LINKS = wasm.Links(exports={"add", "even", "memory", "table", "counter"}, slots=SLOTS, free=LENGTH, length=len(NAMES) + 6, others={"log": len(NAMES) + 5}, data={"digits": 16})


def test_with_links_exports_are_few_and_all_functions_have_their_places(run):
    own, exported, length, results, symbols, asked = run(f"""
        let symbols;
        const {{ exports }} = await begin({{primary}}, {{secondary}}, (given) => (symbols = given));
        const own = partOf(new WebAssembly.Module({{primary}})).links;
        const {{ table }} = exports;
        const at = (name) => table.get({json.dumps(SLOTS)}[name]);
        const first = [at("add")(3, 4), at("even")(4), requests.length];
        say([own, Object.keys(exports).filter((name) => !name.startsWith("split:")).sort(), table.length, [...first, at("count")(), at("looped")(4), at("shout")(1)], symbols, requests.length]);
    """.replace("{primary}", b64((halves := wasm.split(small_module(Shape()), {NUMBER["add"], NUMBER["even"], NUMBER["odd"]}, LINKS))[0])).replace("{secondary}", b64(halves[1])))
    assert own == {"functions": {name: SLOTS[name] for name in ("add", "even")}, "others": LINKS.others}
    assert exported == sorted(LINKS.exports)
    assert length == LINKS.length
    assert results == [7, 1, 0, 6, 10, 102] and asked == 1
    assert symbols == {"functions": SLOTS, "data": {"digits": 16}}


@pytest.mark.parametrize("slots", [{**SLOTS, "add": LENGTH + 40}, {name: slot for name, slot in SLOTS.items() if name != "count"}], ids=["a gap", "one is missing"])
def test_places_that_are_not_as_emscripten_gives_them_are_refused(slots):
    with pytest.raises(BuildError, match="numbered the exported functions in another way"):
        wasm.split(small_module(Shape()), {1}, wasm.Links(LINKS.exports, slots, LINKS.free, LINKS.length, LINKS.others, LINKS.data))


def test_both_languages_have_one_checksum(run):
    data = np.random.default_rng(1).integers(0, 256, 40_000, np.uint8).tobytes() + bytes([255] * 8)
    assert run(f"const bytes = {b64(data)}; say(checksumOf(bytes, [[0, bytes.length]]));") == wasm.checksum(data)
    assert wasm.checksum(struct.pack("<2i", 1, -1)) == 30


HEAD = b"\0asm\x01\0\0\0"
NO_CODE = section(1, b"\x60\0\0") + section(3, b"\0") + section(10, b"\x02\0\x0b")  # a module that is known


REFUSED = {
    "another magic word": (b"\0asn\x01\0\0\0" + NO_CODE, "not a WebAssembly module"),
    "another version": (b"\0asm\x02\0\0\0" + NO_CODE, "not a WebAssembly module"),
    "nothing": (b"", "not a WebAssembly module"),
    "a page": (b"<!doctype html>", "not a WebAssembly module"),
    "a type of structures": (HEAD + section(1, b"\x5f\x01\x7f\0") + section(10), "types other than functions"),
    "types in a group": (HEAD + section(1, b"\x4e" + vector(b"\x60\0\0")) + section(10), "types other than functions"),
    "a global of 64 bits": (HEAD + section(6, b"\x7e\0\x42\x01\x0b") + section(10), "instruction 0x42"),
    "a global that refers": (HEAD + section(6, b"\x70\0\xd2\0\x0b") + section(10), "instruction 0xd2"),
    "a global that is a sum": (HEAD + section(6, b"\x7f\0\x41\x01\x41\x02\x6a\x0b") + section(10), "instruction 0x6a"),
    "a long number before a section": (HEAD + b"\x01\x84\0\x01\x60\0\0" + section(3, b"\0") + section(10, b"\x02\0\x0b"), "longer than they need be"),
    "a long number before a body": (HEAD + section(1, b"\x60\0\0") + section(3, b"\0") + section(10, b"\x82\0\0\x0b"), "longer than they need be"),
    "no functions at all": (HEAD + section(1, b"\x60\0\0") + section(3), "could not be put together"),
    "a section that is cut off": (HEAD + NO_CODE + b"\x0b\x05\x01\0", "could not be put together"),
    "a table with a first value": (HEAD + section(4, b"\x40\0\x70\0\x01\xd0\x70\x0b") + section(10), None),
    "a memory with pages of another size": (HEAD + section(5, b"\x08\x01\x10") + section(10), None),
    "an import of another kind": (HEAD + section(2, text("env") + text("f") + b"\x20\0") + section(10), None),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_known_is_refused(what):
    data, message = REFUSED[what]
    with pytest.raises(BuildError, match=message):
        wasm.parse(data)


def test_what_is_known_is_not_refused():
    wasm.parse(HEAD + NO_CODE)


def test_long_numbers_are_read_and_written():
    """A module whose functions need numbers of two bytes, and one body of three."""
    bodies = [leb(300_000) + b"\0" + b"\x01" * 299_998 + b"\x0b", *[b"\x02\0\x0b"] * 199]
    data = HEAD + section(1, b"\x60\0\0") + section(3, *[b"\0"] * 200) + section(7, text("f") + b"\0" + leb(199)) + section(10, *bodies) + custom("name", b"\1")
    module = wasm.parse(data)
    assert wasm.assemble(module.sections) == data and len(module.bodies[0]) == 300_000 and module.exports == [("f", 0, 199)]


@pytest.fixture(scope="module")
def halves():
    """{name of a module: (primary, secondary, whole)}, as paths."""
    snapshot = make_snapshot(LOCK, RUNTIME, make_packs(LOCK, RUNTIME, SITE), "convnet", (ROOT / "weights" / "convnet.npz").read_bytes())
    whole = {MAIN: RUNTIME / MAIN} | {name: snapshot[whole_name(name)] for name in LIBRARIES}
    return {name: (snapshot[name], snapshot[secondary_name(name)], path) for name, path in whole.items()}


@needs_runtime
@pytest.mark.parametrize("name", [MAIN, *LIBRARIES])
def test_the_real_halves_put_together_are_the_real_module(run, halves, name):
    paths = json.dumps([str(path) for path in halves[name]])
    is_same, is_named, modules = run(f"""
        const {{ readFileSync }} = await import("node:fs");
        const [primary, secondary, old] = {paths}.map((path) => new Uint8Array(readFileSync(path)));
        const {{ bytes, sha256 }} = whole(primary, secondary);
        const hash = (data) => createHash("sha256").update(data).digest("hex");
        say([Buffer.compare(bytes, old) === 0, sha256 === hash(old), [primary, secondary].every((half) => WebAssembly.validate(half))]);
    """)
    assert is_same and is_named and modules


@needs_runtime
@pytest.mark.parametrize("name", [MAIN, *LIBRARIES])
def test_the_real_modules_are_parsed_and_marked(run, halves, name, tmp_path):
    data = halves[name][2].read_bytes()
    module = wasm.parse(data)
    assert wasm.assemble(module.sections) == data and len(module.bodies) > 300
    (tmp_path / "marked.wasm").write_bytes(wasm.marked(data))
    assert run(f"""
        const {{ readFileSync }} = await import("node:fs");
        const marked = new WebAssembly.Module(readFileSync({json.dumps(str(tmp_path / "marked.wasm"))}));
        say(WebAssembly.Module.exports(marked).filter(({{ name }}) => name === "called"));
    """) == [{"name": "called", "kind": "table"}]


@needs_runtime
@pytest.mark.parametrize("name, most", [(MAIN, 0.6), ("_multiarray_umath.wasm", 0.5), ("_umath_linalg.wasm", 0.2)])
def test_starting_needs_only_a_part(halves, name, most):
    primary, _, whole = (path.stat().st_size for path in halves[name])
    assert primary < most * whole
