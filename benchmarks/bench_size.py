"""Bytes of a first visit until the first prediction can be made: raw, gzip, Brotli.

    python build.py bench size
"""

from pathlib import Path

from chromium import table

from builder.common import DIST

OWN = (".html", ".css", ".js", ".svg", ".webmanifest")  # what we wrote: markup, style, script


def sizes(file: Path) -> list[int]:
    """Bytes as they are, and as a host sends them in gzip and Brotli (where the build keeps such a file beside)."""
    beside = [file.with_name(file.name + suffix) for suffix in (".gz", ".br")]
    return [file.stat().st_size, *(path.stat().st_size if path.is_file() else file.stat().st_size for path in beside)]


def main() -> None:
    files = [path for path in sorted(DIST.rglob("*")) if path.is_file() and path.suffix not in (".gz", ".br", ".txt", ".png") and path.name != "_headers"]
    groups: dict[str, list[Path]] = {"our HTML, CSS and JavaScript": []}
    for path in files:
        is_model = path.parent.name == "weights"
        if is_model and path.stem != "convnet":
            continue  # fetched when it is chosen, or kept for offline use afterwards
        own = path.suffix in OWN and not path.parent.name.startswith("runtime-")
        groups.setdefault("our HTML, CSS and JavaScript" if own else path.name, []).append(path)
    rows, total = [], [0, 0, 0]
    for name, paths in groups.items():
        row = [sum(column) for column in zip(*map(sizes, paths))]
        total = [a + b for a, b in zip(total, row)]
        rows.append([name, *(f"{size:,}" for size in row)])
    rows.append(["**together**", *(f"**{size:,}**" for size in total)])
    print(table(["bytes of a first visit", "raw", "gzip", "Brotli"], rows))


if __name__ == "__main__":
    main()
