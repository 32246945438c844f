"""Fetching one file over HTTP: impatient with hosts that do not answer, patient with slow lines that do."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request

from tqdm import tqdm

from .files import sha256

CONNECT_SECONDS = 2.0  # name look-up and TCP together; a host that can be reached answers in tenths of a second
STALL_SECONDS = 15.0  # without a single byte, after the connection stands
CHUNK = 1 << 16  # bytes
# That Python trusts no host until its installer's last step is done, and the error does not say so.
CERTIFICATES = "If this is python.org's Python on macOS, install its certificates: run Install Certificates.command in its folder in Applications"


class FetchError(Exception):
    """One source did not give the file. unreachable: its host failed, so its other files would cost the same wait again."""

    def __init__(self, message: str, unreachable: bool = False):
        super().__init__(message)
        self.unreachable = unreachable


def fetch(url: str, max_bytes: int) -> bytes:
    """The content of url. Raises FetchError if it cannot be had, is cut short or longer than max_bytes."""
    _check_reachable(url)
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "inkling-trainer"})
        with urllib.request.urlopen(request, timeout=STALL_SECONDS) as response:
            return _read(response, url, max_bytes)
    except urllib.error.HTTPError as error:
        raise FetchError(f"HTTP {error.code} {error.reason}") from error
    except (http.client.HTTPException, OSError) as error:
        raise FetchError(_explain(getattr(error, "reason", error)), unreachable=True) from error


def checked(data: bytes, size: int, digest: str) -> bytes:
    """The data. Raises FetchError if it has another size or sha256."""
    if len(data) != size or sha256(data) != digest:
        raise FetchError(f"other content than expected ({len(data):,} bytes, sha256 {sha256(data)[:12]}..., not {size:,} bytes, {digest[:12]}...)")
    return data


def _explain(reason: Exception | str) -> str:
    if isinstance(reason, TimeoutError):
        return f"nothing came for {STALL_SECONDS:g} s"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"{reason}. {CERTIFICATES}"
    return str(reason) or type(reason).__name__


def _read(response: http.client.HTTPResponse, url: str, max_bytes: int) -> bytes:
    total = int(response.headers.get("Content-Length") or 0)
    content = bytearray()
    name = url.rpartition("/")[2]
    with tqdm(total=total or None, desc=name, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        while chunk := response.read1(CHUNK):
            content += chunk
            bar.update(len(chunk))
            if len(content) > max_bytes:
                raise FetchError(f"over {max_bytes:,} bytes came, which is no such file")
    if len(content) < total:
        raise FetchError(f"cut short: {len(content):,} of {total:,} bytes came")
    return bytes(content)


def _check_reachable(url: str) -> None:
    """Connects once, in a thread, because a name look-up has no time limit of its own."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname):
        parts = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme=parts.scheme)
    address = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    outcome: list[OSError | None] = []

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=CONNECT_SECONDS).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not outcome or isinstance(outcome[0], TimeoutError):
        raise FetchError(f"no connection to {address[0]} within {CONNECT_SECONDS:g} s", unreachable=True)
    if outcome[0] is not None:
        raise FetchError(str(outcome[0]), unreachable=True)
