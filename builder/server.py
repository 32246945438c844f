"""dist/ on this machine as a good static host would serve it: types, caching, compression, the page's security policy.

For looking and testing only; it listens on 127.0.0.1 and nowhere else, unless --host asks for it (a container must).
"""

import errno
import os
import socketserver
import sys
import threading
import webbrowser
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from builder.assemble import build
from builder.common import DIST, BuildError, python_command, say
from builder.headers import ATTACHMENT, IMMUTABLE, REVALIDATE, SECURITY, STABLE_NAMES
from builder.watch import Watcher

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # the better first
LOOPBACK = "127.0.0.1"
PORTS_TRIED = 50  # from the one asked for upwards


class Server(ThreadingHTTPServer):
    """Serves `directory` under the path `prefix`; `watcher`, if there is one, adds its own few answers."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share a port

    def __init__(self, host: str, port: int, directory: Path, prefix: str, watcher: Watcher | None):
        self.directory, self.prefix, self.watcher = Path(directory), prefix, watcher
        super().__init__((host, port), Handler)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # HTTPServer's own looks up the machine's name, which can take seconds
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}{self.prefix}"


def make_server(directory, prefix: str = "/", port: int = 0, watcher: Watcher | None = None, host: str = LOOPBACK) -> Server:
    """A server that listens already; the caller runs serve_forever() and shutdown(). Port 0 takes any free one.

    prefix: "/" or a folder such as "/tools/inkling/", to try a host that serves the site under a sub-path.
    Raises OSError if the port is taken.
    """
    return Server(host, port, directory, "/" + prefix.strip("/") + "/" if prefix.strip("/") else "/", watcher)


def serve(port: int, *, open_page: bool, watch: bool, host: str = LOOPBACK, dist: Path = DIST) -> int:
    """Build, serve and open the site until Ctrl-C."""
    build(compress=False)  # on one's own machine there is nothing to save
    say(f"dist/ is without .br and .gz now; before you copy it to a host, run: {python_command()} build.py")
    watcher = Watcher(lambda: build(compress=False)) if watch else None
    server = _first_free(port, dist, watcher, host)
    if server.server_port != port:
        say(f"Port {port} is taken; using {server.server_port}")
    say(f"Inkling is at {server.url}  (Ctrl-C ends it)")
    if watcher:
        threading.Thread(target=watcher.run, daemon=True).start()
        say("Watching site/ and weights/")
    if open_page:
        threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("\nEnded")
    finally:
        server.server_close()
    return 0


def _first_free(port: int, directory: Path, watcher: Watcher | None, host: str = LOOPBACK) -> Server:
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        try:
            return make_server(directory, port=candidate, watcher=watcher, host=host)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise BuildError(f"cannot listen on {host}: {error.strerror}. Name an address of this machine with --host") from error
    raise BuildError(f"no free port from {port} to {candidate}. Name another with --port")


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    protocol_version = "HTTP/1.1"  # keeps connections open: the page loads forty small files
    timeout = 60  # seconds until an idle connection is given up
    disable_nagle_algorithm = True  # head and body are two writes: else the second waits 40 ms for the first to be acknowledged
    server: Server

    def do_GET(self):
        path = self._relative_path()
        if path is None:
            return self._fail(HTTPStatus.NOT_FOUND)
        if self.server.watcher and self.server.watcher.answer(self, path):
            return None
        file = self._file(path)
        if file is None:
            return self._fail(HTTPStatus.NOT_FOUND)
        if file.is_dir():
            if path and not path.endswith("/"):
                return self._redirect(f"{self.server.prefix}{path}/")
            file, path = file / "index.html", path + "index.html"
        try:
            return self._send_file(file, path)
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            return self._fail(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET

    def _relative_path(self) -> str | None:
        """The path below the prefix; None if it lies outside or the address is none."""
        try:
            path = unquote(urlsplit(self.path).path)
        except ValueError:
            return None
        return path.removeprefix(self.server.prefix) if path.startswith(self.server.prefix) else None

    def _file(self, path: str) -> Path | None:
        """The file or folder of that path; None if there is none, for what leaves the directory and for what hosts keep to themselves."""
        if "\\" in path or "\0" in path or ":" in path or path == "_headers":
            return None
        root = self.server.directory.resolve()
        try:
            file = (root / path.lstrip("/")).resolve()
            return file if file.is_relative_to(root) and file.exists() else None
        except (OSError, ValueError):  # no file can have such a name: it is too long, say
            return None

    def _send_file(self, file: Path, path: str):
        encoding, chosen = self._best_encoding(file)
        information = chosen.stat()
        tag = f'"{information.st_mtime_ns:x}-{information.st_size:x}-{encoding}"'
        headers = {
            "Cache-Control": IMMUTABLE if _is_hashed(path) else REVALIDATE,
            "ETag": tag,
            "Last-Modified": formatdate(information.st_mtime, usegmt=True),
            "Vary": "Accept-Encoding",
        } | ATTACHMENT.get(path, {})
        if self.headers.get("If-None-Match") == tag:
            return self.send_whole(HTTPStatus.NOT_MODIFIED, None, headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        headers["Content-Type"] = TYPES.get(file.suffix, "application/octet-stream")
        return self.send_whole(HTTPStatus.OK, chosen.read_bytes(), headers)

    def _best_encoding(self, file: Path) -> tuple[str, Path]:
        accepted = _accepted_encodings(self.headers.get("Accept-Encoding", ""))
        for name, suffix in ENCODINGS:
            beside = file.with_name(file.name + suffix)
            if name in accepted and beside.is_file():
                return name, beside
        return "", file

    def _redirect(self, address: str):
        self.send_whole(HTTPStatus.MOVED_PERMANENTLY, b"", {"Location": address})

    def _fail(self, status: HTTPStatus):
        self.send_whole(status, f"{status.value} {status.phrase}\n".encode(), {"Content-Type": TYPES[".txt"], "Cache-Control": REVALIDATE})

    def send_whole(self, status: HTTPStatus, body: bytes | None, headers: dict[str, str]):
        """Send a whole answer; body None means that the status has none."""
        self.send_response(status)
        for name, value in (SECURITY | headers).items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(body)

    def log_error(self, format, *args):  # what http.server calls when a connection is given up
        if not (args and isinstance(args[0], TimeoutError)):
            super().log_error(format, *args)

    def log_request(self, code="-", size="-"):
        if isinstance(code, HTTPStatus) and code >= 400:
            super().log_request(code.value, size)


def _is_hashed(path: str) -> bool:
    """Whether the path lies in one of the folders that are named by their content: all that has no stable name does."""
    return PurePosixPath(path).as_posix() not in STABLE_NAMES and path.startswith(("app-", "runtime-", "heap-", "data-"))


def _accepted_encodings(header: str) -> set[str]:
    """The encodings that an Accept-Encoding header allows: "gzip, br;q=0" -> {"gzip"}."""
    accepted = set()
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(name.strip())
    return accepted
