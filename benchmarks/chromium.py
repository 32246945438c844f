"""What the browser benchmarks share: dist/ served, Chromium driven, digits drawn by pointer events, tables printed.

Run through `python build.py bench NAME`, which builds dist/ and names the browser in INKLING_CHROMIUM. Nothing here asserts a time.
"""

import math
import os
import platform
import statistics
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from builder.browsers import find_browser
from builder.common import DIST
from builder.server import make_server


# Chromium's own starting work, which would disturb; and root may not run its sandbox.
QUIET = ("--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--disable-gpu", *(("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()))  # fmt: skip


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, n: int = 24) -> list[tuple[float, float]]:
    """Points of an ellipse's arc; degrees, 0 at the right, growing downwards as the screen's y does."""
    angles = [math.radians(start + (end - start) * i / n) for i in range(n + 1)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


# Each digit as its strokes, in fractions of the pad's side.
DIGITS = {
    0: [arc(0.5, 0.5, 0.2, 0.3, -90, -450)],
    1: [[(0.4, 0.32), (0.52, 0.2), (0.52, 0.8)]],
    2: [[*arc(0.5, 0.36, 0.17, 0.16, -170, 30), (0.33, 0.78), (0.7, 0.78)]],
    3: [[*arc(0.47, 0.35, 0.17, 0.14, -150, 80, 12), *arc(0.47, 0.64, 0.19, 0.16, -80, 150, 12)]],
    4: [[(0.42, 0.2), (0.28, 0.58), (0.72, 0.58)], [(0.6, 0.38), (0.58, 0.82)]],
    5: [[(0.66, 0.2), (0.4, 0.2), (0.37, 0.46), *arc(0.47, 0.61, 0.19, 0.18, -110, 140)]],
    6: [[(0.6, 0.18), (0.42, 0.4), *arc(0.5, 0.64, 0.16, 0.16, -160, -520)]],
    7: [[(0.3, 0.24), (0.7, 0.24), (0.46, 0.8)]],
    8: [[*arc(0.5, 0.35, 0.14, 0.14, 90, -270), *arc(0.5, 0.65, 0.17, 0.16, -90, 270)]],
    9: [[*arc(0.5, 0.38, 0.16, 0.16, 0, -360), (0.64, 0.6), (0.58, 0.82)]],
}


@contextmanager
def served(directory: Path = DIST, extra=None):
    """The URL of a directory, served as `build.py serve` does: types, caching, .br and .gz, security policy.

    extra: answers more paths, as builder.watch.Watcher does: extra.answer(handler, path) -> whether it did.
    """
    server = make_server(directory, watcher=extra)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def browser_path() -> str:
    """Where Chromium is: build.py says so in INKLING_CHROMIUM."""
    if path := os.environ.get("INKLING_CHROMIUM") or find_browser():
        return path
    raise SystemExit("There is no Chromium. Run this through: python build.py bench NAME")


@contextmanager
def chromium(*arguments: str):
    """A running headless Chromium (Playwright's Browser). Every new_context() of it is a fresh profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(arguments))
        try:
            yield browser
        finally:
            browser.close()


def wait_for(page: Page, expression: str, seconds: float = 60, every: float = 0.05):
    """The first true value of a JavaScript expression; polled, because the page's policy forbids Playwright's own way."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := page.evaluate(expression):
            return value
        page.wait_for_timeout(1000 * every)
    raise TimeoutError(f"{page.url}: {expression} was not true within {seconds} s")


def pad_box(page: Page) -> dict[str, float]:
    """Where the pad lies in the window: x, y, width, height in CSS pixels. Waits until it is shown."""
    pad = page.get_by_test_id("pad")
    pad.wait_for(state="visible")
    return pad.bounding_box()


def draw_digit(page: Page, digit: int, box: dict[str, float], *, hertz: float | None = None) -> int:
    """Draw a digit with the mouse; return the number of pointer events.

    hertz: pointer events a second along the stroke, as a hand makes them; None: as fast as they go.
    """
    events = 0
    due = time.monotonic()
    for stroke in DIGITS[digit]:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["width"]) for x, y in stroke]
        for i, (x, y) in enumerate(_densely(points) if hertz else points):
            page.mouse.move(x, y)
            if i == 0:
                page.mouse.down()
            events += 1
            if hertz:
                due = max(due + 1 / hertz, time.monotonic() - 1)
                time.sleep(max(0, due - time.monotonic()))
        page.mouse.up()
    return events


def _densely(points: list[tuple[float, float]], spacing: float = 7) -> list[tuple[float, float]]:
    """The same line with a point about every `spacing` pixels."""
    dense = points[:1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        n = max(1, round(math.hypot(x1 - x0, y1 - y0) / spacing))
        dense += [(x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n) for i in range(1, n + 1)]
    return dense


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def spread(values: list[float]) -> str:
    """Median, and in brackets the smallest and the largest."""
    return f"{statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def conditions(browser: str | None = None) -> str:
    """One line: browser (by its path; Chromium) and machine."""
    version = subprocess.run([browser or browser_path(), "--version"], capture_output=True, text=True).stdout.strip() if os.name != "nt" else "Chromium"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{version}, headless, {platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}"


def table(header: list[str], rows: list[list]) -> str:
    """A markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
