"""What every step needs: where things lie, one kind of error, and writing a file so that no half of it is ever seen."""

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "site"
DIST = ROOT / "dist"


class BuildError(Exception):
    """Something a person can act on; its text is the whole message that build.py prints."""


def python_command() -> str:
    """What to type for this Python, for advice: its name if that leads to it, else Windows' launcher, else its path."""
    name = Path(sys.executable).name.removesuffix(".exe")
    found = shutil.which(name)
    if found and os.path.samefile(found, sys.executable):
        return name
    if sys.platform == "win32" and shutil.which("py"):
        return "py"
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable


def say(message: str) -> None:
    """Print one line about progress, at once even when the output is a pipe."""
    print(message, flush=True)


def cache_directory() -> Path:
    """The folder for what costs time or network to make again; INKLING_CACHE overrides the system's usual place."""
    if chosen := os.environ.get("INKLING_CACHE"):
        return Path(chosen).expanduser().resolve()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "inkling"


def decode(data: bytes, name: str) -> str:
    """The text of a file of site/. Raises BuildError if it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BuildError(f"site/{name}, line {line}: is not UTF-8. Save the file in that encoding") from error


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


PIECE = 2**20  # bytes


def sha256_of_pieces(data: bytes, size: int = PIECE) -> str:
    """The hash of the hashes of pieces of so many bytes: whoever receives a large file can check it while it comes."""
    view = memoryview(data)
    return sha256(b"".join(hashlib.sha256(view[start:start + size]).digest() for start in range(0, len(data), size)))


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def temporary_directory(parent: Path):
    """A new folder inside parent, so that what is made in it can be renamed into place; removed afterwards."""
    with disk_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_file(path: Path):
    """Yield a binary file with a temporary name; rename it to path when the block ends well, remove it otherwise."""
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            os.chmod(name, 0o644)  # mkstemp's 0600 would keep a web server of another user from reading it
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def disk_errors(folder: Path):
    """Turn what a full or read-only disk raises into a BuildError that names the folder and the way out.

    Only the cache can be moved by INKLING_CACHE; dist/ lies in the project.
    """
    try:
        yield
    except OSError as error:
        elsewhere = "name another folder in INKLING_CACHE" if folder.is_relative_to(cache_directory()) else "copy the project to another place"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BuildError(f"{folder}: the disk is full. Free some space, or {elsewhere}") from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise BuildError(f"{folder}: may not be written ({error.strerror}). Make it writable, or {elsewhere}") from error
        raise
