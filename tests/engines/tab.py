"""A person's visit to the page in any engine: draws with real pointer events and reads what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hand import SIDE

from engines.engine import Engine, wait_until

BOOT = 180  # s; a boot takes 1 to 5 s, in WebKitGTK on a busy machine fifty

SEEN = """() => {
  const find = (id) => document.querySelector("digit-recognizer")?.shadowRoot?.querySelector(`[data-testid=${id}]`);
  const status = find("status"), prediction = find("prediction");
  return status && { state: status.dataset.state, offline: status.dataset.offline ?? "", message: status.innerText,
    busy: prediction.getAttribute("aria-busy"), text: prediction.textContent };
}"""
CHOOSE_MODEL = """(name) => {
  const select = document.querySelector("#model");
  select.value = name;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}"""
COUNT_PRESSES = """(selector) => {
  window.presses = 0;
  document.querySelector(selector).addEventListener("click", () => window.presses++, { once: true });
}"""
IS_OPEN = """() => document.querySelector(".menu").open"""
HEIGHT = """() => innerHeight"""
BOX = """(selector) => {
  const found = document.querySelector(selector) ?? document.querySelector("digit-recognizer").shadowRoot.querySelector(selector);
  found.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = found.getBoundingClientRect();
  return [x, y, width, height];
}"""


class Tab:
    """One visit. `problems` are what the browser complained of and no `expecting` announced."""

    def __init__(self, engine: Engine, url: str):
        self.engine, self.url = engine, url
        self._expected: list[re.Pattern] = []

    def open(self, path: str = "") -> Tab:
        self.engine.open(self.url + path)
        return self

    def expecting(self, pattern: str) -> None:
        """From now on complaints that match are no surprise."""
        self._expected.append(re.compile(pattern, re.IGNORECASE | re.DOTALL))

    def problems(self) -> list[str]:
        return list(filter(self.is_surprise, self.engine.problems()))

    def is_surprise(self, text: str) -> bool:
        return not any(pattern.search(text) for pattern in self._expected)

    def seen(self) -> dict[str, str]:
        """state, offline, message, busy, text: what a person sees of status and answer; empty before the element is there."""
        return self.engine.evaluate(SEEN) or dict.fromkeys(("state", "offline", "message", "busy", "text"), "")

    def ready(self) -> Tab:
        """Waits until predictions are served."""
        def look():
            seen = self.seen()
            assert seen["state"] != "error", seen["message"]
            return seen["state"] == "ready"

        wait_until(look, "the network is not ready", BOOT)
        return self

    def offline_ready(self) -> Tab:
        """Waits until everything is kept for use without network."""
        wait_until(lambda: self.seen()["offline"] == "ready", "not everything is kept", BOOT)
        return self

    def on_element(self, function: str, argument: Any = None) -> Any:
        """What a JavaScript function of (element, argument) returns; `element.recognizer` is the live instance."""
        return self.engine.evaluate(f"(argument) => ({function})(document.querySelector('digit-recognizer'), argument)", argument)

    def health(self) -> dict:
        return self.on_element("(element) => element.recognizer.health()")

    def draw(self, strokes, *, pointer: str = "mouse") -> None:
        """Draws strokes of pad units (x, y) with real pointer events."""
        left, top, width, _ = self.engine.evaluate(BOX, "[data-testid=pad]")
        steps = []
        for stroke in strokes:
            for i, (x, y) in enumerate(stroke):
                steps.append(_move(left + float(x) * width / SIDE, top + float(y) * width / SIDE))
                if i == 0:
                    steps.append({"type": "pointerDown", "button": 0})
            steps.append({"type": "pointerUp", "button": 0})
        self._perform(steps, pointer)

    def click(self, selector: str) -> None:
        """Presses what this selector finds in the page or in the element."""
        left, top, width, height = self.engine.evaluate(BOX, selector)
        self._perform([_move(left + width / 2, top + height / 2), {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}])

    def _perform(self, steps: list[dict], pointer: str = "mouse") -> None:
        self.engine.perform([{"type": "pointer", "id": f"the {pointer}", "parameters": {"pointerType": pointer}, "actions": steps}])

    def clear(self) -> None:
        self.click("[data-testid=clear]")
        wait_until(lambda: self.seen()["text"] == "", "the answer is still there")

    def answer(self) -> str:
        """The text of the answer to the newest ink."""
        def look():
            seen = self.seen()
            return seen["busy"] == "false" and seen["text"]

        return wait_until(look, "there is no answer", BOOT)

    def read(self, strokes, **how) -> str:
        """Draws on an empty pad and returns the answer that belongs to the whole drawing."""
        self.clear()
        self.draw(strokes, **how)
        return self.answer()

    def use_model(self, name: str) -> None:
        """Chooses another network. The list itself is drawn by the system; no driver reaches into it in every engine."""
        self.engine.evaluate(CHOOSE_MODEL, name)
        wait_until(lambda: self.engine.evaluate("() => location.hash") == f"#model={name}", f"{name} does not answer", BOOT)

    def save(self, what: str, name: str) -> Path:
        """Chooses an entry of the menu "Save" and returns the file that comes of it."""
        file = self.engine.downloads / name
        file.unlink(missing_ok=True)
        entry = f"[data-save={what}]"
        self.engine.evaluate(COUNT_PRESSES, entry)
        for _ in range(3):
            height = self.engine.evaluate(HEIGHT)
            if not self.engine.evaluate(IS_OPEN):
                self.click(".menu summary")
            self.click(entry)
            if self.engine.evaluate("() => window.presses") or self.engine.evaluate(HEIGHT) == height:
                break  # else WebKitGTK's bar of downloads came while the mouse was on its way, and it may have pressed beside the entry
        wait_until(lambda: file.is_file() and file.stat().st_size, f"{name} has not been saved")
        return file

    def keep_evidence(self, folder: Path) -> None:
        """Screenshot, console and state, for whoever has to find out what went wrong."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "console.txt").write_text("\n".join(self.engine.log), encoding="utf-8")
        self.engine.screenshot(folder / "page.png")
        (folder / "page.html").write_text(self.engine.evaluate("() => document.documentElement.outerHTML"), encoding="utf-8")


def _move(x: float, y: float) -> dict:
    return {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0, "origin": "viewport"}
