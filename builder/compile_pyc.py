"""Runs inside Pyodide, called by compile_pyc.mjs: which modules are loaded, and compiling a folder of them."""

import importlib
import json
import os
import py_compile
import sys

# What this file itself has loaded tells nothing about the page.
_OUR_OWN = {"py_compile"}


def loaded_files(names: str) -> str:
    """Import the modules in `names` (space-separated); return a JSON list of the standard library's files loaded by now.

    Files are named as in the archive: "json/decoder.py".
    """
    for name in names.split():
        importlib.import_module(name)
    archive = next(path for path in sys.path if path.endswith(".zip")) + "/"
    origins = {module.__spec__.origin for name, module in sys.modules.items() if getattr(module, "__spec__", None) and name not in _OUR_OWN}
    return json.dumps(sorted(origin.removeprefix(archive) for origin in origins if origin and origin.startswith(archive)))


def compile_tree(sources: str, target: str, home: str) -> None:
    """Compile sources/**/*.py to target/**/*.pyc; `home` is where the modules will lie.

    Optimisation level 2 leaves out docstrings and asserts: they are a third of the bytes.
    Unchecked hashes instead of time stamps: there will be no source beside to compare with, and two builds give the same bytes.
    """
    for folder, subfolders, names in os.walk(sources):
        subfolders.sort()
        below = os.path.relpath(folder, sources)
        for name in sorted(names):
            relative = os.path.normpath(os.path.join(below, name))
            py_compile.compile(
                os.path.join(sources, relative),
                cfile=os.path.join(target, relative + "c"),
                dfile=f"{home}/{relative}",
                doraise=True,
                optimize=2,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
