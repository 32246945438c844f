"""Digits that people really wrote with a pen, for a pointer to draw: the trainer's recorded strokes, on the machines that have their file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hand import SIDE

from trainer.drawings.recorded import load_pen_digits

# Too large for the project, so it lies beside the checkout.
FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "pendigits-orig.tra.gz"
NEAR = 10  # pad units; points closer than that are left out: the hand was slow, and each point costs a frame


def read_digits() -> list[tuple[int, int, list]]:
    """All digits of the file as (label, writer, drawing), drawings in pad units. Skips the test where there is no such file."""
    if not FILE.is_file():
        pytest.skip(f"NOT RUN: the recorded pen strokes are not here ({'/'.join(FILE.parts[-3:])}, beside the checkout)")
    digits = load_pen_digits(FILE)
    return [(int(label), int(writer), [_thinned(stroke) for stroke in drawing])
            for label, writer, drawing in zip(digits.labels, digits.writers, digits.drawings)]


def _thinned(stroke) -> list[tuple[float, float]]:
    points = []
    for point in (SIDE * stroke).tolist():
        if not points or math.dist(points[-1], point) >= NEAR:
            points.append(tuple(point))
    return points
