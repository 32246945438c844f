"""Memory over 10,000 predictions in the page: the worker's JavaScript heap and WebAssembly memory.

    python build.py bench memory [--predictions 10000]

The page is isolated for this (cross-origin headers), so that the browser may tell what the worker holds, after a collection.
"""

import argparse

from chromium import QUIET, chromium, conditions, served, table, wait_for

ROUND = """async (element, n) => {
  const ink = new Uint8Array(280 * 280);
  for (let i = 0; i < n; i++) {
    ink.fill(0);
    const x = 60 + (i * 37) % 150, thick = 10 + i % 20;
    for (let y = 40 + i % 50; y < 230; y++) ink.fill(255, y * 280 + x, y * 280 + x + thick);
    await element.recognizer.predict({ data: ink, width: 280, height: 280 });
  }
  return await new Promise((resolve) => setTimeout(() => resolve(performance.measureUserAgentSpecificMemory()), 0));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=int, default=10_000)
    options = parser.parse_args()
    step = max(options.predictions // 10, 1)
    rows = []
    with served() as url, chromium(*QUIET, "--enable-blink-features=ForceEagerMeasureMemory") as browser:
        page = browser.new_page()
        page.route("**/*", _isolated)
        page.goto(url)
        wait_for(page, "Boolean(document.querySelector('digit-recognizer')?.recognizer)")
        for done in range(step, options.predictions + 1, step):
            memory = page.locator("digit-recognizer").evaluate(ROUND, step)
            worker = sum(part["bytes"] for part in memory["breakdown"] if any("Worker" in who.get("scope", "") for who in part["attribution"]))
            rows.append([f"{done:,}", f"{memory['bytes'] / 2**20:.2f}", f"{worker / 2**20:.2f}"])
    print(f"\n{conditions()}\n")
    print(table(["predictions", "page and worker, MiB", "worker, MiB"], rows))
    whole, worker = (float(rows[-1][column]) - float(rows[0][column]) for column in (1, 2))
    print(f"\nGrowth after the first {step:,}: {whole:+.2f} MiB in all, {worker:+.2f} MiB in the worker.")


def _isolated(route) -> None:
    response = route.fetch()
    route.fulfill(response=response, headers={**response.headers, "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp"})


if __name__ == "__main__":
    main()
