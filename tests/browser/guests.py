"""Pages of other people, with dist/ in a folder of theirs."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from test_plain_host import plain_host
from visit import BOOT, SIDE

HEAD = '<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Guest</title><link rel="icon" href="data:,">'
SCRIPT = '<script type="module" src="./inkling/js/digit-recognizer.js"></script>'


@contextmanager
def guests(dist: Path, folder: Path, **kind):
    """A server, as plain as can be, with folder, in which dist/ lies as inkling/; yields its address. kind: attributes of its handler."""
    if not (folder / "inkling").exists():
        shutil.copytree(dist, folder / "inkling", ignore=shutil.ignore_patterns("*.br", "inkling.html"))
    with plain_host(folder, **kind) as (address, _):
        yield address


def page_with(body: str, *, lang: str = "en") -> str:
    return HEAD.format(lang=lang) + body + SCRIPT


class Field:
    """One <digit-recognizer> among others, by its id."""

    def __init__(self, page: Page, name: str):
        self.page, self.host = page, page.locator(f"digit-recognizer#{name}")

    def by(self, test_id: str) -> Locator:
        return self.host.get_by_test_id(test_id)

    def js(self, expression: str, argument=None):
        return self.host.evaluate(expression, argument)

    def ready(self) -> Field:
        expect(self.by("status")).to_have_attribute("data-state", "ready", timeout=BOOT)
        return self

    def lay(self, strokes) -> None:
        """Puts a drawing of pad units on it; from then on the answer to what was there is out of date."""
        drawing = [{"tool": "pen", "width": 20 / SIDE, "points": [float(number) / SIDE for point in stroke for number in point]} for stroke in strokes]
        self.js("(element, strokes) => { element.strokes = strokes; }", drawing)

    def says(self, text: str) -> None:
        """Waits for the answer to the newest drawing, which must be this."""
        expect(self.by("prediction")).to_have_attribute("aria-busy", "false", timeout=BOOT)
        expect(self.by("prediction")).to_have_text(text)

    def reads(self, strokes, text: str) -> None:
        self.lay(strokes)
        self.says(text)
