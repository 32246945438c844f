"""dist/ on a host that sends some of its files wrong, in all the ways in which files come wrong; and a copy of dist/ that waits less long."""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import threading
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

from serving import serving

from builder.server import TYPES, Handler

BYTES = "application/octet-stream"
# Of a page that waits less long for what stalls: name -> [(what, seconds as it is, seconds here)].
HASTE = {
    "ahead.js": [("STALLED_AFTER=", 30, 5), ("patience=", 30, 5), ("LOADING_PATIENCE=", 60, 12), (r"\bPATIENCE\d*=", 20, 8)],
    "worker.js": [("STALLED_AFTER=", 30, 5), ("LESSONS_PATIENCE=", 15, 5)],
    "downloads.js": [("STALLED_AFTER = ", 30, 5)],
    "errors.js": [("patience = ", 30, 5)],
    "engine.js": [("LOADING_PATIENCE = ", 60, 12), (r"\bPATIENCE = ", 20, 8)],
}


def missing(answer: Answer) -> None:
    answer.send(404, b"404 Not Found", "text/plain")


def page_instead(answer: Answer) -> None:
    """As a hotel's network answers, and a host that sends its front page for what it does not know."""
    answer.send(200, b"<!doctype html><title>Sign in</title>", "text/html")


def untyped(answer: Answer) -> None:
    answer.send(200, answer.data, BYTES)


def truncated(answer: Answer) -> None:
    """As a broken upload left it."""
    answer.send(200, answer.data[: 2 * len(answer.data) // 3])


def corrupted(answer: Answer) -> None:
    middle = len(answer.data) // 2
    answer.send(200, answer.data[:middle] + bytes(byte ^ 0x55 for byte in answer.data[middle : middle + 64]) + answer.data[middle + 64 :])


def swapped(answer: Answer) -> None:
    """Whole, and of another build: a script that knows other folders; of all else, what lies next to it."""
    if answer.file.suffix in (".js", ".html"):
        return answer.send(200, re.sub(rb"(app|runtime|heap|data)-[0-9a-f]{10}", rb"\1-0123456789", answer.data) + b"\n")
    alike = sorted(path for path in answer.file.parent.iterdir() if path.suffix == answer.file.suffix)
    other = alike[alike.index(answer.file) - 1]
    answer.send(200, other.read_bytes() if other != answer.file else answer.data.replace(b"a", b"e"))


def unreachable(answer: Answer) -> None:
    answer.hang_up()


def cut_off(answer: Answer) -> None:
    """Half of it comes, then the host hangs up."""
    answer.send(200, answer.data, part=0.5)
    answer.hang_up()


def stalled(answer: Answer) -> None:
    """Half of it comes, then nothing more."""
    answer.send(200, answer.data, part=0.5)
    answer.handler.server.over.wait()
    answer.hang_up()


AT_ONCE = (missing, page_instead, untyped, truncated, corrupted, swapped, unreachable, cut_off)
ALL = (*AT_ONCE, stalled)


class Answer:
    """To a request for a file that is to come wrong."""

    def __init__(self, handler: Handler, file: Path):
        self.handler, self.file = handler, file

    @property
    def data(self) -> bytes:
        return self.file.read_bytes()

    def send(self, status: int, body: bytes, kind: str | None = None, *, part: float = 1) -> None:
        """Nothing of it may stay in the browser's cache: it is to come wrong as long as the host sends it wrong, and no longer."""
        handler = self.handler
        handler.send_response(status)
        fields = {"Content-Type": kind or TYPES.get(self.file.suffix, BYTES), "Cache-Control": "no-store", "Content-Length": str(len(body))}
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body[: int(part * len(body))])
            handler.wfile.flush()

    def hang_up(self) -> None:
        self.handler.close_connection = True
        with suppress(OSError):  # the page may have done so before
            self.handler.connection.shutdown(socket.SHUT_RDWR)


class FaultyHandler(Handler):
    """`server.faults`: path -> what sends it; that goes for the .gz of the file, too. `server.asked`: the paths so far. `server.pages`: path -> text."""

    def do_GET(self):
        path = self._relative_path() or ""
        if path in self.server.pages:
            return self.send_whole(HTTPStatus.OK, self.server.pages[path].encode(), {"Content-Type": TYPES[".html"]})
        name = (path or "index.html").removesuffix(".gz")
        self.server.asked.add(name)
        fault = self.server.faults.get(name)
        return fault(Answer(self, self.server.directory / name)) if fault else super().do_GET()

    do_HEAD = do_GET


@contextmanager
def faulty(folder: Path):
    """Serves a folder; yields the server."""
    with serving(folder) as server:
        server.RequestHandlerClass = FaultyHandler
        server.faults, server.asked, server.pages, server.over = {}, set(), {}, threading.Event()
        yield server
        server.over.set()


def hasty(dist: Path, copy: Path) -> Path:
    """A copy that waits as many seconds as HASTE says."""
    shutil.copytree(dist, copy)
    for name, changes in HASTE.items():
        [file] = copy.glob(f"app-*/js/{name}")
        text = file.read_text(encoding="utf-8")
        for what, seconds, fewer in changes:
            text, times = re.subn(rf"({what})({seconds}_000|{seconds}e3|{seconds // 10}e4)\b", rf"\g<1>{fewer}000", text)
            assert times == 1, f"{name} has {times} times {what}"
        file.write_text(text, encoding="utf-8")
        file.with_name(f"{name}.br").unlink()
        file.with_name(f"{name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    return copy
