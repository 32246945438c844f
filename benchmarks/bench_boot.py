"""From navigation to the first answer to a drawn digit: our page against stock Pyodide and JavaScript peers, first and repeat visits.

    python build.py bench boot [--runs 7] [--engine firefox] [--line 20]

Inkling is the real page with its default model, the convnet; it is also visited with ?boot=slim, which leaves the heap snapshot out.
Stock is a page as tutorials have it: loadPyodide with its own standard library, loadPackage of NumPy's wheel, then the same inkling
(as .py sources), weights and preprocessing as ours; once on the main thread, once in a module worker. The peers, onnxruntime-web and
TensorFlow.js (peer_pages.py), read with mlp-256-128, in Chromium only.

All are served by the preview server, with the same compression and caching headers, and visited in turn by the same browser with nothing
attached to it: a script in the page draws and reports. A first visit has a fresh profile; the repeat visit is made with that profile by a
browser started anew, when the service worker (ours) and the HTTP cache (all) have had time to keep what they keep. "One file" is
inkling.html, opened from the disk. The bare page has one style sheet, one script and one canvas: no pad can be there sooner. --line
pretends that the server lies at the end of a slow line that knows no Brotli (line.py), for first visits.
"""

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import peer_pages
from chromium import conditions, spread, table
from line import Line, metered
from our_pages import DIGIT, make_ours, make_single, make_stock
from visits import ENGINES, NoAnswer, Reports, binary, screen, visit

OURS = "Inkling"
STOCK = "stock, main thread"
BARE = "a bare page"


class Page(NamedTuple):
    """name: in the tables.   start: the address of a page that goes on to it."""

    name: str
    start: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="visits of each kind (default 7)")
    parser.add_argument("--engine", choices=ENGINES, default="chromium", help="default chromium; the others visit our pages and stock's")
    parser.add_argument("--line", type=float, metavar="MBIT", help="first visits over a line of that many Mbit/s, gzip only")
    parser.add_argument("--latency", type=float, default=40, metavar="MS", help="round trip of that line (default 40)")
    parser.add_argument("--no-peers", action="store_true", help="leave onnxruntime-web and TensorFlow.js out")
    options = parser.parse_args()
    browser = binary(options.engine)

    kinds = ("first",) if options.line else ("first", "repeat")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        stack.enter_context(screen(options.engine))
        reports = Reports()
        line = Line(options.line, options.latency / 1000) if options.line else None
        pages = _serve(stack, folder, reports, line, peers=options.engine == "chromium" and not options.no_peers)
        results = {(page.name, kind): [] for page in pages for kind in kinds}
        unanswered: list[str] = []
        for run in range(options.runs):
            for i, page in enumerate(pages):
                visits = _visits(options.engine, folder / f"profile-{run}-{i}", page, kinds, reports, unanswered)
                for kind, result in visits.items():
                    if page.name != BARE and result["digit"] != DIGIT:
                        raise SystemExit(f"{page.name} read {result['digit']} where a {DIGIT} was drawn: not the same work")
                    results[page.name, kind].append(result)
                    print(f"{run + 1}/{options.runs} {page.name}, {kind}: {result['ms']:.0f} ms", file=sys.stderr)
        where = conditions(browser)
    what = f"{options.line:g} Mbit/s, {options.latency:g} ms, gzip" if line else "no limit, and the compression that the browser asks for"
    print(f"\nNavigation to the first answer, ms: median (least to most) of {options.runs} visits taken in turn; line: {what}.")
    print(f"{where}\n")
    if unanswered:
        print(f"Visits that gave no answer, and were made again: {', '.join(unanswered)}.\n")
    _print_times(results, kinds)
    _print_main_thread(results)
    _print_stages(results)


def _visits(engine: str, profile: Path, page: Page, kinds: tuple[str, ...], reports: Reports, unanswered: list[str]) -> dict[str, dict]:
    """What the page reports of each kind of visit. If a browser hangs, which is noted in `unanswered`, all of them once more, with a fresh profile."""
    for attempt in (profile, profile.with_name(f"{profile.name}-again")):
        results = {}
        try:
            for kind in kinds:
                results[kind] = visit(engine, attempt, page.start, reports)
            return results
        except NoAnswer as error:
            unanswered.append(f"{page.name}, {kind}")
            print(error, file=sys.stderr)
    raise SystemExit(f"{page.name} gave no answer twice in a row")


def _serve(stack: ExitStack, folder: Path, reports: Reports, line: Line | None, *, peers: bool) -> list[Page]:
    """Make and serve all pages; return them in the order in which they are visited."""
    make_ours(folder / "dist")
    make_stock(folder / "stock")
    ours, stock = (stack.enter_context(metered(folder / name, reports, line)) for name in ("dist", "stock"))
    once = "&once" if line else ""  # the page need not wait until everything is kept
    pages = [
        Page(OURS, f"{ours}__start?./?{once}"),
        Page(f"{OURS}, slim", f"{ours}__start?./?boot=slim{once}"),
        Page(STOCK, f"{stock}__start?./main.html?{once}"),
        Page("stock, module worker", f"{stock}__start?./worker.html?{once}"),
    ]
    if not line:
        pages.append(Page(BARE, f"{stock}__start?./bare.html?"))
    if not line and (single := make_single(folder / "dist", folder / "single", ours)):
        pages.append(Page(f"{OURS}, one file", single))
    if peers:
        peer_pages.make_peers(folder / "peers")
        url = stack.enter_context(metered(folder / "peers", reports, line))
        pages += [Page(name, f"{url}__start?./{address}?{once}") for name, address in peer_pages.PAGES.items()]
    return pages


def _print_times(results: dict, kinds: tuple[str, ...]) -> None:
    """Times, what they are of ours and of stock's, and the bytes of files sent until the first answer and after it."""
    medians = {key: statistics.median(result["ms"] for result in values) for key, values in results.items()}
    rows = []
    for name in dict.fromkeys(name for name, _ in results if name != BARE):
        row = [name]
        for kind in kinds:
            times = [result["ms"] for result in results[name, kind]]
            row += [spread(times), f"{medians[OURS, kind] / medians[name, kind]:.2f}", f"{medians[name, kind] / medians[STOCK, kind]:.2f}"]
            for part in ("sent_before", "sent_after"):
                row.append(f"{statistics.median(sum(size for _, size in result[part]) for result in results[name, kind]):,.0f}")
        rows.append(row)
    header = [text for kind in kinds for text in (f"{kind} visit", "ours / this", "this / stock", "bytes before", "bytes after")]
    print(table(["page", *header], rows))


def _print_main_thread(results: dict) -> None:
    print("\nThe pad can be drawn on, ms after navigation; and tasks over 50 ms on the main thread until the first answer, all visits together:\n")
    rows = []
    for (name, kind), visits in results.items():
        pads = [result["pad"] for result in visits if "pad" in result]
        blocked = [f"{task:.0f}" for result in visits for task in result["blocked"] or []]
        tasks = f"{len(blocked)}: {', '.join(blocked)} ms" if blocked else "none"
        rows.append([name, kind, spread(pads) if pads else "-", "not told" if visits[0]["blocked"] is None else tasks])
    print(table(["page", "visit", "pad", "long tasks"], rows))


def _print_stages(results: dict) -> None:
    """The way that our page took to its runtime, and the median of each stage."""
    print("\nInkling's way to its runtime, whether it was kept for use without network, and the stages in the worker, ms (health().boot):\n")
    rows = []
    for (name, kind), visits in results.items():
        if not name.startswith(OURS):
            continue
        boots = [result["boot"] for result in visits]
        paths = {f"{boot['path']} ({boot['why_not_faster']})" if boot["why_not_faster"] else boot["path"] for boot in boots}
        stages = ", ".join(f"{stage} {statistics.median(boot['ms'].get(stage, 0) for boot in boots):.0f}" for stage in boots[0]["ms"])
        kept = "not asked" if visits[0]["kept"] is None else f"{sum(result['kept'] for result in visits)} of {len(visits)}"
        rows.append([name, kind, ", ".join(sorted(paths)), kept, stages])
    print(table(["page", "visit", "path", "kept", "stages"], rows))


if __name__ == "__main__":
    main()
