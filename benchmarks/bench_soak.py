"""Long life after a restore: our worker trains and predicts for a while, and then still is what stock Pyodide is from the start.

    python build.py bench soak [--minutes 20]

The real worker of the built page, restored from the snapshot, trains through inkling.training and answers predictions in between; before,
after, and once it has taken 100 MB more, fixed training curves must come out float for float as in stock Pyodide, and everything
that goes wrong on purpose must go wrong in the same words. `soak` is what the tests call, with some seconds.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chromium import QUIET, chromium, conditions, served, table, wait_for
from soak_pages import make_our_soak, make_stock_soak

PREDICTIONS = 20  # a round
STEPS = 5  # a call, so few that it takes a second or two; twice that a round
CURVE = {"seed": 1, "batch_size": 16}
CURVE_CALLS = 6
ENDLESS = {"seed": 0, "batch_size": 64}
CHECKPOINTS = 20  # rows of the table
MEGABYTE = 2**20
SLACK = MEGABYTE  # what is in use differs that much from round to round
HEAP_STEP = 1.25  # a heap that is too small grows by a fifth, rounded up to whole pages


def soak(seconds: float, *, slim: bool = False) -> dict:
    """Run it all. slim: our worker without the snapshot.

    Returns {"boot": how our worker started, "rounds": [a dict for each checkpoint], "grown": heap before and after, in bytes,
    "curves": when -> digest, "faults": name -> text, "problems": what is not as it must be, empty if all is well}.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        browser = stack.enter_context(chromium(*QUIET))
        with _opened(browser, folder / "stock", make_stock_soak(folder / "stock")) as stock:
            expected = {"faults": _call(stock, "faults"), "curve": _curve(stock), "grown": _call(stock, "grow")}
        with _opened(browser, folder / "dist", make_our_soak(folder / "dist") + ("?boot=slim" if slim else "")) as page:
            return _soaked(page, seconds, expected)


@contextmanager
def _opened(browser, folder: Path, address: str):
    """The page at an address in a folder, ready to be called."""
    with served(folder) as url:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(url + address)
        wait_for(page, "typeof call === 'function'")
        yield page
        page.close()


def _call(page, name: str, **fields):
    return page.evaluate("(fields) => call(fields)", {"call": name, **fields})


def _curve(page) -> str:
    """The digest of a short training run from its start."""
    _call(page, "begin", **CURVE)
    for _ in range(CURVE_CALLS):
        _call(page, "steps", n=STEPS)
    return _call(page, "digest")


def _soaked(page, seconds: float, expected: dict) -> dict:
    boot = page.evaluate("boot")
    faults = {"at the start": _call(page, "faults")}
    curves = {"at the start": _curve(page)}
    _call(page, "begin", **ENDLESS)
    rounds, heaps, wrong = _rounds(page, seconds)
    curves["after training"] = _curve(page)
    before = _call(page, "heap")
    sums = _call(page, "grow")
    after = _call(page, "heap")["size"]
    curves["after growing"] = _curve(page)
    faults["at the end"] = _call(page, "faults")
    _call(page, "begin", **ENDLESS)
    last = _round(page)
    rounds.append(last | {"minutes": seconds / 60, "steps": 2 * STEPS})
    wrong += PREDICTIONS - last["right"]

    problems = [f"curve {when}: {curve}, in stock {expected['curve']}" for when, curve in curves.items() if curve != expected["curve"]]
    for when, texts in faults.items():
        problems += [f"{name}, {when}: {texts[name]!r}, in stock {text!r}" for name, text in expected["faults"].items() if texts[name] != text]
    if sums != expected["grown"] or sums["sum"] != sums["expected"] or after < before["used"] + 100 * MEGABYTE:
        problems.append(f"growing: {sums}, heap {before} -> {after}")
    if wrong:
        problems.append(f"{wrong} predictions were wrong")
    problems += growth(heaps)
    if restarts := page.evaluate("restarts"):
        problems.append(f"the worker died {restarts} times")
    return {"boot": boot, "rounds": rounds, "grown": (before["size"], after), "curves": curves, "faults": faults["at the start"], "problems": problems}


def growth(heaps: list[dict]) -> list[str]:
    """What of the memory grew that must not. The first round still brings the training's own arrays and numpy.random; the next ones
    must do with what there is. The heap itself may take the step that it was a little short of, but no second one."""
    if len(heaps) < 3:
        return []
    second, last = heaps[1], heaps[-1]
    return [
        f"{what} grew from {second[key]:,} bytes after the second round to {last[key]:,} after the last, the {len(heaps)}th"
        for what, key, most in (("what is in use", "used", second["used"] + SLACK), ("the heap", "size", second["size"] * HEAP_STEP))
        if last[key] > most
    ]


def _rounds(page, seconds: float) -> tuple[list[dict], list[dict], int]:
    """Train and predict in turn until the time is over; at least one round.

    Returns (some of the rounds, evenly spread; the heap's {size, used} after every round, in bytes; how many predictions were wrong in all of them).
    """
    start = time.monotonic()
    kept, steps, heaps, wrong = [], 0, [], 0
    while not kept or time.monotonic() - start < seconds:
        entry = _round(page)
        steps += 2 * STEPS
        heaps.append({"size": entry["heap"], "used": entry["used"]})
        wrong += PREDICTIONS - entry["right"]
        minutes = (time.monotonic() - start) / 60
        if len(kept) <= CHECKPOINTS * 60 * minutes / max(seconds, 1e-9):
            kept.append(entry | {"minutes": minutes, "steps": steps})
    return kept, heaps, wrong


def _round(page) -> dict:
    """Steps of training, then PREDICTIONS: {loss, steps_a_second, right, predictions_a_second, heap, used (bytes)}."""
    start = time.monotonic()
    loss = (_call(page, "steps", n=STEPS) + _call(page, "steps", n=STEPS)) / 2
    trained = time.monotonic() - start
    predicted = page.evaluate("(n) => predict(n)", PREDICTIONS)
    heap = _call(page, "heap")
    return {
        "loss": loss,
        "steps_a_second": 2 * STEPS / trained,
        "right": predicted["right"],
        "predictions_a_second": PREDICTIONS / predicted["seconds"],
        "heap": heap["size"],
        "used": heap["used"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="of training and predicting (default 20)")
    parser.add_argument("--slim", action="store_true", help="without the snapshot, to compare")
    options = parser.parse_args()

    result = soak(60 * options.minutes, slim=options.slim)
    print(f"\n{conditions()}\nStarted by: {result['boot']['path']}\n")
    rows = [
        [f"{entry['minutes']:.1f}", f"{entry['steps']:,}", f"{entry['loss']:.3f}", f"{entry['steps_a_second']:.1f}",
         f"{entry['predictions_a_second']:.0f}", f"{entry['heap'] / MEGABYTE:.1f}", f"{entry['used'] / MEGABYTE:.1f}"]
        for entry in result["rounds"]
    ]
    print(table(["minute", "steps", "loss", "steps/s", "predictions/s", "wasm heap, MiB", "in use, MiB"], rows))
    before, after = (size / MEGABYTE for size in result["grown"])
    print(f"\nThe last row is of a new run, after 100 MB more were taken and given back: heap {before:.1f} -> {after:.1f} MiB.")
    print(f"Training curves of {CURVE_CALLS * STEPS} steps, digests: " + ", ".join(f"{when} {curve[:12]}" for when, curve in result["curves"].items()) + "\n")
    print(table(["goes wrong on purpose", "says"], [[name, text] for name, text in result["faults"].items()]))
    if result["problems"]:
        sys.exit("\nNot as in stock Pyodide:\n" + "\n".join(result["problems"]))
    print("\nAll as in stock Pyodide.")


if __name__ == "__main__":
    main()
