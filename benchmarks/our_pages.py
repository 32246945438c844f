"""The pages of our own that `build.py bench boot` opens: Inkling with a script that draws and reports, and stock Pyodide as tutorials have it."""

import json
import shutil
import zipfile
from pathlib import Path

from chromium import DIGITS

from builder.assemble import build
from builder.common import ROOT, SITE
from builder.compress import compress_tree
from builder.python_pack import numpy_wheel
from builder.runtime import fetch_runtime, read_lock

PARTS = Path(__file__).with_name("boot")
DIGIT = 3
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def settings(*, returns: bool) -> str:
    """What the scripts of the pages need to know, as a module. returns: the same browser will come again, so let it keep what it keeps."""
    lock = read_lock()
    values = {"wheel": numpy_wheel(lock), "abi": lock["abi"], "strokes": DIGITS[DIGIT], "returns": returns}
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in values.items())


def make_ours(folder: Path, module: str) -> None:
    """dist/ in `folder`, with a script more: visit.js. module: the text of its settings.js."""
    site = folder.with_name("site")
    shutil.copytree(SITE, site)
    shutil.copyfile(PARTS / "visit.js", site / "js" / "visit.js")
    (site / "js" / "settings.js").write_text(module, encoding="utf-8")
    page = site / "index.html"
    html = page.read_text(encoding="utf-8").replace("</body>", '<script type="module" async src="./js/visit.js"></script></body>')
    page.write_text(html, encoding="utf-8")
    build(dist=folder, site=site)


def make_stock(folder: Path, module: str) -> None:
    """The stock pages in `folder`: Pyodide's files as they are, in a folder whose name makes the server call them immutable."""
    lock = read_lock()
    cache = fetch_runtime(lock)
    files = folder / "runtime-stock"
    files.mkdir(parents=True)
    for name in (*RUNTIME, numpy_wheel(lock)):
        shutil.copyfile(cache / name, files / name)
    shutil.copyfile(ROOT / "weights" / "convnet.npz", files / "convnet.npz")
    with zipfile.ZipFile(files / "inkling.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((SITE / "py" / "inkling").glob("*.py")):
            archive.write(path, f"inkling/{path.name}")
    for path in PARTS.iterdir():
        shutil.copyfile(path, (folder if path.suffix == ".html" else files) / path.name)
    (files / "settings.js").write_text(module, encoding="utf-8")
    compress_tree(folder)
