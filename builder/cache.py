"""What lies in the per-user cache and is not wanted any more: it is removed by when it was last used.

Two builds may do this at once, and the cache may be read-only: what has gone already, or may not be touched, is no error.
"""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

DAY = 86_400  # seconds


def used(path: Path) -> bool:
    """Whether the file or folder is there; if so, it counts as used now."""
    if not path.exists():
        return False
    with suppress(OSError):
        os.utime(path)
    return True


def keep_newest(parent: Path, n: int) -> None:
    """Remove all folders in parent but the n that were used last. Those that a build is at work in have names with a dot first."""
    folders = [path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for folder in sorted(folders, key=_last_use, reverse=True)[n:]:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unused(parent: Path, days: float) -> None:
    """Remove the files in parent that were not used for so many days."""
    for path in parent.iterdir():
        if path.is_file() and _last_use(path) < time.time() - days * DAY:
            with suppress(OSError):
                path.unlink()


def _last_use(path: Path) -> float:
    """Seconds since 1970. What has just gone counts as new, so that nobody else removes it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
