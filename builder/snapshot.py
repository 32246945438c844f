"""The heap snapshot: the browser's memory with Python, NumPy, inkling and the default model in it, ready to answer; and the WebAssembly that it wants.

Kept in the cache by what it was made of. site/js/restore.js says what is in the files, and puts them back.
"""

import json
import shutil
from pathlib import Path

from builder.cache import keep_newest, used
from builder.common import BuildError, atomic_file, cache_directory, file_sha256, say, sha256, temporary_directory
from builder.emscripten import LOADER, SCRIPT, without_unused
from builder.halves import MAIN, make_halves, secondary_name
from builder.node import run_node

TOOL = Path(__file__).with_name("snapshot.mjs")
_SCRIPTS = TOOL.parent.parent / "site" / "js"
PARTS = (
    TOOL,
    *(TOOL.with_name(name) for name in ("prepare_snapshot.py", "called.mjs", "emscripten.py", "halves.py", "wasm.py")),
    *(_SCRIPTS / f"{name}.js" for name in ("restore", "checksum", "booting", "halves", "linking", "wrapping")),
)
HEAP = "heap.bin"
LIBRARIES = ("_multiarray_umath.wasm", "_umath_linalg.wasm")
HALVES = tuple(name for whole in (MAIN, *LIBRARIES) for name in (whole, secondary_name(whole)))
KEPT = 5  # snapshots in the cache: some branches of a project, each with its own


def make_snapshot(lock: dict, runtime: Path, packs: dict[str, Path], model: str, weights: bytes) -> dict[str, Path]:
    """Return {file name: path in the cache}, making them if they are not there yet: the heap, both halves of Pyodide's module and of NumPy's libraries
    (each first half under the whole one's name), whole_name() of the libraries, and the script of the module (builder/emscripten.py)."""
    inputs = [lock, model, sha256(weights), *map(file_sha256, packs.values()), *map(file_sha256, PARTS)]
    folder = cache_directory() / "snapshots" / sha256(json.dumps(inputs).encode())[:20]
    files = {name: folder / name for name in (HEAP, SCRIPT, *HALVES, *map(whole_name, LIBRARIES))}
    used(folder)  # before looking: another build may be about to remove the old ones
    if not all(path.is_file() for path in files.values()):
        say("Making the snapshot of the memory")
        with temporary_directory(folder.parent) as scratch:
            (scratch / "weights.npz").write_bytes(weights)
            shipped = _as_shipped(runtime, scratch / "runtime")
            archives = [packs[name] for name in ("python_stdlib.zip", "numpy.zip", "inkling.zip")]
            run_node(TOOL, shipped, lock["abi"], *archives, scratch / "weights.npz", model, scratch)
            libraries = sorted(path.name for path in scratch.glob("*.wasm"))
            if libraries != sorted(LIBRARIES):
                raise BuildError(f"NumPy in this runtime has the libraries {', '.join(libraries)} instead of {', '.join(LIBRARIES)}")
            made = {HEAP: (scratch / HEAP).read_bytes(), SCRIPT: (shipped / SCRIPT).read_bytes()}
            made |= {whole_name(name): (scratch / name).read_bytes() for name in LIBRARIES}
            made |= make_halves(lock["abi"], shipped, [scratch / name for name in LIBRARIES], scratch, packs["python_stdlib.zip"])
            for name, path in files.items():
                with atomic_file(path) as file:
                    file.write(made[name])
        keep_newest(folder.parent, KEPT)
    return files


def _as_shipped(runtime: Path, folder: Path) -> Path:
    """The folder, with what Python starts from as it is when the page has it: its script without what nobody asks for."""
    folder.mkdir()
    for name in (MAIN, LOADER):
        shutil.copyfile(runtime / name, folder / name)
    script, loader = ((runtime / name).read_text(encoding="utf-8") for name in (SCRIPT, LOADER))
    (folder / SCRIPT).write_text(without_unused(script, loader), encoding="utf-8", newline="")
    return folder


def whole_name(library: str) -> str:
    return f"whole-{library}"
