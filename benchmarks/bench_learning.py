"""Learning in the page: how fast it trains, what it costs those who wait, and what twenty corrected drawings teach and undo.

    python build.py bench learning [--only growth] [--no-peers] [--rounds 3] [--minutes 3] [--strokes FILE]

Matrix products are timed in Node (V8, as in Chromium's worker), all else in Chromium. Peers are ConvNetJS and TensorFlow.js with its
WebAssembly backend, on the same dense network, batch and optimiser (SGD with momentum), in turns with Inkling.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from chromium import QUIET, chromium, conditions, percentile, served, table, wait_for
from learning_forgetting import show_forgetting
from peer_pages import PEERS, WASM

from builder.common import SITE
from builder.node import install_node_packages, run_node
from builder.python_pack import make_packs
from builder.runtime import fetch_runtime, read_lock

PARTS = Path(__file__).with_name("learning")
DENSE = {"arch": "784-128-64-10", "optimizer": "momentum", "schedule": "constant", "learning_rate": 0.01, "batch_size": 128, "epochs": 1, "augment": False}
CONVNET = DENSE | {"arch": "convnet"}
IMAGES = 10_000
PARTS_OF_IT = ["products", "epochs", "waits", "forgetting", "growth"]
PEER_PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="./runtime-peers/training.js"></script>'
SECONDS = "async ({ recognizer }, settings) => (await recognizer.train(settings, { live: false })).seconds"

# Asks for a prediction every 25 ms while a network trains, and for the main thread's long tasks: [waits, tasks over 50 ms].
WAITS = """async ({ recognizer }, settings) => {
  const [waits, blocked, controller] = [[], [], new AbortController()];
  new PerformanceObserver((list) => blocked.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
  const data = new Uint8Array(280 * 280);
  for (let y = 40; y < 240; y++) data.fill(255, 280 * y + 128, 280 * y + 152);
  let steps = 0;
  const run = recognizer.train({ ...settings, epochs: 1000 }, { signal: controller.signal, onProgress: ({ step }) => (steps = step ?? steps) }).catch(() => {});
  while (steps < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 200; i++) {
    const start = performance.now();
    await recognizer.predict({ data: data.slice(), width: 280, height: 280 });
    waits.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const start = performance.now();
  controller.abort();
  await run;
  return { waits, blocked, cancel: performance.now() - start };
}"""

# Trains on, and says every now and then what page and worker hold: [[minutes, MiB]].
GROWTH = """async ({ recognizer }, [settings, minutes]) => {
  const [rows, controller, start] = [[], new AbortController(), performance.now()];
  const run = recognizer.train({ ...settings, epochs: 1e6 }, { signal: controller.signal, onCheckpoint() {}, checkpointEvery: 5000 }).catch(() => {});
  for (let i = 0; i <= 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 60_000 * minutes / 6));
    rows.push([(performance.now() - start) / 60_000, (await performance.measureUserAgentSpecificMemory()).bytes / 2 ** 20]);
  }
  controller.abort();
  await run;
  return rows;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS_OF_IT, default=PARTS_OF_IT, help="what to measure (default all)")
    parser.add_argument("--rounds", type=int, default=3, help="timed epochs of each (default 3)")
    parser.add_argument("--minutes", type=float, default=3, help="of training while memory is watched (default 3)")
    parser.add_argument("--no-peers", action="store_true", help="without ConvNetJS and TensorFlow.js")
    parser.add_argument("--strokes", type=Path, metavar="FILE", help="recorded pen strokes, UCI's pendigits-orig.tra (.gz, .Z); default: fetched once")
    options = parser.parse_args()
    wanted = options.only
    if "products" in wanted:
        show_products()
    if wanted == ["products"]:
        return
    with ExitStack() as stack:
        scratch, url = Path(stack.enter_context(tempfile.TemporaryDirectory())), stack.enter_context(served())
        browser = stack.enter_context(chromium(*QUIET, "--enable-blink-features=ForceEagerMeasureMemory"))
        peers = _peer_page(browser, scratch, stack) if "epochs" in wanted and not options.no_peers else None
        page = browser.new_page()
        page.route("**/*", _isolated)
        page.goto(url)
        wait_for(page, "Boolean(document.querySelector('digit-recognizer')?.recognizer)")
        element = page.locator("digit-recognizer")
        print(f"\n{conditions()}\n")
        if "epochs" in wanted:
            show_epochs(element, peers, options.rounds)
        if "waits" in wanted:
            show_waits(element)
        if "forgetting" in wanted:
            show_forgetting(element, options.strokes)
        if "growth" in wanted:
            show_growth(element, options.minutes)


def show_products() -> None:
    """Matrix products in WebAssembly."""
    lock = read_lock()
    runtime = fetch_runtime(lock)
    packs = make_packs(lock, runtime, SITE)
    names = ("python_stdlib.zip", "numpy.zip", "inkling.zip")
    found = json.loads(run_node(PARTS / "products.mjs", runtime, lock["abi"], *(packs[name] for name in names)))
    rows = [[name, f"{plain:.2f}", f"{own:.2f}", f"{own / plain:.1f}x"] for name, (plain, own) in found.items()]
    print("\n" + table(["GFLOP/s, best of a second each, in turns", "`@`", "ours", "ratio"], rows))


def show_epochs(element, peers, rounds: int) -> None:
    """Seconds for 10,000 images, ours with what it validates meanwhile."""
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        seconds.setdefault("Inkling, 784-128-64-10", []).append(element.evaluate(SECONDS, DENSE))
        if peers:
            seconds.setdefault("ConvNetJS, the same", []).append(peers.evaluate(f"trainConvNetJS({IMAGES})"))
            seconds.setdefault("TensorFlow.js (WebAssembly), the same", []).append(peers.evaluate(f"trainTensorFlow({IMAGES})"))
    seconds["Inkling, convnet"] = [element.evaluate(SECONDS, CONVNET)]
    first = statistics.median(next(iter(seconds.values())))
    rows = [[name, " ".join(f"{value:.1f}" for value in values), f"{first / statistics.median(values):.2f}"] for name, values in seconds.items()]
    print(table([f"an epoch of {IMAGES:,} images", "s", "times as fast as our dense one"], rows))


def show_waits(element) -> None:
    """What a prediction waits for while a network trains, and how soon a cancelled run has ended."""
    rows = []
    for settings in (DENSE, CONVNET):
        seen = element.evaluate(WAITS, settings)
        blocked = ", ".join(f"{value:.0f}" for value in seen["blocked"]) or "none"
        rows.append([settings["arch"], *(f"{percentile(seen['waits'], p):.0f}" for p in (50, 95, 100)), f"{seen['cancel']:.0f}", blocked])
    print("\n" + table(["ms, while it trains", "prediction, median", "p95", "most", "until cancelled", "main thread over 50 ms"], rows))


def show_growth(element, minutes: float) -> None:
    """What page and worker hold while a network trains and checkpoints are taken."""
    rows = element.evaluate(GROWTH, [DENSE, minutes])
    print("\n" + table(["minutes of training", "page and worker, MiB"], [[f"{at:.1f}", f"{mebibytes:.1f}"] for at, mebibytes in rows]))
    (first, before), (last, after) = rows[1], rows[-1]
    print(f"\nFrom minute {first:.1f} to {last:.1f}: {after - before:+.2f} MiB, {60 * (after - before) / (last - first):+.1f} MiB an hour.")


def _peer_page(browser, scratch: Path, stack: ExitStack):
    """A booted page with both peers, made in `scratch` and served for as long as the stack lasts."""
    install_node_packages(PEERS, "ConvNetJS and TensorFlow.js, to compare with")
    files = scratch / "runtime-peers"
    files.mkdir()
    run_node(PEERS / "bundle.mjs", PEERS / "training.js", files)
    for file in WASM:
        shutil.copyfile(file, files / file.name)
    (scratch / "index.html").write_text(PEER_PAGE, encoding="utf-8")
    page = browser.new_page()
    page.goto(stack.enter_context(served(scratch)))
    wait_for(page, "Boolean(window.trainTensorFlow)")
    return page


def _isolated(route) -> None:
    response = route.fetch()
    route.fulfill(response=response, headers={**response.headers, "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp"})


if __name__ == "__main__":
    main()
