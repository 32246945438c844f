"""Chromium over its own protocol. The many tests of tests/browser drive it with Playwright; these are the few that all engines share."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.browsers import find_browser
from engines.engine import ARRIVED, Engine, NotHere, Program, ScriptError, wait_until
from engines.wire import CommandError, Wire

QUIET = ("--headless=new", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-gpu",
         "--window-size=1200,1100")
MOUSE = {"pointerMove": "mouseMoved", "pointerDown": "mousePressed", "pointerUp": "mouseReleased"}
TOUCH = {"pointerMove": "touchMove", "pointerDown": "touchStart", "pointerUp": "touchEnd"}


class Chromium(Engine):
    name = "chromium"
    touch = True

    def __init__(self):
        super().__init__()
        program = find_browser()
        if not program:
            raise NotHere("there is no Chromium here (Debian: apt install chromium)")
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        self._program = Program([program, *QUIET, *as_root, "--remote-debugging-port=0", f"--user-data-dir={self.profile}", "about:blank"])
        address = self._program.wait_for(r"DevTools listening on (ws://\S+)")
        self._browser = browser = Wire(address, lambda event, params: None)  # what is set there lasts as long as it is open
        self.version = browser.call("Browser.getVersion")["product"].partition("/")[2]
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        tab = next(target for target in browser.call("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self._wire = Wire(f"{address.partition('/devtools')[0]}/devtools/page/{tab['targetId']}", self._hear)
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self._wire.call(f"{domain}.enable")

    def _hear(self, event: str, params: dict) -> None:
        if event == "Runtime.consoleAPICalled":
            text = " ".join(str(part.get("value", part.get("description"))) for part in params["args"])
            self.note(f"{params['type']}: {text}", is_problem=params["type"] == "error")
        elif event == "Runtime.exceptionThrown":
            self.note(f"uncaught: {_text(params['exceptionDetails'])}", is_problem=True)
        elif event == "Log.entryAdded":
            entry = params["entry"]
            self.note(f"{entry['level']}: {entry['text']} {entry.get('url', '')}", is_problem=entry["level"] == "error")

    def open(self, url: str) -> None:
        self._go(url, "Page.navigate", url=url)

    def reload(self) -> None:
        self._go(self.evaluate("() => location.href"), "Page.reload")

    def _go(self, address: str, method: str, **params) -> None:
        self.evaluate("() => { window.left = true; }")
        if failed := self._wire.call(method, **params).get("errorText"):
            raise ScriptError(f"{address}: {failed}")
        wait_until(lambda: self._is_at(address.partition("#")[0]), f"{address} is not loaded")

    def _is_at(self, address: str) -> bool:
        try:
            return self.evaluate(ARRIVED, address)
        except ScriptError:  # asked of the document that has just gone
            return False

    def evaluate(self, function: str, *arguments: Any) -> Any:
        expression = f"(async (given) => JSON.stringify(await ({function})(...given)))({json.dumps(arguments)})"
        try:
            answer = self._wire.call("Runtime.evaluate", expression=expression, awaitPromise=True, userGesture=True)
        except CommandError as error:  # the document went meanwhile
            raise ScriptError(str(error)) from error
        if "exceptionDetails" in answer:
            raise ScriptError(_text(answer["exceptionDetails"]))
        return json.loads(answer["result"].get("value", "null"))

    def perform(self, actions: Sequence[dict]) -> None:
        [source] = actions
        is_touch = source["parameters"]["pointerType"] == "touch"
        x, y, down, sent = 0, 0, False, 0
        for step in source["actions"]:  # one need not wait for the other
            kind = step["type"]
            x, y, down = step.get("x", x), step.get("y", y), {"pointerDown": True, "pointerUp": False}.get(kind, down)
            if not is_touch:
                button = "none" if kind == "pointerMove" and not down else "left"
                sent = self._wire.send("Input.dispatchMouseEvent", type=MOUSE[kind], x=x, y=y, buttons=int(down), button=button, clickCount=1)
            elif down or kind == "pointerUp":  # a finger in the air is nowhere
                sent = self._wire.send("Input.dispatchTouchEvent", type=TOUCH[kind], touchPoints=[{"x": x, "y": y}] if down else [])
        self._wire.wait_for(sent)

    def choose_file(self, selector: str, file: Path) -> None:
        root = self._wire.call("DOM.getDocument")["root"]["nodeId"]
        node = self._wire.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._wire.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._wire.call("Page.captureScreenshot")["data"]))

    def listen(self) -> None:
        self.evaluate("() => 0")

    def _end(self) -> None:
        try:
            self._wire.close()
            self._browser.call("Browser.close")
            self._browser.close()
        except (CommandError, OSError):
            pass  # it has gone already
        self._program.stop()


def _text(details: dict) -> str:
    return details.get("exception", {}).get("description") or details["text"]
