"""Stock Firefox over WebDriver BiDi, which it serves by itself: there is no other program in between."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.browsers import find_firefox, firefox_preferences
from engines.engine import Engine, NotHere, Program, ScriptError
from engines.wire import CommandError, Wire

WINDOW = {"width": 1200, "height": 1000}  # CSS px


class Firefox(Engine):
    name = "firefox"
    touch = True

    def __init__(self):
        super().__init__()
        program = find_firefox()
        if not program:
            raise NotHere("there is no Firefox here (Debian: apt install firefox-esr)")
        firefox_preferences(self.profile, {"browser.download.dir": str(self.downloads), "browser.download.folderList": 2})
        self._program = Program([program, "--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", self.profile])
        address = self._program.wait_for(r"WebDriver BiDi listening on (ws://\S+)")
        self._wire = Wire(f"{address}/session", self._hear)
        self.version = self._wire.call("session.new", capabilities={})["capabilities"]["browserVersion"]
        self._wire.call("session.subscribe", events=["log.entryAdded"])
        self._tab = self._wire.call("browsingContext.getTree")["contexts"][0]["context"]
        self._wire.call("browsingContext.setViewport", context=self._tab, viewport=WINDOW)

    def _hear(self, event: str, params: dict) -> None:
        if event == "log.entryAdded":
            self.note(f"{params['level']}: {params['text']}", is_problem=params["level"] == "error")

    def open(self, url: str) -> None:
        self._wire.call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def reload(self) -> None:
        self._wire.call("browsingContext.reload", context=self._tab, wait="complete")

    def evaluate(self, function: str, *arguments: Any) -> Any:
        answer = self._wire.call(
            "script.callFunction", target={"context": self._tab}, awaitPromise=True, userActivation=True,
            functionDeclaration=f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given)))",
            arguments=[{"type": "string", "value": json.dumps(arguments)}])
        if answer["type"] != "success":
            raise ScriptError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    def perform(self, actions: Sequence[dict]) -> None:
        self._wire.call("input.performActions", context=self._tab, actions=list(actions))

    def choose_file(self, selector: str, file: Path) -> None:
        found = self._wire.call("browsingContext.locateNodes", context=self._tab, locator={"type": "css", "value": selector})
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._wire.call("input.setFiles", context=self._tab, element=element, files=[str(file)])

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._wire.call("browsingContext.captureScreenshot", context=self._tab)["data"]))

    def listen(self) -> None:
        self._wire.call("session.status")

    def _end(self) -> None:
        try:
            self._wire.call("browser.close")
            self._wire.close()
        except (CommandError, OSError):
            pass  # it has gone already
        self._program.stop()
