"""From navigation to the first answer to a drawn digit: our page against stock Pyodide, first visits and repeat visits.

    python build.py bench boot [--runs 7]

Stock is a page as tutorials have it: loadPyodide with its own standard library, loadPackage of NumPy's wheel, then the same inkling
(as .py sources), weights and preprocessing as ours; once on the main thread, once in a module worker. All are served by the preview
server, with the same compression and caching headers, and visited in turn by the same Chromium without DevTools attached, which
would slow workers down: a script in the page draws and reports. A first visit has a fresh profile; the repeat visit is made with that
profile by a browser started anew, when the service worker (ours) and the HTTP cache (all) have had time to keep what they keep.
"""

import argparse
import json
import queue
import shutil
import statistics
import subprocess
import tempfile
import threading
import zipfile
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from chromium import DIGITS, QUIET, browser_path, conditions, served, spread, table

from builder.assemble import build
from builder.common import ROOT, SITE
from builder.compress import compress_tree
from builder.python_pack import numpy_wheel
from builder.runtime import fetch_runtime, read_lock

PARTS = Path(__file__).with_name("boot")
DIGIT = 3
PATIENCE = 120  # seconds for one visit
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
# The first page shown: the browser has done its own starting before it goes on to the one that is measured.
START = "<!doctype html><title>Starting</title><link rel=icon href='data:,'><meta http-equiv=refresh content='2; url={url}'>"


class Reports:
    """What the server answers besides files: the start page, and a visit's report, which it keeps in `results`."""

    def __init__(self):
        self.results: queue.Queue = queue.Queue()

    def answer(self, handler, path: str) -> bool:
        if path == "__start":
            page = unquote(handler.path.partition("?")[2])
            handler.send_whole(HTTPStatus.OK, START.format(url=page).encode(), {"Content-Type": "text/html", "Cache-Control": "no-store"})
        elif path == "__report":
            self.results.put(json.loads(unquote(handler.path.partition("?")[2])))
            handler.send_whole(HTTPStatus.OK, b"", {"Content-Type": "text/plain", "Cache-Control": "no-store"})
        return path in ("__start", "__report")


def settings(lock: dict) -> str:
    """What the scripts of PARTS need to know, as a module."""
    values = {"wheel": numpy_wheel(lock), "abi": lock["abi"], "strokes": DIGITS[DIGIT]}
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in values.items())


def make_ours(folder: Path) -> None:
    """dist/ in `folder`, with a script more: visit.js."""
    site = folder.with_name("site")
    shutil.copytree(SITE, site)
    shutil.copyfile(PARTS / "visit.js", site / "js" / "visit.js")
    (site / "js" / "settings.js").write_text(settings(read_lock()), encoding="utf-8")
    page = site / "index.html"
    html = page.read_text(encoding="utf-8").replace("</body>", '<script type="module" async src="./js/visit.js"></script></body>')
    page.write_text(html, encoding="utf-8")
    build(dist=folder, site=site)


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
    (files / "settings.js").write_text(settings(lock), encoding="utf-8")
    compress_tree(folder)


def visit(profile: Path, url: str, page: str, reports: Reports) -> dict:
    """One visit by a browser of its own; returns what the page reports: {ms, digit, stages?}."""
    command = [browser_path(), "--headless", *QUIET, f"--user-data-dir={profile}", f"{url}__start?./{page}"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        result = reports.results.get(timeout=PATIENCE)
    except queue.Empty:
        raise SystemExit(f"{page or 'Inkling'} gave no answer within {PATIENCE} s") from None
    finally:
        browser.terminate()
        browser.wait()
    if result["digit"] != DIGIT:
        raise SystemExit(f"{page or 'Inkling'} read {result['digit']} where a {DIGIT} was drawn: not the same work")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="visits of each kind (default 7)")
    options = parser.parse_args()

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        make_ours(folder / "dist")
        make_stock(folder / "stock")
        reports = Reports()
        ours, stock = (stack.enter_context(served(folder / name, reports)) for name in ("dist", "stock"))
        pages = {"Inkling": (ours, ""), "stock, main thread": (stock, "main.html"), "stock, module worker": (stock, "worker.html")}
        results = {(name, kind): [] for name in pages for kind in ("first", "repeat")}
        for run in range(options.runs):
            for name, (url, page) in pages.items():
                for kind in ("first", "repeat"):
                    results[name, kind].append(visit(folder / f"profile-{run}-{page}", url, page, reports))

    times = {key: [result["ms"] for result in values] for key, values in results.items()}
    print(f"\nNavigation to the first answer, ms: median (least to most) of {options.runs} visits taken in turn.\n{conditions()}\n")
    rows = []
    for name in pages:
        row = [name]
        for kind in ("first", "repeat"):
            ratio = statistics.median(times["Inkling", kind]) / statistics.median(times[name, kind])
            row += [spread(times[name, kind]), "" if name == "Inkling" else f"{ratio:.2f}"]
        rows.append(row)
    print(table(["page", "first visit", "ours / stock", "repeat visit", "ours / stock"], rows))
    print("\nThe pad can be drawn on, ms after navigation; and tasks over 50 ms on the main thread until the first answer, all visits together:\n")
    rows = []
    for name, kind in results:
        pads = [result["pad"] for result in results[name, kind] if "pad" in result]
        blocked = [f"{task:.0f}" for result in results[name, kind] for task in result["blocked"]]
        rows.append([name, kind, spread(pads) if pads else "-", f"{len(blocked)}: {', '.join(blocked)} ms" if blocked else "none"])
    print(table(["page", "visit", "pad", "long tasks"], rows))
    print("\nInkling's stages in the worker, ms (health().boot.ms):\n")
    names = list(results["Inkling", "first"][0]["stages"])
    rows = [[kind, *(f"{statistics.median(result['stages'][name] for result in results['Inkling', kind]):.0f}" for name in names)]
            for kind in ("first", "repeat")]
    print(table(["visit", *names], rows))


if __name__ == "__main__":
    main()
