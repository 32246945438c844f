"""site/js/parts.js: what the page hands over to the worker, when, and what becomes of it there."""

import json

import pytest

from builder.common import SITE

BEGIN = f"""
import {{ createHash }} from "node:crypto";
globalThis.self = globalThis;
const {{ included }} = await import({json.dumps((SITE / "js" / "downloads.js").as_uri())});
const {{ bring, handedParts, handOver }} = await import({json.dumps((SITE / "js" / "parts.js").as_uri())});
const bytes = Uint8Array.from({{ length: 1000 }}, (_, i) => i);
const module = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]);
const asset = (name, content) => ({{ url: "here/" + name, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex"), data: [] }});
const contents = {{ "heap.bin": bytes, "pyodide.asm.wasm": module, "_multiarray_umath.wasm": module }};
const files = Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, asset(name, content)]));
const opened = [];
let sent = contents;
included.open = ({{ url }}) => {{
  const name = url.split("/").pop();
  opened.push(name);
  return new Response(sent[name], {{ headers: {{ "content-type": "application/wasm" }} }});
}};
const posted = [];
const worker = {{ postMessage: (message, transfer) => posted.push([message, transfer]) }};
const end = new AbortController().signal;
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));
let counted = 0;
const count = (more) => {{ counted += more; }};
const say = (what) => console.log(JSON.stringify(what));
"""


@pytest.fixture
def run(run_script):
    return lambda script: run_script(BEGIN + script)


def test_page_and_worker_have_each_part_once(run):
    assert run("""
        say(["all", "heap", "nothing"].map((hands) => handedParts(files, hands)));
    """) == [["heap.bin", "pyodide.asm.wasm", "_multiarray_umath.wasm"], ["heap.bin"], []]


def test_the_heap_waits_for_room_and_its_bytes_move(run):
    assert run("""
        const onRoom = handOver(files, ["heap.bin"], worker, count, end);
        await soon();
        const before = [opened.length, posted.length];
        onRoom();
        await soon();
        const [[{ part, what }, transfer]] = posted;
        say([...before, opened, part, Buffer.compare(what, bytes), transfer.length, transfer[0] === what.buffer, counted]);
    """) == [0, 0, ["heap.bin"], "heap.bin", 0, 1, True, 1000]


def test_with_the_heap_webassembly_sets_out_at_once_and_is_handed_over_compiled(run):
    assert run("""
        handOver(files, handedParts(files, "all"), worker, count, end); // the worker has no first part of its own, and says nothing of room
        await soon();
        say([opened.sort(), posted.map(([{ part, what }, transfer]) => [part, what instanceof WebAssembly.Module, transfer.length]).sort()]);
    """) == [
        ["_multiarray_umath.wasm", "heap.bin", "pyodide.asm.wasm"],
        [["_multiarray_umath.wasm", True, 0], ["heap.bin", False, 1], ["pyodide.asm.wasm", True, 0]],
    ]


def test_halves_of_a_module_that_is_put_together_first_are_brought_by_the_worker_as_they_are(run):
    assert run("""
        for (const name of ["pyodide.asm.wasm", "_multiarray_umath.wasm"]) files[name].uncompiled = true;
        const { parts } = bring(files, count, [], () => {});
        say([handedParts(files, "all"), (await parts["pyodide.asm.wasm"]).length === module.length]);
    """) == [["heap.bin"], True]


def test_what_went_wrong_on_the_page_is_told_to_whoever_waits_in_the_worker(run):
    assert run("""
        const { parts, take } = bring({ "heap.bin": files["heap.bin"] }, count, ["heap.bin"], () => {});
        sent = { "heap.bin": bytes.subarray(1) };
        handOver(files, ["heap.bin"], worker, count, end)();
        await soon();
        const [[message]] = posted;
        take(structuredClone(message));
        say(await parts["heap.bin"].then(() => "came", ({ name, message, hint }) => [name, message, hint]));
    """) == ["LoadError", "Could not load heap.bin: this page is incomplete or damaged.", "Copy or download the page again."]


def test_what_was_handed_over_is_the_part(run):
    assert run("""
        const { parts, take } = bring(files, count, ["heap.bin"], () => {});
        take({ part: "heap.bin", what: bytes });
        say([await parts["heap.bin"] === bytes, (await parts["pyodide.asm.wasm"]) instanceof WebAssembly.Module, opened.includes("heap.bin")]);
    """) == [True, True, False]


@pytest.mark.parametrize("handed, rooms", [('["heap.bin"]', 1), ("[]", 0), ('["pyodide.asm.wasm"]', 0)])
def test_there_is_room_once_most_of_the_first_part_is_there_and_only_for_what_is_handed_over(run, handed, rooms):
    assert run(f"""
        let rooms = 0;
        const {{ parts }} = bring(files, count, {handed}, () => rooms++);
        const before = rooms;
        await soon();
        say([before, rooms]);
    """) == [0, rooms]
