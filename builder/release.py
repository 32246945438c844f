"""release/: what people download. The site as a zip, the single file, the Python package, the notices, and the sha256 of each.

Made of the same sources twice on one machine, it is the same to the byte: names are sorted, times are the version's date.
"""

import calendar
import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

from builder.assemble import build, package_version, swap
from builder.checks import install_packages
from builder.common import ROOT, SITE, BuildError, file_sha256, python_command, say, temporary_directory
from builder.notice import notice
from builder.runtime import read_lock, runtime_directory

RELEASE = ROOT / "release"
CHANGES = ROOT / "CHANGELOG.md"
PACKAGE_SOURCES = ("LICENSE", "README.md", "pyproject.toml", "site/py", "trainer", "weights")  # what pyproject.toml draws upon
BUILD_PYTHON_PACKAGE = ("-m", "build", "--no-isolation")  # the wheel out of the sdist, which so proves to be whole


def release(folder: Path = RELEASE) -> Path:
    """Build everything and put it into the folder, in place of what was there. Returns the folder.

    Raises BuildError if CHANGELOG.md knows nothing of the version, or the single file cannot be made.
    """
    version = package_version(SITE)
    epoch = release_time(version, CHANGES.read_text(encoding="utf-8"))
    dist = build()
    if not (dist / "inkling.html").is_file():
        raise BuildError("a release needs inkling.html, and the build says why it was not made; nothing was changed in release/")
    with temporary_directory(folder.parent) as scratch:
        new = scratch / "release"
        new.mkdir()
        shutil.copyfile(dist / "inkling.html", new / "inkling.html")
        (new / "dist.zip").write_bytes(zipped(dist, epoch))
        _python_package(new, scratch, epoch)
        lock = read_lock()
        (new / "NOTICE.txt").write_bytes(notice(lock, runtime_directory(lock)))
        sums = "".join(f"{file_sha256(path)}  {path.name}\n" for path in sorted(new.iterdir()))
        (new / "SHA256SUMS").write_text(sums, encoding="utf-8", newline="\n")
        swap(new, folder, scratch / "old")
    say(f"Version {version}:\n{sums.rstrip()}")
    return folder


def release_time(version: str, changes: str) -> int:
    """Midnight, UTC, of the version's date in the changelog, in seconds since 1970. Raises BuildError if it is not there."""
    match = re.search(rf"^## {re.escape(version)} \((\d{{4}}-\d\d-\d\d)\)$", changes, re.MULTILINE)
    if not match:
        raise BuildError(f"CHANGELOG.md has no heading '## {version} (YYYY-MM-DD)'. Write what is new in this version under it")
    return calendar.timegm(time.strptime(match[1], "%Y-%m-%d"))


def zipped(folder: Path, epoch: int) -> bytes:
    """The folder's files as a zip, without what is compressed already being compressed again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), time.gmtime(epoch)[:6])
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # as on Unix, wherever the build runs
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in (".br", ".gz", ".png", ".npz") else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def normalised(sdist: bytes, epoch: int) -> bytes:
    """A .tar.gz with its entries sorted, and without the times, owners and permissions of the machine that made it."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(sdist)) as old, tarfile.open(fileobj=unpacked, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted((member for member in old if member.isfile()), key=lambda member: member.name):
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mtime, entry.mode = member.size, epoch, 0o644
            new.addfile(entry, old.extractfile(member))
    return gzip.compress(unpacked.getvalue(), 9, mtime=epoch)


def _python_package(target: Path, scratch: Path, epoch: int) -> None:
    """Put the sdist and the wheel into target. They are made of a copy: setuptools leaves folders where it works."""
    python = install_packages(("release",))
    sources = scratch / "sources"
    for name in PACKAGE_SOURCES:
        source, copy = ROOT / name, sources / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(source, copy)
    command = [str(python), *BUILD_PYTHON_PACKAGE, "--outdir", str(target), str(sources)]
    # Neither in ROOT nor with it on Python's path: build.py there would be taken for the tool of that name.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"SOURCE_DATE_EPOCH": str(epoch)}
    run = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if run.returncode:
        raise BuildError(f"the Python package could not be made: {run.stdout[-2000:]}{run.stderr[-2000:]}\nTry again: {python_command()} build.py release")
    [sdist] = target.glob("*.tar.gz")
    sdist.write_bytes(normalised(sdist.read_bytes(), epoch))
