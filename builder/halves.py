"""Which functions of Python and NumPy starting and reading digits call, and the WebAssembly files cut accordingly (builder/wasm.py).

To know it, called.mjs starts the snapshot as the page does, with modules that take note.
"""

import json
from pathlib import Path

from builder import wasm
from builder.emscripten import LOADER, SCRIPT, asked_for, named
from builder.node import run_node

TOOL = Path(__file__).with_name("called.mjs")
MAIN = "pyodide.asm.wasm"
# Exports that Emscripten looks for under other names than those that its script puts down.
ALWAYS = {"memory", "main", "__main_argc_argv", "__indirect_function_table", "__stack_pointer", "__cpp_exception", "__c_longjmp", "__wasm_apply_data_relocs"}


def secondary_name(name: str) -> str:
    return name.replace(".wasm", ".secondary.wasm")


def make_halves(abi: str, runtime: Path, libraries: list[Path], folder: Path, stdlib: Path) -> dict[str, bytes]:
    """Return {file name: bytes} of the primary and the secondary of Pyodide's module and of NumPy's libraries.

    folder: has heap.bin and table.json of the snapshot; what is marked is put there, too.
    """
    whole = {MAIN: (runtime / MAIN).read_bytes()} | {path.name: path.read_bytes() for path in libraries}
    for name, data in whole.items():
        (folder / f"marked-{name}").write_bytes(wasm.marked(data))
    run_node(TOOL, runtime, abi, folder, stdlib, folder / "called.json", *whole)
    called = json.loads((folder / "called.json").read_text())
    scripts = [(runtime / name).read_text(encoding="utf-8") for name in (SCRIPT, LOADER)]
    links = {MAIN: _links(whole, scripts, json.loads((folder / "table.json").read_text()))}
    halves = {}
    for name, data in whole.items():
        halves[name], halves[secondary_name(name)] = wasm.split(data, set(called[name]), links.get(name))
    return halves


def _links(whole: dict[str, bytes], scripts: list[str], bare: dict) -> wasm.Links:
    """bare: table.json, how Emscripten has numbered all symbols before anything ran."""
    exports = {name: kind for name, kind, _ in wasm.parse(whole[MAIN]).exports}
    wanted = {name for library in whole if library != MAIN for _, name, _, _ in wasm.parse(whole[library]).imports}
    addresses = bare["got"]
    functions = {name: addresses[name] for name, kind in exports.items() if kind == wasm.FUNCTION and name in addresses}
    others = {name: address for name, address in addresses.items() if name not in exports}
    asked = asked_for(*scripts) & exports.keys()
    data = {name for name in asked | named(scripts[0]) if exports.get(name) == wasm.GLOBAL}  # their values are read at once
    return wasm.Links(
        exports=asked | data | ((wanted | ALWAYS) & exports.keys()),
        slots=functions,
        free=bare["ownLength"],
        length=bare["length"],
        others=others,
        data={name: addresses[name] for name, kind in exports.items() if kind == wasm.GLOBAL and name in addresses},
    )
