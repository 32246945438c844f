"""What the tests of learning have in common: a sign that no network knows, correcting, and the panel."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
from hand import shaken
from playwright.sync_api import Locator, expect
from visit import Visit

LONG = 60_000  # ms; learning takes seconds, but the machine may be busy
MEANT = 2  # what the sign is to be read as

# Experiments of the view "Train": one that ends soon, and one that does not end by itself.
QUICK = "#learn=train&arch=784-32-10&images=4000&epochs=2&learning_rate=0.003"
SLOW = "#learn=train&arch=784-32-10&epochs=100"

# Faults of the storage, as scripts that run before the page's own.
NO_STORAGE = """
Object.defineProperty(window, "indexedDB", { value: { open() { throw new DOMException("denied", "SecurityError"); } } });
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });
"""
FULL = """
IDBObjectStore.prototype.put = function () { throw new DOMException("there is no room", "QuotaExceededError"); };
"""

# A sigma with a bar, which the shipped networks take for a 0, a 4 or an 8.
SIGN = [[(190, 80), (80, 80), (140, 145), (80, 210), (190, 210)], [(100, 145), (190, 145)]]


def signs(n: int, seed: int = 0) -> list:
    """n drawings of the sign, as a hand varies it."""
    rng = np.random.default_rng(seed)
    corners = [[tuple(np.array(a) + (np.array(b) - a) * t) for a, b in zip(stroke, stroke[1:]) for t in (0, 0.33, 0.67, 1)] for stroke in SIGN]
    return [shaken(corners, rng) for _ in range(n)]


def correct(visit: Visit, drawing, label: int) -> None:
    """Draws, waits for the answer, and says what it is."""
    visit.clear()
    visit.draw(drawing)
    visit.verdict()
    visit.button("No, it’s a …").click()
    visit.button(f"It is {label}").click()
    expect(visit.status.get_by_role("status")).to_contain_text(f"Noted: a {label}")


def panel(visit: Visit, tab: str) -> Locator:
    """Opens the panel at a tab, by its buttons."""
    if visit.button("Learn").get_attribute("aria-expanded") == "false":
        visit.button("Learn").click()
    visit.page.get_by_role("tab", name=tab, exact=True).click()
    expect(visit.page.get_by_role("tab", name=tab, exact=True)).to_have_attribute("aria-selected", "true")
    expect(visit.page.get_by_role("tabpanel", name=tab).locator("*").first).to_be_attached()
    return visit.page.locator("#learning")


def note(visit: Visit) -> Locator:
    """The line over the panel's view."""
    return visit.page.locator("#learning .note")


def reading(visit: Visit) -> Locator:
    """What the panel says of the network in use."""
    return visit.page.get_by_role("region", name="The network in use").locator("p")


def answer_to(visit: Visit, drawing) -> int | None:
    """The best guess at a drawing, accepted or not."""
    visit.lay(drawing)
    visit.verdict()
    return visit.on_element("(element) => element.prediction.digit")


def download(visit: Visit, name: str) -> Path:
    """The file that a button gives."""
    with visit.page.expect_download() as waiting:
        visit.button(name).click()
    path = Path(waiting.value.path())
    return path.rename(path.with_name(f"{path.name}-{waiting.value.suggested_filename}"))


def take_home(visit: Visit, folder: Path) -> dict[str, Path]:
    """The network in use and its card, under their own names in a folder; a path by each one's suffix."""
    files = []

    def take(file):
        files.append(file)

    visit.page.on("download", take)
    visit.button("Download").click()
    eventually(lambda: len(files) == 2)
    visit.page.remove_listener("download", take)
    for file in files:
        file.save_as(folder / file.suggested_filename)
    return {Path(file.suggested_filename).suffix: folder / file.suggested_filename for file in files}


def choose(visit: Visit, name: str, *files) -> None:
    """Gives a file to a button that asks for one."""
    with visit.page.expect_file_chooser() as waiting:
        visit.button(name).click()
    waiting.value.set_files(*files)


def eventually(holds, *, seconds: float = LONG / 1000):
    """Waits until holds() is true of the page, and returns what it gave."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.05)
    return value


def model(visit: Visit) -> str | None:
    """Name of the network that gave the newest answer."""
    return visit.on_element("(element) => element.prediction?.model ?? null")


def start(visit: Visit) -> None:
    """Trains what the form says; returns once the run can be steered."""
    visit.button("Train").click()
    expect(visit.button("Pause")).to_be_enabled(timeout=LONG)


def figures(visit: Visit) -> Locator:
    """The line that says how far a run or a race is."""
    return visit.page.locator("#learning .figures")


def rows(visit: Visit) -> list[list[str]]:
    """The numbers behind the curves."""
    if not visit.page.locator("#learning .numbers[open]").count():
        visit.page.get_by_text("As a table").click()
    expect(visit.page.locator("#learning .numbers tbody tr").first).to_be_visible()
    return [row.locator("th, td").all_inner_texts() for row in visit.page.locator("#learning .numbers tbody tr").all()]


def steps_done(visit: Visit) -> int:
    """How many steps that says, 0 before the first."""
    found = re.search(r"Step ([\d,]+) of", figures(visit).inner_text())
    return int(found[1].replace(",", "")) if found else 0


def outcome(visit: Visit) -> Locator:
    """What is said of a run or a race at its end."""
    return visit.page.get_by_role("tabpanel").get_by_role("status")
