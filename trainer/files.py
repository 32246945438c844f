"""Where things lie, and writing a file so that no half of it is ever seen."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from trainer import ROOT

IN_PROJECT = (ROOT / "weights").is_dir()  # else installed: one network came with the package, and what is made goes where the person is
WEIGHTS = ROOT / "weights" if IN_PROJECT else ROOT / "inkling" / "networks"
RUNS = (ROOT if IN_PROJECT else Path.cwd()) / "runs"


def cache_directory() -> Path:
    """The folder for what costs time or network to fetch again; INKLING_CACHE overrides the system's usual place."""
    if chosen := os.environ.get("INKLING_CACHE"):
        return Path(chosen).expanduser().resolve()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "inkling"


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file with a temporary name; renamed to path when the block ends well, removed otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(name, 0o644)  # mkstemp gives 0600, which would keep a web server from reading the weights
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, document: object) -> None:
    """A JSON file that a person can read, too."""
    with atomic_file(path) as file:
        file.write((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())


def sha256(data: bytes) -> str:
    """Hash in hex."""
    return hashlib.sha256(data).hexdigest()


def same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to one file, by links, or on a disk that takes "A.json" for "a.json"."""
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def shown(path: Path) -> Path:
    """The path as one would type it here."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
