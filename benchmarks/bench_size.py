"""Bytes of a first visit, by file: raw, gzip, Brotli; until the first prediction can be made, and afterwards, when there is time.

    python build.py bench size

`build.py bench boot` counts what a server really sends; this says what it is made of.
"""

from pathlib import Path

from chromium import table

from builder.common import DIST

# What the snapshot holds already: fetched when the first digit has been read (PARTS in site/js/parts.js).
LATER = ("python_stdlib.zip", "numpy.zip", "numpy_random.zip", "inkling.zip", "convnet.npz", *(
    f"{name}.secondary.wasm" for name in ("pyodide.asm", "_multiarray_umath", "_umath_linalg")))
OWN = (".html", ".css", ".js", ".svg", ".webmanifest")  # what we wrote: markup, style, script


def sizes(file: Path) -> list[int]:
    """Bytes as they are, and as a host sends them in gzip and Brotli (where the build keeps such a file beside)."""
    beside = [file.with_name(file.name + suffix) for suffix in (".gz", ".br")]
    return [file.stat().st_size, *(path.stat().st_size if path.is_file() else file.stat().st_size for path in beside)]


def main() -> None:
    files = [path for path in sorted(DIST.rglob("*")) if path.is_file() and path.suffix not in (".gz", ".br", ".txt", ".png") and path.name != "_headers"]
    has_snapshot = any(path.name == "heap.bin" for path in files)
    groups: dict[str, list[Path]] = {"our HTML, CSS and JavaScript": []}
    for path in files:
        is_model = path.parent.name == "weights"
        is_data = path.parent.name.startswith("data-")
        if (is_model and path.stem != "convnet") or is_data or path.name == "inkling.html":
            continue  # fetched when it is wanted, or kept for offline use afterwards
        own = path.suffix in OWN and not path.parent.name.startswith("runtime-")
        groups.setdefault("our HTML, CSS and JavaScript" if own else path.name, []).append(path)
    first = {name: paths for name, paths in groups.items() if not has_snapshot or name not in LATER}
    print(table(["bytes of a first visit", "raw", "gzip", "Brotli"], _rows(first)))
    if has_snapshot:
        print()
        print(table(["afterwards", "raw", "gzip", "Brotli"], _rows({name: paths for name, paths in groups.items() if name in LATER})))


def _rows(groups: dict[str, list[Path]]) -> list[list[str]]:
    """A row for each group, and one for all."""
    rows, total = [], [0, 0, 0]
    for name, paths in groups.items():
        row = [sum(column) for column in zip(*map(sizes, paths))]
        total = [a + b for a, b in zip(total, row)]
        rows.append([name, *(f"{size:,}" for size in row)])
    return [*rows, ["**together**", *(f"**{size:,}**" for size in total)]]


if __name__ == "__main__":
    main()
