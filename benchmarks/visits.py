"""One visit to a page by a browser of its own, without anything attached to it: the page itself tells the server what it found.

DevTools and drivers slow workers down, and WebDriver sessions of some engines lack a cache or service workers.
"""

import json
import os
import queue
import subprocess
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from chromium import QUIET, browser_path
from our_pages import START

from builder.browsers import Display, find_firefox, find_mini_browser, firefox_preferences
from builder.common import BuildError

PATIENCE = 180  # seconds for one visit
ENGINES = ("chromium", "firefox", "webkit")
UNKEPT = {"Content-Type": "text/html", "Cache-Control": "no-store"}


class Reports:
    """What the server answers besides files. `results` keeps what each visit reports, with the bytes that were sent for it.

    __start?PAGE goes on to a page; __answered marks the moment of the first answer; __report?JSON ends the visit.
    """

    def __init__(self):
        self.results: queue.Queue = queue.Queue()
        self._before: list[tuple[str, int]] = []

    def answer(self, handler, path: str) -> bool:
        if path not in ("__start", "__answered", "__report"):
            return False
        given = unquote(handler.path.partition("?")[2])
        sent = handler.server.sent
        if path == "__start":
            sent.clear()
            # Connection: close, so that opening a connection belongs to the visit.
            handler.send_whole(HTTPStatus.OK, START.format(url=given).encode(), UNKEPT | {"Connection": "close"})
            return True
        if path == "__answered":
            self._before = list(sent)
        else:
            self.results.put(json.loads(given) | {"sent_before": _files(self._before), "sent_after": _files(sent[len(self._before) :])})
        handler.send_whole(HTTPStatus.OK, b"", UNKEPT)
        return True


def _files(sent: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The files of the site among what was sent."""
    return [(path, size) for path, size in sent if not path.startswith("/__")]


class NoAnswer(Exception):
    """Nothing came from a visit: the browser itself hung, or the page without a word."""


def visit(engine: str, profile: Path, start: str, reports: Reports) -> dict:
    """Open the address `start`, which goes on to a page, in a new browser; return what that reports.

    Raises NoAnswer if nothing comes, and SystemExit if the page reports an error.
    """
    profile.mkdir(parents=True, exist_ok=True)
    reports.results = queue.Queue()  # what a browser that was given up has reported after all is not this visit's
    command, environment = _command(engine, profile, start)
    browser = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        result = reports.results.get(timeout=PATIENCE)
    except queue.Empty:
        raise NoAnswer(f"{start} gave no answer within {PATIENCE} s in {engine}") from None
    finally:
        browser.terminate()
        try:
            browser.wait(20)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
    if "error" in result:
        raise SystemExit(f"{start} could not answer in {engine}: {result['error']}")
    return result


def _command(engine: str, profile: Path, url: str) -> tuple[list[str], dict[str, str]]:
    """How a browser is started with a profile: the command, and variables for its environment."""
    if engine == "firefox":
        firefox_preferences(profile)
        return [binary("firefox"), "--headless", "--no-remote", "--profile", str(profile), url], {}
    if engine == "webkit":
        folders = {name: str(profile / name) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        return [binary("webkit"), url], folders | {"LIBGL_ALWAYS_SOFTWARE": "1"}
    return [browser_path(), "--headless", *QUIET, f"--user-data-dir={profile}", url], {}


def binary(engine: str) -> str:
    """The path of an engine's browser. Raises SystemExit, with what to install."""
    if engine == "chromium":
        return browser_path()
    if not (found := find_firefox() if engine == "firefox" else find_mini_browser()):
        packages = {"firefox": "firefox-esr", "webkit": "webkit2gtk-driver xvfb"}[engine]
        raise SystemExit(f"There is no browser for --engine {engine}. On Debian and Ubuntu: apt install {packages}")
    return found


@contextmanager
def screen(engine: str):
    """A display for WebKitGTK, which has no headless mode, unless there is one."""
    if engine != "webkit" or os.environ.get("DISPLAY"):
        yield
        return
    try:
        display = Display()
    except BuildError as error:
        raise SystemExit(str(error)) from error
    os.environ["DISPLAY"] = display.name
    try:
        yield
    finally:
        del os.environ["DISPLAY"]
        display.close()
