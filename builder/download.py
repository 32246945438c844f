"""Fetching one file over HTTP: impatient with hosts that do not answer, patient with slow lines that do."""

import hashlib
import http.client
import socket
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from builder.common import atomic_file

CONNECT_SECONDS = 2.0  # name look-up and TCP together; a host that can be reached answers in tenths of a second
STALL_SECONDS = 15.0  # without a single byte, after the connection stands
CHUNK = 1 << 16  # bytes between two looks at the clock
# That Python trusts no host until its installer's last step is done, and the error does not say so.
CERTIFICATES = "If this is python.org's Python on macOS, install its certificates: run Install Certificates.command in its folder in Applications"


class FetchError(Exception):
    """One source did not give the file. `unreachable`: the host failed, so that its other files would cost the same wait again."""

    def __init__(self, message: str, unreachable: bool = False):
        super().__init__(message)
        self.unreachable = unreachable


def fetch(url: str, path: Path, size: int, sha256: str) -> None:
    """Download url to path, which appears only once all `size` bytes are there and their hash is `sha256`.

    Raises FetchError (refused, timed out, 404, cut short, wrong content) and BuildError (disk full).
    """
    name = url.rsplit("/", 1)[-1]
    digest, received = hashlib.sha256(), 0
    with atomic_file(path) as file:
        try:
            with _open(url) as response, Bar(name, size) as bar:
                while chunk := response.read1(CHUNK):
                    received += len(chunk)
                    if received > size:
                        break
                    digest.update(chunk)
                    file.write(chunk)
                    bar.show(received)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
            raise FetchError(_explain(error), not isinstance(error, urllib.error.HTTPError)) from error
        if received != size:
            raise FetchError(f"{'over ' if received > size else ''}{min(received, size):,} bytes came instead of {size:,}")
        if digest.hexdigest() != sha256:
            raise FetchError(f"other content than expected (sha256 {digest.hexdigest()[:12]}…, not {sha256[:12]}…)")


class Bar:
    """A progress bar on stderr, redrawn five times a second; silent when nobody watches."""

    def __init__(self, name: str, total: int):
        self.name, self.total, self.next_draw = name, total, 0.0
        self.visible = sys.stderr.isatty()

    def __enter__(self):
        return self

    def show(self, done: int) -> None:
        now = time.monotonic()
        if not self.visible or (now < self.next_draw and done < self.total):
            return
        self.next_draw = now + 0.2
        filled = 24 * done // self.total
        text = f"\r{self.name[:28]:28} [{'#' * filled}{'.' * (24 - filled)}] {done / 1e6:5.1f} of {self.total / 1e6:.1f} MB"
        sys.stderr.write(text)
        sys.stderr.flush()

    def __exit__(self, *_):
        if self.visible and self.next_draw:
            sys.stderr.write("\n")


def _open(url: str):
    """urllib's opener (so that proxies and redirects work) over connections with two separate time limits."""

    def connect(address, *_unused, **_unused_too):
        connection = _connect(address, CONNECT_SECONDS)
        connection.settimeout(STALL_SECONDS)
        return connection

    def make(kind):
        def connection(host, **options):
            made = kind(host, **options)
            made._create_connection = connect  # http.client's own seam; the public timeout is per address and per read
            return made

        return connection

    class Http(urllib.request.HTTPHandler):
        def http_open(self, request):
            return self.do_open(make(http.client.HTTPConnection), request)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, request):
            return self.do_open(make(http.client.HTTPSConnection), request, context=ssl.create_default_context())

    request = urllib.request.Request(url, headers={"User-Agent": "inkling-build"})
    return urllib.request.build_opener(Http, Https).open(request)


def _connect(address, seconds: float) -> socket.socket:
    """Connect within `seconds` altogether. In a thread, because a name look-up has no time limit of its own."""
    outcome = []

    def attempt():
        try:
            outcome.append(socket.create_connection(address, timeout=seconds))
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError(f"no connection to {address[0]} within {seconds:g} s")
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return outcome[0]


def _explain(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"{reason}. {CERTIFICATES}"
    if isinstance(reason, TimeoutError) and "connection" not in str(reason):
        return f"nothing came for {STALL_SECONDS:g} s"
    if isinstance(error, http.client.IncompleteRead):
        return f"cut short after {len(error.partial):,} bytes"
    return str(reason) or type(reason).__name__
