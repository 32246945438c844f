"""The pages of our own that `build.py bench boot` opens: Inkling with a script that draws and reports, and stock Pyodide as tutorials have it."""

import json
import shutil
import zipfile
from pathlib import Path

from chromium import DIGITS

from builder.assemble import build
from builder.common import ROOT, SITE, BuildError
from builder.compress import compress_tree
from builder.python_pack import numpy_wheel
from builder.runtime import fetch_runtime, read_lock

PARTS = Path(__file__).with_name("boot")
DIGIT = 3
# The first page shown: the browser has done its own starting before it goes on to the one that is measured.
START = "<!doctype html><title>Starting</title><link rel=icon href='data:,'><meta http-equiv=refresh content='2; url={url}'>"
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def settings() -> str:
    """What the scripts of the pages need to know, as a module."""
    lock = read_lock()
    values = {"wheel": numpy_wheel(lock), "abi": lock["abi"], "strokes": DIGITS[DIGIT]}
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in values.items())


def make_ours(folder: Path) -> None:
    """dist/ in `folder`, with a script more: visit.js."""
    site = folder.with_name("site")
    shutil.copytree(SITE, site)
    shutil.copyfile(PARTS / "visit.js", site / "js" / "visit.js")
    (site / "js" / "settings.js").write_text(settings(), encoding="utf-8")
    page = site / "js" / "page.js"
    page.write_text(page.read_text(encoding="utf-8") + 'import "./visit.js";\n', encoding="utf-8")
    build(dist=folder, site=site)


def make_single(dist: Path, folder: Path, server: str) -> str | None:
    """A copy of dist/inkling.html that may report to `server`, in `folder`; the address to start with. None if the build has made none.

    Its policy lets nothing in from anywhere; for its report it may speak to this machine.
    """
    if not (dist / "inkling.html").is_file():
        return None
    html = (dist / "inkling.html").read_text(encoding="utf-8")
    images = "img-src data: blob:"
    if html.count(images) != 1:
        raise BuildError("inkling.html has another policy than make_single in benchmarks/our_pages.py knows")
    folder.mkdir()
    (folder / "inkling.html").write_text(html.replace(images, f"{images}; connect-src http://localhost:*"), encoding="utf-8")
    (folder / "start.html").write_text(START.format(url=f"inkling.html?server={server}"), encoding="utf-8")
    return (folder / "start.html").as_uri()


def make_stock(folder: Path) -> None:
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
    (files / "settings.js").write_text(settings(), encoding="utf-8")
    compress_tree(folder)
