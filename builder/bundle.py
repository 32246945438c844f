"""The modules that the page starts with as two files, and the worker's as another.

Three dozen small modules cost a tenth of a second more at every start than one file, wherever they come from. But what
starts the worker is a file by itself: it has run before the rest has come.
What is opened later, and what embedders import, stays as it is written; a module that both have is loaded twice, and keeps no state.
"""

import json
import re
from pathlib import Path
from posixpath import join, normpath

from builder.common import BuildError, cache_directory, decode, temporary_directory
from builder.node import run_node

TOOL = Path(__file__).with_name("bundle.mjs")
WORKER = "js/worker.js"

# Also `await import("./x.js")`: what is loaded last is wanted soon all the same. Types in comments have no `await`.
_IMPORT = re.compile(r'(?:^\s*import\s*|^\s*(?:import|export)\b[\w\s{},*$]*?\bfrom\s*|\bawait import\()["\'](\.{1,2}/[^"\']+)["\']', re.MULTILINE)


def bundled(app: dict[str, bytes], page_scripts: list[str]) -> dict[str, bytes]:
    """The first of the page's scripts, the last as a bundle of all others, and the worker: {name: bytes}, to take the place of these modules
    in app. What the first two share is in the first, where the other imports it from.

    The bundler must be there (builder.node.install_node_packages).
    """
    first, *others = page_scripts
    early = imported_modules([first], app)
    jobs: dict[str, dict] = {
        first: {"scripts": [first], "inside": early, "shared": bool(others)},
        WORKER: {"scripts": [WORKER], "inside": imported_modules([WORKER], app)},
    }
    if others:
        inside = [name for name in imported_modules(others, app) if name not in early]
        jobs[others[-1]] = {"scripts": others, "inside": inside, "first": {"entry": first, "inside": early}}
    return run_bundler(TOOL, {name: data for name, data in app.items() if name.endswith(".js")}, jobs)


def run_bundler(tool: Path, scripts: dict[str, bytes], jobs: dict | None = None) -> dict[str, bytes]:
    """What the tool puts into target/ of a folder in which it finds these scripts: {name: bytes}. It reads the jobs as JSON."""
    with temporary_directory(cache_directory() / "bundles") as scratch:
        scratch = scratch.resolve()  # the bundler calls files by their real paths, and a cache may lie behind a link
        for name, data in scripts.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
        run_node(tool, scratch, stdin=json.dumps(jobs))
        target = scratch / "target"
        return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def imported_modules(scripts: list[str], app: dict[str, bytes]) -> list[str]:
    """Each script followed by everything that it imports, near or far, in the order in which it is met.

    Raises BuildError if one of them is not there.
    """
    found = []
    for script in scripts:
        waiting = [script]
        while waiting:
            name = waiting.pop(0)
            if name in found:
                continue
            if name not in app:
                raise BuildError(f"site/{name} is imported, and is not there")
            found.append(name)
            folder = name.rpartition("/")[0]
            waiting += [normpath(join(folder, target)) for target in _IMPORT.findall(decode(app[name], name))]
    return found
