"""A hand that writes: the ten digits as strokes, made smooth, shaken, and laid down on ink without a browser.

A drawing is a list of strokes, a stroke a list of points (x, y) in pad units: 280 to the side, y down.
"""

import json
import math
from pathlib import Path

import numpy as np

from trainer.drawings.render import render

SIDE = 280  # pad units, and the pixels of the ink
PEN = 20  # the default pen
STEP = 24  # pad units between two points of a stroke: about what a quick hand leaves between two frames

# Three styles for each digit, by hand. A point given twice is a corner; elsewhere the pen runs smoothly.
TEMPLATES = json.loads((Path(__file__).parent.parent / "fixtures" / "digits.json").read_text(encoding="utf-8"))
STYLES = 3


def digit(value: int, style: int = 0):
    """The strokes of a digit in one of three styles: plain, another way of writing it, another place and size."""
    return [_smooth(stroke) for stroke in TEMPLATES[str(value)][style]]


def number(text: str, *, pen: float = PEN):
    """The digits of a number side by side across the pad, plain and equally high: a list of drawings."""
    width = (SIDE - 20) / len(text)  # of the place for one
    height = min(130, 1.5 * width)
    drawings = []
    for i, value in enumerate(text):
        strokes = [np.array(stroke, float) for stroke in digit(int(value))]
        points = np.concatenate(strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = min((width - pen - 6) / max(1, high[0] - low[0]), (height - pen) / (high[1] - low[1]))
        drawings.append([(stroke - (low + high) / 2) * scale + (10 + width * (i + 0.5), SIDE / 2) for stroke in strokes])
    return drawings


def box_of(drawing, *, pen: float = PEN) -> list[float]:
    """[x, y, width, height] of a drawing's ink, in pad units."""
    points = np.concatenate([np.array(stroke, float) for stroke in drawing])
    low, high = points.min(axis=0) - pen / 2, points.max(axis=0) + pen / 2
    return [*low.tolist(), *(high - low).tolist()]


def shaken(drawing, rng: np.random.Generator):
    """The drawing turned, sheared, rescaled, moved and trembling, as another hand might have made it."""
    points = [np.array(stroke, float) - SIDE / 2 for stroke in drawing]
    turn, shear, scale = rng.uniform(-0.25, 0.25), rng.uniform(-0.2, 0.2), rng.uniform(0.5, 1.1)
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = scale * np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, rng.uniform(0.8, 1.2)]])
    shift = SIDE / 2 + rng.uniform(-30, 30, 2)
    return [stroke @ matrix.T + shift + rng.normal(0, 2, stroke.shape) for stroke in points]


def scribble(rng: np.random.Generator):
    """A few strokes that mean nothing."""
    return [np.clip(rng.uniform(40, 240, 2) + np.cumsum(rng.normal(0, 30, (rng.integers(1, 12), 2)), axis=0), 5, 275)
            for _ in range(rng.integers(1, 5))]


def ink_of(drawing, *, side: int = SIDE, pen: float = PEN) -> np.ndarray:
    """The drawing as ink, (side, side) uint8, by the trainer's renderer. It need not be the browser's to the last pixel."""
    return render([np.array(stroke, float) / SIDE for stroke in drawing], pen * side / SIDE, side)


def _smooth(corners):
    """Catmull-Rom through the points, one point every STEP units; a doubled point stops the curve, so it makes a corner."""
    path = [corners[0], *corners, corners[-1]]
    points = [tuple(corners[0])]
    for before, start, end, after in zip(path, path[1:], path[2:], path[3:]):
        n = math.ceil(math.dist(start, end) / STEP)
        for t in (k / n for k in range(1, n + 1)):
            weights = ((-t + 2 * t**2 - t**3) / 2, (2 - 5 * t**2 + 3 * t**3) / 2, (t + 4 * t**2 - 3 * t**3) / 2, (t**3 - t**2) / 2)
            points.append(tuple(sum(w * p[axis] for w, p in zip(weights, (before, start, end, after))) for axis in (0, 1)))
    return points
