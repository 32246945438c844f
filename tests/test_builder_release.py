"""A release: the same bytes when it is made again, checksums that hold, and a Python package that works away from here."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest

from builder.common import ROOT, SITE, BuildError
from builder.assemble import package_version
from builder.node import create_environment
from builder.release import CHANGES, normalised, release, release_time, zipped

VERSION = package_version(SITE)
NAMES = {"dist.zip", "inkling.html", "NOTICE.txt", "SHA256SUMS", f"inkling_digits-{VERSION}-py3-none-any.whl", f"inkling_digits-{VERSION}.tar.gz"}
DATE = 1_767_225_600  # 2026-01-01


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a release."""
    if not os.environ.get("INKLING_ALL"):
        pytest.skip("a whole release is made by: python build.py test --all")
    return release(tmp_path_factory.mktemp("first") / "release")


def test_the_changelog_has_the_date_of_this_version():
    assert release_time(VERSION, CHANGES.read_text(encoding="utf-8")) > DATE


def test_the_date_of_a_version_is_midnight_utc():
    assert release_time("1.2.3", "# Changes\n\n## 1.2.30 (2027-01-01)\n## 1.2.3 (2026-01-01)\n") == DATE


@pytest.mark.parametrize("changes", ["", "## 1.2.3\n", "## 1.2.3 (soon)\n", "## 1x2x3 (2026-01-01)\n", "## 1.2.30 (2026-01-01)\n"])
def test_a_version_without_a_date_is_not_released(changes):
    with pytest.raises(BuildError, match=r"CHANGELOG.md has no heading '## 1.2.3 \(YYYY-MM-DD\)'"):
        release_time("1.2.3", changes)


def test_a_zip_depends_on_names_and_bytes_only(tmp_path):
    made = []
    for i, order in enumerate((["b/x.js", "a.gz"], ["a.gz", "b/x.js"])):
        folder = tmp_path / str(i)
        for name in order:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(name.encode() * 100)
            os.utime(folder / name, (DATE + 1000 * i, DATE + 1000 * i))
            (folder / name).chmod(0o600 + i)
        made.append(zipped(folder, DATE))
    assert made[0] == made[1]
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert [(entry.filename, entry.date_time, entry.external_attr >> 16) for entry in archive.infolist()] == [
            ("a.gz", (2026, 1, 1, 0, 0, 0), 0o100644), ("b/x.js", (2026, 1, 1, 0, 0, 0), 0o100644)]  # fmt: skip
        assert archive.read("b/x.js") == b"b/x.js" * 100


def test_an_sdist_keeps_its_files_and_loses_the_machine_that_made_it():
    def sdist(names, mtime):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name in names:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime, entry.uid, entry.uname, entry.mode = len(name), mtime, mtime, "somebody", 0o600
                archive.addfile(entry, io.BytesIO(name.encode()))
        return buffer.getvalue()

    first, second = normalised(sdist(["p/b", "p/a"], 1000), DATE), normalised(sdist(["p/a", "p/b"], 2000), DATE)
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        assert [(entry.name, entry.mtime, entry.uid, entry.uname, entry.mode) for entry in archive] == [
            ("p/a", DATE, 0, "", 0o644), ("p/b", DATE, 0, "", 0o644)]  # fmt: skip
        assert archive.extractfile("p/b").read() == b"p/b"
    assert gzip.decompress(first)


def test_a_release_made_twice_is_the_same_to_the_byte(made, tmp_path):
    first, second = contents(made), contents(release(tmp_path / "release"))
    assert set(first) == NAMES
    assert {name: hashlib.sha256(data).hexdigest() for name, data in first.items()} == {name: hashlib.sha256(data).hexdigest() for name, data in second.items()}


def test_the_checksums_are_those_of_the_files(made):
    files = contents(made)
    listed = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def test_the_zip_is_the_whole_site_and_the_notice_names_all_in_it(made):
    with zipfile.ZipFile(made / "dist.zip") as archive:
        names = archive.namelist()
        [runtime] = {name.partition("/")[0] for name in names if name.startswith("runtime-")}
        assert {"index.html", "sw.js", "_headers", "js/inkling.js", "js/digit-recognizer.js", "inkling.html"} <= set(names)
        assert archive.read("inkling.html") == (made / "inkling.html").read_bytes()
        assert archive.read(f"{runtime}/NOTICE.txt") == (made / "NOTICE.txt").read_bytes()
    text = (made / "NOTICE.txt").read_text(encoding="utf-8")
    files = {name.rpartition("/")[2] for name in names if name.startswith(("runtime-", "heap-")) and not name.endswith((".br", ".gz"))}
    assert {name for name in files if name not in text} == {"NOTICE.txt"}
    for licence in ("Mozilla Public License Version 2.0", "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2", "NumPy Developers", "MIT License"):
        assert licence in text, licence


@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_the_package_installs_into_an_empty_environment_and_reads_a_digit(made, tmp_path, pattern):
    [package] = made.glob(pattern)
    python = create_environment(tmp_path / "environment")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(package)], check=True, cwd=tmp_path)
    ink = np.zeros((280, 280), np.uint8)
    ink[40:240, 130:150] = 255
    np.save(tmp_path / "ink.npy", ink)
    program = "import json, numpy, inkling\nfrom inkling.shipped import read\nanswer = read(numpy.load('ink.npy'))\n"
    program += "print(json.dumps([inkling.__version__, inkling.__file__, answer['text'], answer['model']]))"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run([str(python), "-c", program], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    version, file, *answer = json.loads(run.stdout)
    assert (version, answer) == (VERSION, ["1", "convnet"])
    assert file.startswith(str(tmp_path)) and not file.startswith(str(ROOT))
    listed = subprocess.run([str(python), "-m", "trainer", "models"], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert listed.returncode == 0 and "convnet" in listed.stdout, listed.stderr
