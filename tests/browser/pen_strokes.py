"""Digits that people really wrote with a pen: the training part of UCI's "Pen-Based Recognition of Handwritten Digits" (dataset 81, CC BY 4.0).

UNIPEN text: `.SEGMENT DIGIT <components> ? "<label>"`, `.COMMENT <label> <writer> <number>`, then for each stroke
`.PEN_DOWN`, lines of `x y`, `.PEN_UP`.
"""

from __future__ import annotations

import gzip
import math
import re
from pathlib import Path

from hand import SIDE

# Too large for the project, so it lies beside the checkout, on the machines that have it.
FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "pendigits-orig.tra.gz"
TABLET = 500  # tablet units to the side; y runs up
NEAR = 10  # pad units; points closer than that are left out: the hand was slow, and each point costs a frame

_HEAD = re.compile(r'[^"]*"(\d)"\s+\.COMMENT\s+\d+\s+(\d+)')


def read_digits(file: Path = FILE) -> list[tuple[int, int, list]]:
    """All digits of the file as (label, writer, drawing), drawings in pad units. Raises ValueError where it is not as described above."""
    digits = []
    for segment in gzip.decompress(file.read_bytes()).decode("ascii").split(".SEGMENT DIGIT")[1:]:
        head = _HEAD.match(segment)
        strokes = [_points(part.partition(".PEN_UP")[0]) for part in segment.split(".PEN_DOWN")[1:]]
        if not head or not all(strokes):
            raise ValueError(f"{file}: a digit without label, writer or points: {segment[:80]!r}")
        digits.append((int(head[1]), int(head[2]), strokes))
    return digits


def _points(lines: str) -> list[tuple[float, float]]:
    points = []
    for x, y in (map(int, line.split()) for line in lines.split("\n") if line.strip()):
        point = (x * SIDE / TABLET, (TABLET - y) * SIDE / TABLET)
        if not points or math.dist(points[-1], point) >= NEAR:
            points.append(point)
    return points
