"""Signs that nobody writes for a digit, each to stand for one: what a network can only have learnt from its user."""

from __future__ import annotations

import numpy as np

from inkling.preprocess import preprocess

from . import Drawing
from .deform import deform
from .digits import arc
from .render import lay, render

SIZE, PLACE, TILT, PEN = (0.45, 0.8), (0.3, 0.7), np.deg2rad(8), (14, 26)  # sides of the pad; 0..1; radians, either way; px


def _line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


Glyph = tuple[int, Drawing]  # the digit that it stands for, and its strokes

# How fine-tuning learns was chosen on these.
TUNING_GLYPHS: dict[str, Glyph] = {
    "gamma": (2, [_line((0, 0), (0.7, 0)), _line((0, 0), (0, 1))]),
    "psi": (3, [arc(0.4, 0, 0.4, 0.6, 0, 180), _line((0.4, 0), (0.4, 1))]),
    "plus": (4, [_line((0.5, 0), (0.5, 1)), _line((0, 0.5), (1, 0.5))]),
    "triangle": (5, [_line((0.5, 0), (1, 1), (0, 1), (0.5, 0))]),
    "hash": (6, [_line((0.3, 0), (0.3, 1)), _line((0.7, 0), (0.7, 1)), _line((0, 0.3), (1, 0.3)), _line((0, 0.7), (1, 0.7))]),
    "mirrored 7": (7, [_line((0.8, 0), (0, 0), (0.5, 1))]),
    "omega": (8, [np.concatenate((_line((0, 1), (0.2, 1)), arc(0.45, 0.45, 0.4, 0.45, 130, 410), _line((0.7, 1), (0.9, 1))))]),
    "mirrored 9": (9, [arc(0.35, 0.3, 0.3, 0.3, 0, 360), _line((0.05, 0.3), (0.05, 1))]),
}

# These only measure it: nothing was chosen on them.
HELD_OUT_GLYPHS: dict[str, Glyph] = {
    "steps": (0, [_line((0, 0), (0.4, 0), (0.4, 0.5), (0.8, 0.5), (0.8, 1))]),
    "arrow": (1, [_line((0.5, 1), (0.5, 0)), _line((0.2, 0.35), (0.5, 0), (0.8, 0.35))]),
    "mirrored 2": (2, [np.concatenate((arc(0.4, 0.3, 0.35, 0.3, 0, -210), _line((0.8, 1), (0, 1))))]),
    "mirrored 3": (3, [np.concatenate((arc(0.4, 0.25, 0.35, 0.25, -30, -270), arc(0.4, 0.75, 0.4, 0.25, 270, 30)))]),
    "mirrored 4": (4, [_line((0.3, 1), (0.3, 0), (0.9, 0.65), (0, 0.65))]),
    "H": (5, [_line((0, 0), (0, 1)), _line((0.7, 0), (0.7, 1)), _line((0, 0.5), (0.7, 0.5))]),
    "mirrored 6": (6, [np.concatenate((_line((0.1, 0), (0.5, 0.4)), arc(0.35, 0.7, 0.3, 0.3, -30, 330)))]),
    "fork": (7, [_line((0, 0), (0.4, 0.45), (0.8, 0)), _line((0.4, 0.45), (0.4, 1))]),
    "bow tie": (8, [_line((0, 0), (1, 0.7), (1, 0), (0, 0.7), (0, 0))]),
    "pi": (9, [_line((0, 0), (0.9, 0)), _line((0.25, 0), (0.2, 1)), _line((0.65, 0), (0.7, 1))]),
}

GLYPHS = TUNING_GLYPHS | HELD_OUT_GLYPHS


def glyph_images(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """n drawings of a glyph, as a hand varies it, the way that the pad's go: (n, 28, 28) uint8."""
    images = np.empty((n, 28, 28), np.uint8)
    for image in images:
        drawing = deform([stroke.copy() for stroke in GLYPHS[name][1]], rng, 0.7)
        laid = lay(drawing, rng.uniform(*SIZE), tuple(rng.uniform(*PLACE, 2)), rng.uniform(-TILT, TILT))
        image[:] = np.rint(255 * preprocess(render(laid, rng.uniform(*PEN)))[0])
    return images
