"""What the tests ask of a browser, whichever it is; and what all three have in common."""

from __future__ import annotations

import atexit
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

START = 60  # s until a browser must have said where it listens; it takes one or two
ANSWER = 180  # s for one command: two hundred predictions in a page, on a busy machine
STEP = 0.05  # s between two looks

# Whether the document of that address is here and loaded: neither the one before, which was marked, nor the empty one that
# an engine shows in between.
ARRIVED = "(address) => !window.left && location.href.split('#')[0] === address && document.readyState === 'complete'"


class NotHere(Exception):
    """This machine has no such browser; the message says what to install."""


class ScriptError(Exception):
    """A script in the page threw."""


class Engine:
    """One browser with one tab, open for the whole session, with a fresh profile."""

    name = ""
    touch = False  # whether its driver has fingers
    version = ""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix=f"inkling-{self.name}-", ignore_cleanup_errors=True)
        self.profile = Path(self._folder.name) / "profile"
        self.downloads = Path(self._folder.name) / "downloads"
        for folder in (self.profile, self.downloads):
            folder.mkdir()
        self.log: list[str] = []
        self._problems: list[str] = []

    def open(self, url: str) -> None:
        """Go there and wait until the document is loaded."""
        raise NotImplementedError

    def reload(self) -> None:
        raise NotImplementedError

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """What a JavaScript function, sync or async, returns for these arguments; all of it plain JSON values.

        Raises ScriptError with what it threw.
        """
        raise NotImplementedError

    def perform(self, actions: Sequence[dict]) -> None:
        """Real input events: the action sources of WebDriver's "Perform Actions", positions in CSS px of the viewport."""
        raise NotImplementedError

    def choose_file(self, selector: str, file: Path) -> None:
        """Put a file into an <input type="file">, as its dialog would."""
        raise NotImplementedError

    def screenshot(self, file: Path) -> None:
        raise NotImplementedError

    def listen(self) -> None:
        """Take in what the browser has said meanwhile."""
        raise NotImplementedError

    def close(self) -> None:
        """End the browser; its profile and what was saved go with it."""
        self._end()
        self._folder.cleanup()

    def _end(self) -> None:
        raise NotImplementedError

    def note(self, text: str, *, is_problem: bool) -> None:
        self.log.append(text)
        if is_problem:
            self._problems.append(text)

    def problems(self) -> list[str]:
        """Console errors, uncaught errors and policy violations since the last call."""
        self.listen()
        found, self._problems = self._problems, []
        return found


class Program:
    """A browser's process, and the lines that it prints."""

    def __init__(self, command: Sequence[str | Path], env: dict[str, str] | None = None):
        self.said: list[str] = []
        self._process = subprocess.Popen([str(part) for part in command], env=env, text=True, errors="replace",
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self.stop)  # also when what follows fails before there is an engine to close

    def _read(self) -> None:
        for line in self._process.stderr:  # to its end: a full pipe would stop the browser
            self.said.append(line.rstrip())

    def wait_for(self, pattern: str) -> str:
        """The first group of the pattern in the first line that has it."""
        end = time.monotonic() + START
        while time.monotonic() < end:
            for line in list(self.said):
                if found := re.search(pattern, line):
                    return found[1]
            if self._process.poll() is not None:
                break
            time.sleep(STEP)
        self.stop()
        raise RuntimeError(f"{self._process.args[0]} did not start: {' / '.join(self.said[-5:]) or 'it said nothing'}")

    def stop(self) -> None:
        """End it, if it has not ended by itself."""
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(1)


def wait_until(look, what: str, seconds: float = 60):
    """The first true value that `look` returns; it is asked again and again. Raises AssertionError with the last one if none comes."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"{what}: still not after {seconds} s"
        time.sleep(STEP)
    return seen
