"""WebKitGTK's small browser over WebKitWebDriver, on a display of its own where there is none.

This driver tells nothing of the console, so a script in the page listens there. It comes with the first answer of a new
document; what a worker writes to the console, and the very first moment, it does not hear.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selenium.common.exceptions import JavascriptException, WebDriverException
from selenium.webdriver import WebKitGTK, WebKitGTKOptions
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.command import Command
from selenium.webdriver.webkitgtk.service import Service

from builder.browsers import Display, find_mini_browser
from engines.engine import ANSWER, ARRIVED, Engine, NotHere, ScriptError, wait_until

INSTALL = "(Debian: apt install webkit2gtk-driver xvfb)"

LISTEN = """
  if (!window.complaints) {
    const complaints = window.complaints = [], { error } = console;
    console.error = (...given) => { complaints.push("error: " + given.map(String).join(" ")); error.apply(console, given); };
    addEventListener("error", ({ message }) => complaints.push("uncaught: " + message));
    addEventListener("unhandledrejection", ({ reason }) => complaints.push("uncaught: " + reason));
    addEventListener("securitypolicyviolation", (event) => complaints.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  }
"""
LISTEN_AND_LOOK = f"{LISTEN} return ({ARRIVED})(arguments[0]);"
EVALUATE = """
  const [given, done] = arguments;
  (async () => (FUNCTION)(...JSON.parse(given)))().then(
    (value) => done({ value: JSON.stringify(value) ?? "null" }), (error) => done({ error: String(error) }));
"""


def find_webkit() -> tuple[str, str]:
    """The paths of driver and browser. Raises NotHere."""
    driver = shutil.which("WebKitWebDriver")
    browser = find_mini_browser()
    if not driver or not browser:
        raise NotHere(f"there is no {'MiniBrowser' if driver else 'WebKitWebDriver'} of WebKitGTK here {INSTALL}")
    if not os.environ.get("DISPLAY") and not shutil.which("Xvfb"):
        raise NotHere(f"there is neither a display for WebKitGTK nor Xvfb to make one {INSTALL}")
    return driver, browser


class WebKit(Engine):
    name = "webkit"

    def __init__(self):
        super().__init__()
        if sys.platform != "linux":
            raise NotHere("WebKitGTK is a browser of Linux")
        driver, browser = find_webkit()
        self._display = Display()
        options = WebKitGTKOptions()
        options.binary_location = browser
        options.add_argument("--automation")
        options.set_capability("browserName", "MiniBrowser")
        options.set_capability("pageLoadStrategy", "none")  # `_arrive` waits, and listens meanwhile
        # Its downloads go where the desktop's settings say.
        (self.profile / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{self.downloads}"\n', encoding="utf-8")
        env = os.environ | {"DISPLAY": self._display.name, "XDG_CONFIG_HOME": str(self.profile)}
        try:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # selenium's, of its own ways
                self._driver = WebKitGTK(options=options, service=Service(driver, env=env))
        except BaseException:
            self._display.close()
            raise
        self._driver.set_script_timeout(ANSWER)
        self._driver.command_executor.client_config.timeout = ANSWER
        self._driver.set_window_rect(0, 0, 1200, 1040)
        self.version = self._driver.capabilities["browserVersion"]

    def open(self, url: str) -> None:
        self._leave()
        self._driver.get(url)
        self._arrive(url)

    def reload(self) -> None:
        address = self._driver.current_url
        self._leave()
        self._driver.refresh()
        self._arrive(address)

    def _leave(self) -> None:
        self.listen()
        self._driver.execute_script("window.left = true;")

    def _arrive(self, address: str) -> None:
        wait_until(lambda: self._is_at(address.partition("#")[0]), f"{address} is not loaded")

    def _is_at(self, address: str) -> bool:
        try:
            return self._driver.execute_script(LISTEN_AND_LOOK, address)
        except WebDriverException:  # asked of the document that has just gone
            return False

    def evaluate(self, function: str, *arguments: Any) -> Any:
        try:
            answer = self._driver.execute_async_script(EVALUATE.replace("FUNCTION", function), json.dumps(arguments))
        except JavascriptException as error:
            raise ScriptError(error.msg) from error
        if "error" in answer:
            raise ScriptError(answer["error"])
        return json.loads(answer["value"])

    def perform(self, actions: Sequence[dict]) -> None:
        self._driver.execute(Command.W3C_ACTIONS, {"actions": list(actions)})

    def choose_file(self, selector: str, file: Path) -> None:
        self._driver.find_element(By.CSS_SELECTOR, selector).send_keys(str(file))

    def screenshot(self, file: Path) -> None:
        file.write_bytes(self._driver.get_screenshot_as_png())

    def listen(self) -> None:
        for text in self._driver.execute_script("return window.complaints?.splice(0) ?? [];"):
            self.note(text, is_problem=True)

    def _end(self) -> None:
        self._driver.quit()
        self._display.close()
