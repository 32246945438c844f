"""What is removed from the per-user cache: snapshots but the newest, compressed files that nothing has used for long."""

import os
import time

import pytest

from builder import cache, compress, snapshot
from builder.cache import DAY, keep_newest, remove_unused, used
from builder.compress import compress_tree, gzip_sizes, gzipped


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def age(path, days: float) -> None:
    """As if it had been used last that long ago."""
    os.utime(path, (time.time() - days * DAY,) * 2)


def test_the_folders_used_last_are_kept(tmp_path):
    for i in range(8):
        (tmp_path / f"s{i}").mkdir()
        (tmp_path / f"s{i}" / "heap.bin").touch()
        age(tmp_path / f"s{i}", i + 1)
    (tmp_path / ".new-x").mkdir()  # another build is at work in it
    age(tmp_path / ".new-x", 100)
    assert used(tmp_path / "s7") and not used(tmp_path / "s8")
    keep_newest(tmp_path, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"s7", "s0", "s1", ".new-x"}


def test_what_another_build_has_removed_meanwhile_is_no_error(tmp_path, monkeypatch):
    gone = [tmp_path / "gone", tmp_path / "gone too"]
    monkeypatch.setattr(cache.Path, "iterdir", lambda _: iter(gone))
    monkeypatch.setattr(cache.Path, "is_dir", lambda _: True)
    monkeypatch.setattr(cache.Path, "is_file", lambda _: True)
    monkeypatch.setattr(cache, "_last_use", lambda _: 0)
    keep_newest(tmp_path, 1)
    remove_unused(tmp_path, 1)


def test_five_snapshots_are_kept_and_one_that_is_used_again_is_none_of_the_old(tmp_path, monkeypatch, empty_cache):
    def run_node(tool, *arguments):
        for name in (snapshot.HEAP, snapshot.SCRIPT, *snapshot.LIBRARIES):
            (arguments[-1] / name).write_bytes(b"x")

    monkeypatch.setattr(snapshot, "run_node", run_node)
    monkeypatch.setattr(snapshot, "_as_shipped", lambda _, folder: folder.parent)
    monkeypatch.setattr(snapshot, "make_halves", lambda *_: dict.fromkeys(snapshot.HALVES, b"x"))
    packs = {name: tmp_path / name for name in ("python_stdlib.zip", "numpy.zip", "inkling.zip")}
    for path in packs.values():
        path.touch()

    def make(weights: bytes):
        return snapshot.make_snapshot({"abi": "1"}, tmp_path, packs, "convnet", weights)[snapshot.HEAP].parent

    folders = []
    for i in range(5):
        folders.append(make(bytes([i])))
        age(folders[-1], 9 - i)
    assert make(bytes([0])) == folders[0]  # used again
    newest = make(b"new")
    assert set((empty_cache / "snapshots").iterdir()) == {newest, folders[0], *folders[2:]}


def test_compressed_files_go_when_nothing_has_used_them_for_a_month(tmp_path, empty_cache):
    site = tmp_path / "site"
    site.mkdir()
    (site / "page.js").write_bytes(b"export const digit = 7;\n" * 100)
    compress_tree(site)
    kept = set((empty_cache / "compressed").iterdir())
    assert {path.suffix for path in kept} == {".gz", f".br{compress.BEST}-{compress.WINDOW}"}
    for path in kept:
        age(path, compress.KEPT + 1)
    gzipped(b"another")
    [other] = set((empty_cache / "compressed").iterdir()) - kept
    age(other, compress.KEPT + 1)
    compress_tree(site)
    assert set((empty_cache / "compressed").iterdir()) == kept


def test_of_a_gz_only_that_it_is_there_is_told():
    noise = os.urandom(compress.LARGE)
    files = {"a.zip": bytes(compress.LARGE), "b.zip": noise, "c.zip": b"small", "d.js": bytes(compress.LARGE)}
    assert gzip_sizes(files) == {"a.zip": True}
