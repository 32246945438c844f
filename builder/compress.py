"""A .br and a .gz beside each file that gets smaller by it; results are cached by content, for Brotli takes half a minute."""

import gzip
import json
import shutil
from pathlib import Path

from builder.cache import remove_unused, used
from builder.common import atomic_file, cache_directory, disk_errors, file_sha256, say, sha256, temporary_directory
from builder.node import run_node

TOOL = Path(__file__).with_name("compress.mjs")
SUFFIXES = {".html", ".css", ".js", ".mjs", ".json", ".webmanifest", ".svg", ".txt", ".wasm", ".zip", ".bin"}  # the rest is compressed already
SMALLEST = 512  # bytes; below, the headers of an answer weigh more than what is saved
ASKED_FOR = {".wasm", ".zip", ".bin"}  # the page asks for the .gz itself where a host would not send it; scripts it can't: the browser imports them
LARGE = 32_768  # bytes; below, one request more costs as much as is saved
BEST, QUICK = 11, 5  # Brotli's quality: half a minute to minutes for all files, or seconds
WINDOW = 22  # bits of Brotli's: browsers decode four megabytes in three quarters of the time that they take with sixteen (24), and all files together get no larger
KEPT = 30  # days that a result stays in the cache without being used


def compress_tree(folder: Path, quality: int = BEST) -> None:
    """Write name.br and name.gz beside every compressible file below folder. quality: of Brotli; what has been done better before is taken."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES and path.stat().st_size >= SMALLEST]
    kept = {path: cache_directory() / "compressed" / file_sha256(path) for path in files}
    for path in kept:
        gzipped(path.read_bytes())
    best, wanted = ({path: base.with_suffix(f".br{q}-{WINDOW}") for path, base in kept.items()} for q in (BEST, quality))
    brotli = {path: best[path] if used(best[path]) else wanted[path] for path in kept}
    _brotli([(path, cached) for path, cached in brotli.items() if not used(cached)], quality)
    for path, base in kept.items():
        for suffix, cached in ((".gz", base.with_suffix(".gz")), (".br", brotli[path])):
            if cached.stat().st_size < path.stat().st_size:
                with disk_errors(folder):
                    shutil.copyfile(cached, path.with_name(path.name + suffix))
    if kept:
        remove_unused(cache_directory() / "compressed", KEPT)


def gzipped(data: bytes) -> bytes:
    """data as gzip, from the cache or newly made."""
    cached = cache_directory() / "compressed" / f"{sha256(data)}.gz"
    if not used(cached):
        with atomic_file(cached) as file:
            file.write(gzip.compress(data, 9, mtime=0))
    return cached.read_bytes()


def gzip_sizes(files: dict[str, bytes]) -> dict[str, bool]:
    """The large files that have a .gz which the page may ask for in their place: {name: True}.

    Not its size, which depends on the zlib of this machine: what is written to dist/ must not.
    """
    large = {name: data for name, data in files.items() if Path(name).suffix in ASKED_FOR and len(data) >= LARGE}
    return {name: True for name, data in large.items() if len(gzipped(data)) < len(data)}


def _brotli(pairs: list[tuple[Path, Path]], quality: int) -> None:
    """Compress each source into the cache at target; all in one Node, which uses several cores."""
    if not pairs:
        return
    size = sum(source.stat().st_size for source, _ in pairs)
    if size > 1e6 and quality == BEST:
        say(f"Compressing {size / 1e6:.1f} MB with Brotli (once; the result is kept)")
    with temporary_directory(cache_directory() / "compressed") as scratch:
        job = [(str(source), str(scratch / target.name)) for source, target in pairs]
        run_node(TOOL, quality, WINDOW, stdin=json.dumps(job))
        for _, target in pairs:
            (scratch / target.name).replace(target)
