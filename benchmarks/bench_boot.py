"""From navigation to the first answer to a drawn digit: our page against stock Pyodide, first visits and repeat visits.

    python build.py bench boot [--runs 7]

Stock is a page as tutorials have it: loadPyodide with its own standard library, then loadPackage of NumPy's wheel, then the same
inkling (as .py sources), weights and preprocessing as ours; once on the main thread, once in a module worker. Same server, same compression and caching
headers, same Chromium run, taken in turn. A first visit has a fresh profile; the repeat visit comes in the same profile, when the
service worker (ours) and the HTTP cache (both) have had time to keep what they keep.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

from chromium import DIGITS, chromium, conditions, draw_digit, pad_box, served, spread, table, wait_for

from builder.common import DIST, ROOT
from builder.compress import compress_tree
from builder.python_pack import numpy_wheel
from builder.runtime import fetch_runtime, read_lock

STOCK = Path(__file__).with_name("stock")
DIGIT = 3
SETTLE = 3000  # ms after a first visit, in which the browser writes its caches
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")

# When the bars show an answer: milliseconds since navigation, put where the script finds it.
WATCH_ANSWER = """
new MutationObserver((_, observer) => {
  const inside = document.querySelector("digit-recognizer")?.shadowRoot;
  const prediction = inside?.querySelector("[data-testid=prediction]");
  if (!prediction) return;
  observer.disconnect();
  const answered = () => {
    if (prediction.textContent === "" || prediction.getAttribute("aria-busy") === "true") return;
    window.firstAnswer ??= { ms: performance.now(), digit: prediction.textContent };
  };
  new MutationObserver(answered).observe(prediction, { attributes: true, childList: true, characterData: true, subtree: true });
}).observe(document, { childList: true, subtree: true });
"""


def make_stock(folder: Path) -> None:
    """A stock page in `folder`: Pyodide's files as they are, in a folder whose name makes the server call them immutable."""
    lock = read_lock()
    cache = fetch_runtime(lock)
    files = folder / "runtime-stock"
    files.mkdir(parents=True)
    for name in RUNTIME:
        shutil.copyfile(cache / name, files / name)
    shutil.copyfile(cache / numpy_wheel(lock), files / numpy_wheel(lock))
    shutil.copyfile(ROOT / "weights" / "convnet.npz", files / "convnet.npz")
    with zipfile.ZipFile(files / "inkling.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "site" / "py" / "inkling").glob("*.py")):
            archive.write(path, f"inkling/{path.name}")
    for path in STOCK.iterdir():
        shutil.copyfile(path, (folder if path.suffix == ".html" else files) / path.name)
    settings = {"wheel": numpy_wheel(lock), "abi": lock["abi"], "strokes": DIGITS[DIGIT]}
    (files / "settings.js").write_text("".join(f"export const {name} = {json.dumps(value)};\n" for name, value in settings.items()), encoding="utf-8")
    compress_tree(folder)


def visit_ours(page, url: str) -> dict:
    page.goto(url, wait_until="commit")
    draw_digit(page, DIGIT, pad_box(page))
    answer = wait_for(page, "window.firstAnswer")
    return answer | page.evaluate("document.querySelector('digit-recognizer').recognizer.health().then(({boot}) => ({boot}))")


def visit_stock(page, url: str) -> dict:
    page.goto(url, wait_until="commit")
    return wait_for(page, "window.firstAnswer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="visits of each kind (default 7)")
    options = parser.parse_args()

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        make_stock(folder / "stock")
        stock, ours = stack.enter_context(served(folder / "stock")), stack.enter_context(served(DIST))
        pages = {
            "Inkling": (visit_ours, ours),
            "stock, main thread": (visit_stock, stock + "main.html"),
            "stock, module worker": (visit_stock, stock + "worker.html"),
        }
        browser = stack.enter_context(chromium())
        times = {(name, kind): [] for name in pages for kind in ("first", "repeat")}
        stages = {"first": [], "repeat": []}
        for _ in range(options.runs):
            for name, (visit, url) in pages.items():
                context = browser.new_context()
                context.add_init_script(WATCH_ANSWER)
                for kind in ("first", "repeat"):
                    page = context.new_page()
                    result = visit(page, url)
                    if result["digit"] != str(DIGIT):
                        raise SystemExit(f"{name} read {result['digit']!r} where a {DIGIT} was drawn: not the same work")
                    times[name, kind].append(result["ms"])
                    if name == "Inkling":
                        stages[kind].append(result["boot"]["ms"])
                        if kind == "first":
                            wait_for(page, "document.querySelector('digit-recognizer').shadowRoot.querySelector('[data-offline=ready]') !== null")
                    if kind == "first":
                        page.wait_for_timeout(SETTLE)
                    page.close()
                about = conditions(context)
                context.close()

    print(f"\nNavigation to the first answer, ms: median (least-most) of {options.runs} visits taken in turn. {about}\n")
    rows = []
    for name in pages:
        row = [name]
        for kind in ("first", "repeat"):
            ratio = statistics.median(times["Inkling", kind]) / statistics.median(times[name, kind])
            row += [spread(times[name, kind]), "" if name == "Inkling" else f"{ratio:.2f}"]
        rows.append(row)
    print(table(["page", "first visit", "ours / stock", "repeat visit", "ours / stock"], rows))
    print("\nInkling's stages in the worker, ms (health().boot.ms):\n")
    names = list(stages["first"][0])
    print(table(["visit", *names], [[kind, *(f"{statistics.median(run[name] for run in stages[kind]):.0f}" for name in names)] for kind in stages]))


if __name__ == "__main__":
    main()
