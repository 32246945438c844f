"""The preview server as a benchmark needs it: it counts what it sends, and can pretend that it lies at the end of a slow line.

The line is a plain one: so many megabits a second shared by all connections, one round trip before a connection opens and one before each
answer begins, and gzip as the only compression. HTTP/1.1 with the browser's six connections; no TCP slow start, no losses, no TLS.
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from builder.server import Handler, make_server

PART = 8192  # bytes that are sent in one go: 3 ms at 20 Mbit/s, so that connections take turns
BURST = 0.02  # seconds that a line may catch up on when a thread has overslept


@dataclass
class Line:
    """megabits: per second, for all connections together.   latency: seconds of one round trip."""

    megabits: float
    latency: float
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_through(self, n_bytes: int) -> None:
        """Wait as long as that many bytes take, after those that are under way already."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - BURST) + n_bytes * 8 / (self.megabits * 1e6)
            wait = self._free_at - now
        if wait > 0:
            time.sleep(wait)


class Slowly:
    """A connection's output that goes through a line."""

    def __init__(self, file, line: Line):
        self._file, self._line = file, line

    def write(self, data) -> int:
        for start in range(0, len(data), PART):
            part = data[start : start + PART]
            self._line.pass_through(len(part))
            self._file.write(part)
        return len(data)

    def __getattr__(self, name: str):
        return getattr(self._file, name)


class MeteredHandler(Handler):
    """Answers as the preview server does; `server.line` may slow it down, `server.sent` is [path, bytes of the body] of each answer."""

    def setup(self):
        super().setup()
        if self.server.line:
            time.sleep(self.server.line.latency)
            self.wfile = Slowly(self.wfile, self.server.line)

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.server.line:
            del self.headers["Accept-Encoding"]
            self.headers["Accept-Encoding"] = "gzip"
            time.sleep(self.server.line.latency)
        return True

    def send_whole(self, status: HTTPStatus, body: bytes | None, headers: dict[str, str]):
        super().send_whole(status, body, headers)
        if body and self.command != "HEAD":
            self.server.sent.append((self.path, len(body)))


@contextmanager
def metered(directory: Path, extra, line: Line | None = None):
    """The URL of a directory served by MeteredHandler. extra: as for chromium.served."""
    server = make_server(directory, watcher=extra)
    server.RequestHandlerClass, server.line, server.sent = MeteredHandler, line, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
