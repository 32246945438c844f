"""The heap snapshot: the browser's memory with Python, NumPy, inkling and the default model in it, ready to answer.

Kept in the cache by what it was made of. site/js/restore.js says what is in the files, and puts them back.
"""

import json
from pathlib import Path

from builder.cache import keep_newest, used
from builder.common import BuildError, atomic_file, cache_directory, file_sha256, say, sha256, temporary_directory
from builder.node import run_node

TOOL = Path(__file__).with_name("snapshot.mjs")
PARTS = (TOOL, TOOL.with_name("prepare_snapshot.py"), TOOL.parent.parent / "site" / "js" / "restore.js")
HEAP = "heap.bin"
LIBRARIES = ("_multiarray_umath.wasm", "_umath_linalg.wasm")
TABLE = "table.json"
KEPT = 5  # snapshots in the cache: some branches of a project, each with its own


def make_snapshot(lock: dict, runtime: Path, packs: dict[str, Path], model: str, weights: bytes) -> dict[str, Path]:
    """Return {file name: path in the cache} of the heap, NumPy's libraries and the table's layout, making them if they are not there yet."""
    inputs = [lock, model, sha256(weights), *map(file_sha256, packs.values()), *map(file_sha256, PARTS)]
    folder = cache_directory() / "snapshots" / sha256(json.dumps(inputs).encode())[:20]
    files = {name: folder / name for name in (HEAP, *LIBRARIES, TABLE)}
    used(folder)  # before looking: another build may be about to remove the old ones
    if not all(path.is_file() for path in files.values()):
        say("Making the snapshot of the memory")
        with temporary_directory(folder.parent) as scratch:
            (scratch / "weights.npz").write_bytes(weights)
            archives = [packs[name] for name in ("python_stdlib.zip", "numpy.zip", "inkling.zip")]
            run_node(TOOL, runtime, lock["abi"], *archives, scratch / "weights.npz", model, scratch)
            for name, path in files.items():
                if not (scratch / name).is_file():
                    raise BuildError(f"the snapshot has no {name}: NumPy in this runtime has other libraries than {', '.join(LIBRARIES)}")
                with atomic_file(path) as file:
                    file.write((scratch / name).read_bytes())
        keep_newest(folder.parent, KEPT)
    return files
