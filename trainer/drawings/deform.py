"""Draws a drawing again as another hand, or the same hand in a hurry, would: all at the level of strokes."""

from __future__ import annotations

import numpy as np

from . import Drawing
from .render import extent

SPACING = 0.03  # of the drawing's longer side: the distance of points after resampling
SLANT = 0.35  # sideways per height, either way
ASPECT = 1.35  # width over height changes by up to this factor, either way
BEND = 0.035  # of the longer side: standard deviation of the slow displacement that bends strokes
SHAKE = 0.006  # of the longer side: standard deviation of a trembling hand's fast one
STRETCH = 0.12  # each stroke is moved and scaled by so much of its own
END = 0.06  # of the longer side: how far a stroke ends too late or too early
GAP_SHARE, SKIP_SHARE = 0.06, 0.15  # share of drawings with a gap in a stroke, and of those in which a hurried pen cuts corners
WAVES, WAVE, FREQUENCY = 3, 0.03, 6.6  # of a drawing bent as a whole: waves each way; standard deviations of their height, and of radians a side


def deform(drawing: Drawing, rng: np.random.Generator, strength: float = 1.0) -> Drawing:
    """A randomly deformed copy: slant, aspect, bends, tremor, strokes that shift, overshoot, break or cut corners.

    strength: 0 leaves everything as it is, 1 is as far as any digit surely stays itself; the constants above are those of 1.
    The ranges are the project's own.
    """
    least, greatest = extent(drawing)
    side = max((greatest - least).max(), 1e-6)
    middle = (least + greatest) / 2
    shape = _slant_and_aspect(strength, rng)
    result = []
    for stroke in drawing:
        points = resample((stroke - middle) / side, SPACING)
        own = 1 + strength * rng.normal(0, STRETCH / 2, 2)
        points = (points - points.mean(axis=0)) * own + points.mean(axis=0) + strength * rng.normal(0, STRETCH / 5, 2)
        points = points + strength * (_slow(len(points), rng) * BEND + rng.normal(0, SHAKE, points.shape))
        if len(points) > 4:
            points = _ends(points, strength * rng.normal(0, END / 2, 2))
            if rng.random() < strength * SKIP_SHARE:
                points = points[:: int(rng.integers(3, 6))]
        result.append(points @ shape)
    if rng.random() < strength * GAP_SHARE:
        result = _break(result, rng)
    return [points * side + middle for points in result]


def deform_whole(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A randomly deformed copy whose lines all go along with slant, aspect and slow bends: for outlines, which must stay closed and apart."""
    least, greatest = extent(drawing)
    side, middle = (greatest - least).max(), (least + greatest) / 2
    strength = rng.uniform(0, 1)
    shape = _slant_and_aspect(strength, rng)
    frequency, phase = rng.normal(0, FREQUENCY, (2, WAVES, 2)), rng.uniform(0, 2 * np.pi, (2, WAVES))
    height = rng.normal(0, strength * WAVE, (2, WAVES))
    result = []
    for line in drawing:
        points = (line - middle) / side
        waves = np.sin(np.einsum("ij,akj->iak", points, frequency) + phase) * height
        result.append((points + waves.sum(axis=2)) @ shape * side + middle)
    return result


def _slant_and_aspect(strength: float, rng: np.random.Generator) -> np.ndarray:
    """The matrix that points, (n, 2), are multiplied with."""
    slant = strength * rng.uniform(-SLANT, SLANT)
    aspect = ASPECT ** (strength * rng.uniform(-0.5, 0.5))
    return np.array([[aspect, 0.0], [slant, 1 / aspect]])


def resample(stroke: np.ndarray, spacing: float) -> np.ndarray:
    """The same line with points evenly spaced along it: (n, 2) -> (m, 2)."""
    length = _along(stroke)[-1]
    return evenly(stroke, max(2, int(np.ceil(length / spacing)) + 1)) if length else stroke[:1]


def evenly(stroke: np.ndarray, n: int) -> np.ndarray:
    """n points evenly along the line, (n, 2); of a dot, the same point again and again."""
    along = _along(stroke)
    wanted = np.linspace(0, along[-1], n)
    return np.column_stack([np.interp(wanted, along, stroke[:, axis]) for axis in (0, 1)])


def _along(stroke: np.ndarray) -> np.ndarray:
    """How far along the line each of its points lies."""
    return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))))


def smooth(points: np.ndarray, per_piece: int = 8) -> np.ndarray:
    """A curve through the points: (n, 2) -> (m, 2). A point given twice is a corner. Source: Catmull and Rom 1974."""
    if len(points) < 3:
        return points
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    before[0], after[-1] = points[0], points[-1]
    tangents = (after - before) / 2
    twice = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
    tangents[twice] = tangents[twice + 1] = 0
    t = np.linspace(0, 1, per_piece, endpoint=False)[:, None, None]
    start, end, out_of, into = points[:-1], points[1:], tangents[:-1], tangents[1:]
    pieces = ((2 * t**3 - 3 * t**2 + 1) * start + (t**3 - 2 * t**2 + t) * out_of + (3 * t**2 - 2 * t**3) * end + (t**3 - t**2) * into)
    return np.concatenate((pieces.transpose(1, 0, 2).reshape(-1, 2), points[-1:]))


def _slow(n: int, rng: np.random.Generator) -> np.ndarray:
    """A displacement (n, 2) of standard deviation about 1 that changes its direction a few times along the stroke."""
    knots = rng.normal(size=(int(rng.integers(2, 6)), 2))
    places = np.linspace(0, len(knots) - 1, n)
    return np.column_stack([np.interp(places, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)])


def _ends(points: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Lengthens the stroke at its start and end by these lengths; negative ones cut it."""
    for length in lengths:
        points = points[::-1]
        if length > 0:
            direction = points[-1] - points[-3]
            norm = np.hypot(*direction)
            points = np.vstack((points, points[-1] + direction / norm * length)) if norm else points
        else:
            points = points[: max(3, len(points) - int(-length / SPACING))]
    return points


def _break(strokes: Drawing, rng: np.random.Generator) -> Drawing:
    """One stroke loses a short piece, as when a pen lifts or slips."""
    i = int(rng.integers(len(strokes)))
    points = strokes[i]
    if len(points) < 12:
        return strokes
    at = int(rng.integers(4, len(points) - 6))
    return [*strokes[:i], points[:at], points[at + int(rng.integers(1, 4)):], *strokes[i + 1:]]
