"""The Python side of the page as slim archives of compiled modules: the standard library, NumPy, inkling.

Stock Pyodide ships 559 modules as source and compiles what it loads at every boot; NumPy's wheel brings tests, Fortran
tools and ten more shared libraries. Here only what is used goes in, as .pyc made by the very Python that will read it.
"""

import ast
import json
import zipfile
from pathlib import Path, PurePosixPath

from builder.common import BuildError, atomic_file, cache_directory, file_sha256, say, sha256, temporary_directory
from builder.node import run_node

TOOL = Path(__file__).with_name("compile_pyc.mjs")
STDLIB_HOME = "/lib/python314.zip"  # where loadPyodide puts stdLibURL's archive
SITE_PACKAGES = "/lib/python3.14/site-packages"

# The standard library's modules are those that get loaded by booting Pyodide and importing NumPy (with what of it comes later)
# and whatever inkling imports, plus these, which are only imported inside functions that are called on our paths.
LOADED_LATE = (
    "encodings.ascii",
    "encodings.latin_1",  # both: codecs looked up by name, in file headers
    "hashlib",  # numpy.random, when it hashes a seed
)

# NumPy without its parts for testing, building, typing and legacy names. `import numpy` loads none of these folders.
NUMPY_DROP = {
    *("tests", "testing", "conftest.py", "_pyinstaller", "f2py", "distutils", "doc", "_configtool.py", "typing"),
    *("core", "matlib.py", "char", "rec", "strings"),  # old names of things that are still there
    *("ctypeslib", "fft", "polynomial"),  # no call in inkling; "ma" stays: np.median and np.unique load it when they are called
    "random",  # a pack of its own: only training wants it
}
NUMPY_LIBRARIES = {"_multiarray_umath", "_umath_linalg"}  # of thirteen; lapack_lite is for platforms without the latter
RANDOM_DROP = {"tests", "_examples"}  # of numpy.random


def make_packs(lock: dict, runtime: Path, site: Path) -> dict[str, Path]:
    """Return {"python_stdlib.zip", "numpy.zip", "numpy_random.zip", "inkling.zip": path in the cache}, making those that are not there yet."""
    stock_stdlib, wheel = runtime / "python_stdlib.zip", runtime / numpy_wheel(lock)
    inkling = {f"inkling/{path.name}": path.read_bytes() for path in sorted((site / "py" / "inkling").glob("*.py"))}
    roots = sorted({"numpy", "numpy.ma", "numpy.random", *LOADED_LATE, *_imported_names(inkling)})

    def stdlib_files():
        wanted = set(json.loads(run_node(TOOL, runtime, lock["abi"], "loaded", wheel, *roots)))
        return {name: data for name, data in _read_zip(stock_stdlib).items() if name in wanted}

    def numpy_files():
        return {name: data for name, data in _read_zip(wheel).items() if _numpy_keeps(PurePosixPath(name))}

    def random_files():
        return {name: data for name, data in _read_zip(wheel).items() if _random_keeps(PurePosixPath(name))}

    return {
        "python_stdlib.zip": _pack(lock, runtime, "python_stdlib.zip", STDLIB_HOME, [file_sha256(stock_stdlib), *roots], stdlib_files),
        "numpy.zip": _pack(lock, runtime, "numpy.zip", SITE_PACKAGES, [file_sha256(wheel)], numpy_files),
        "numpy_random.zip": _pack(lock, runtime, "numpy_random.zip", SITE_PACKAGES, [file_sha256(wheel)], random_files),
        "inkling.zip": _pack(lock, runtime, "inkling.zip", SITE_PACKAGES, [f"{name} {sha256(inkling[name])}" for name in inkling], lambda: inkling),
    }


def numpy_wheel(lock: dict) -> str:
    return next(entry["name"] for entry in lock["files"] if entry["name"].endswith(".whl"))


def numpy_licences(lock: dict, runtime: Path) -> bytes:
    """The text of NumPy's licence and of those of the parts that it contains."""
    files = _read_zip(runtime / numpy_wheel(lock))
    return b"\n".join(f"--- {name}\n\n".encode() + files[name] for name in sorted(files) if ".dist-info/licenses/" in name)


def _imported_names(sources: dict[str, bytes]) -> set[str]:
    """The modules outside inkling that its sources import anywhere, inside functions too."""
    names = set()
    for name, source in sources.items():
        try:
            tree = ast.parse(source, name)
        except SyntaxError as error:
            raise BuildError(f"site/py/{name}, line {error.lineno}: {error.msg}") from error
        for part in ast.walk(tree):
            if isinstance(part, ast.Import):
                names |= {alias.name for alias in part.names}
            elif isinstance(part, ast.ImportFrom) and part.level == 0:
                names.add(part.module)
    return {name for name in names if name.partition(".")[0] != "inkling"}


def _numpy_keeps(path: PurePosixPath) -> bool:
    if path.parts[0] != "numpy" or NUMPY_DROP & set(path.parts):
        return False
    return path.suffix == ".py" or (path.suffix == ".so" and path.name.partition(".")[0] in NUMPY_LIBRARIES)


def _random_keeps(path: PurePosixPath) -> bool:
    return path.parts[:2] == ("numpy", "random") and not RANDOM_DROP & set(path.parts) and path.suffix in (".py", ".so")


def _pack(lock: dict, runtime: Path, name: str, home: str, inputs: list[str], read_files) -> Path:
    """The archive `name` for these inputs, from the cache or newly made of read_files() -> {name in archive: bytes}."""
    recipe = [file_sha256(path) for path in (Path(__file__), TOOL, TOOL.with_suffix(".py"))]
    key = sha256(json.dumps([lock, name, recipe, inputs]).encode())[:20]
    archive = cache_directory() / "packs" / key / name
    if not archive.is_file():
        say(f"Compiling {name}")
        files = read_files()
        modules = {path: data for path, data in files.items() if path.endswith(".py")}
        others = {path: data for path, data in files.items() if path not in modules}
        with temporary_directory(cache_directory() / "packs") as scratch:
            _write_tree(scratch / "sources", modules)
            (scratch / "target").mkdir()
            run_node(TOOL, runtime, lock["abi"], "compile", scratch / "sources", scratch / "target", home)
            compiled = {f"{path}c": (scratch / "target" / f"{path}c").read_bytes() for path in modules}
        _write_zip(archive, compiled | others)
    return archive


def _read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def _write_tree(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    """A zip with sorted names and one fixed date, so that equal content gives equal bytes.

    Entries are stored, not deflated: .br and .gz squeeze the whole archive better than one file at a time (NumPy's is 1.05 MB
    in Brotli, against 1.43 MB when deflated inside), and the worker unpacks it in two thirds of the time.
    """
    with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # as on Unix, wherever the build runs
            archive.writestr(entry, files[name])
