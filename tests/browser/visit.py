"""A person's visit to the page: draws with real pointer events, reads what the page says, and notes every complaint of the browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import BrowserContext, Locator, Page, expect

BOOT = 60_000  # ms; a boot takes 2 to 5 s here, but the machine may be busy
SOON = 20_000  # ms until a fault must have been noticed; less than the patience of engine and downloads, so that mere waiting is found out
SIDE = 280  # pad units
PEN = 20  # pad units, the default width

VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""

PRETEND = """
(element, fields) => {
  const { recognizer } = element, { predict } = Object.getPrototypeOf(recognizer);
  recognizer.predict = async (...given) => Object.assign(await predict.apply(recognizer, given), fields);
}
"""

FRESH = """
(element, pen) => {
  delete element.recognizer?.predict;
  element.numbers = false;
  element.strokes = [];
  element.tell(null);
  element.shadowRoot.querySelector("[data-command=pen]").click();
  const brush = element.shadowRoot.querySelector("[type=range]");
  brush.value = pen;
  brush.dispatchEvent(new Event("input"));
}
"""

NEXT_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Visit:
    """One tab. `problems` are console errors, uncaught errors and policy violations that no `expecting` announced."""

    def __init__(self, context: BrowserContext, url: str):
        self.context, self.url = context, url
        self.log: list[str] = []
        self._problems: list[str] = []
        self._expected: list[re.Pattern] = []
        self.page: Page = context.new_page()
        self.page.add_init_script(VIOLATIONS)
        self.page.on("console", lambda message: self._note(message.type, f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self._note("error", f"uncaught: {error}"))

    def _note(self, kind: str, text: str) -> None:
        self.log.append(text)
        if kind == "error":
            self._problems.append(text)

    def expecting(self, pattern: str) -> None:
        """From now on console errors that match are no surprise."""
        self._expected.append(re.compile(pattern, re.IGNORECASE | re.DOTALL))

    def problems(self) -> list[str]:
        """What nobody expected since the last call."""
        found, self._problems = self._problems, []
        if not self.page.is_closed() and self.page.url.startswith("http"):
            found += [f"policy: {text}" for text in self.page.evaluate("(window.violations ?? []).splice(0)")]
        return [text for text in found if not any(pattern.search(text) for pattern in self._expected)]

    def open(self, path: str = "") -> Visit:
        self.page.goto(self.url + path)
        return self

    def ready(self) -> Visit:
        """Waits until predictions are served."""
        expect(self.status).to_have_attribute("data-state", "ready", timeout=BOOT)
        return self

    def offline_ready(self) -> Visit:
        """Waits until everything is kept for use without network."""
        expect(self.status).to_have_attribute("data-offline", "ready", timeout=BOOT)
        return self

    def error(self) -> str:
        """Waits until the page has given up and says so, with exactly one action. Returns the message."""
        expect(self.status).to_have_attribute("data-state", "error", timeout=SOON)
        expect(self.status.get_by_role("button")).to_have_count(1)
        expect(self.prediction).to_have_text("")
        message = self.status.get_by_role("status").inner_text()
        assert re.search(r"\w{3,} \w+.*\.$", message) and not re.search(r"undefined|null|NaN|\[object", message), message
        return message

    def strokes(self) -> list:
        """The drawing as the element has it."""
        return self.on_element("(element) => element.strokes")

    def by(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def status(self) -> Locator:
        return self.by("status")

    @property
    def prediction(self) -> Locator:
        return self.by("prediction")

    def draw(self, strokes, *, lift: bool = True) -> None:
        """Draws strokes of pad units (x, y) with the mouse; without `lift` the last one stays under way."""
        box = self.by("pad").bounding_box()
        scale = box["width"] / SIDE
        mouse = self.page.mouse
        for i, stroke in enumerate(strokes):
            for j, (x, y) in enumerate(stroke):
                mouse.move(box["x"] + float(x) * scale, box["y"] + float(y) * scale)
                if j == 0:
                    mouse.down()
            if lift or i < len(strokes) - 1:
                mouse.up()

    def clear(self) -> None:
        if self.by("clear").is_enabled():
            self.by("clear").click()
        expect(self.prediction).to_have_text("")

    def fresh(self) -> None:
        """Makes the pad as the page opens it: nothing on it, nothing to undo, nothing said in passing, the pen in its own width."""
        self.on_element(FRESH, PEN)
        expect(self.prediction).to_have_text("")
        self.page.evaluate(NEXT_FRAMES)  # what the pad tells of itself, it tells with the next frame

    def pretend(self, **fields) -> None:
        """From now on, until `fresh`, every Prediction has these fields, whatever was drawn."""
        self.on_element(PRETEND, fields)

    def spoken(self) -> Locator:
        """The line that a screen reader reads out."""
        return self.page.locator(".spoken[aria-live]")

    def bars(self) -> list[float]:
        """What the ten bars say, in percent."""
        return [float(self.by(f"bar-{i}").get_attribute("aria-valuenow")) for i in range(10)]

    def lay(self, strokes, *, width: float = PEN) -> None:
        """Puts a whole drawing of pad units on the pad at once, without a pointer."""
        self.on_element("(element, strokes) => { element.strokes = strokes; }", [
            {"tool": "pen", "width": width / SIDE, "points": [float(number) / SIDE for point in stroke for number in point]} for stroke in strokes])

    def ink(self) -> np.ndarray:
        """The ink as it is now, (280, 280) uint8."""
        text = self.on_element("(element) => btoa(Array.from(element.ink().data, (value) => String.fromCharCode(value)).join(''))")
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(SIDE, SIDE)

    def n_strokes(self) -> int:
        return self.on_element("(element) => element.strokes.length")

    def read(self, strokes) -> str:
        """Draws on an empty pad and returns the answer that belongs to the whole drawing."""
        self.clear()
        self.draw(strokes)
        return self.answer()

    def verdict(self) -> str:
        """The state of the answer to the newest ink, also when nothing is read: "sure", "unsure", "declined", "empty" or "none"."""
        expect(self.prediction).to_have_attribute("aria-busy", "false", timeout=BOOT)
        return self.page.get_by_role("group", name="Answer").get_attribute("data-answer")

    def answer(self) -> str:
        """The text of the answer to the newest ink."""
        expect(self.prediction).to_have_attribute("aria-busy", "false", timeout=BOOT)
        expect(self.prediction).not_to_have_text("", timeout=BOOT)
        return self.prediction.inner_text()

    def on_element(self, expression: str, argument=None):
        """Evaluates a function of (element, argument) in the page; `element.recognizer` is the live instance."""
        return self.page.locator("digit-recognizer").evaluate(expression, argument)

    def hold(self, pattern: str) -> Callable[[], None]:
        """From now on requests that match get no answer, until the function that is returned is called."""
        held, released = [], False
        self.page.route(pattern, lambda route: route.continue_() if released else held.append(route))

        def release():
            nonlocal released
            released = True
            for route in held:
                route.continue_()

        return release

    def change_script(self, folder: Path, script: str, old: str, new: str) -> None:
        """Puts other words, such as another number, into one of the page's scripts; folder: dist/, or site/ for a site as it is written."""
        [file] = folder.glob(f"**/js/{script}")
        source = file.read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{script} has {source.count(old)} times {old}"
        self.page.route(f"**/js/{script}", lambda route: route.fulfill(body=source.replace(old, new), content_type="text/javascript"))

    def keep_evidence(self, folder: Path) -> None:
        """Screenshot, console and state, for whoever has to find out what went wrong."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "console.txt").write_text("\n".join(self.log), encoding="utf-8")
        if not self.page.is_closed():
            self.page.screenshot(path=folder / "page.png")
            (folder / "page.html").write_text(self.page.content(), encoding="utf-8")

    def close(self) -> None:
        self.context.close()
