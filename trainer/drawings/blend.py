"""Digits between those of two people, and a little beyond: few people wrote the recorded ones, and most others write something in between.

Source: Chawla et al. 2002, SMOTE, which makes examples between two of one class; beyond them, as DeVries and Taylor 2017 did. Here it is done
with the strokes themselves, point by point.
"""

from __future__ import annotations

import numpy as np

from . import Drawing
from .deform import evenly
from .recorded import PenDigits
from .render import extent

POINTS = 32  # a stroke, evenly along it
NEAR = 0.18  # of the longer side: how far apart the same points of two drawings may lie in the mean; else they were drawn another way round
SHARE = (-0.4, 1.0)  # of the other drawing: less than 0 is away from it
TRIED = 12  # drawings of which one is to be near enough


class Blender:
    """Blends any of some recorded digits with one of the same label and as many strokes by somebody else."""

    def __init__(self, digits: PenDigits):
        self.drawings = [_evenly(drawing) for drawing in digits.drawings]
        self.kinds = [(int(label), len(strokes)) for label, strokes in zip(digits.labels, self.drawings)]
        self.writers = digits.writers
        self.alike: dict[tuple[int, int], list[int]] = {}
        for i, kind in enumerate(self.kinds):
            self.alike.setdefault(kind, []).append(i)

    def blend(self, i: int, rng: np.random.Generator) -> Drawing | None:
        """Digit i with a share of another that changes slowly along the strokes; None if none was found that is near enough."""
        own, alike = self.drawings[i], self.alike[self.kinds[i]]
        for j in rng.choice(alike, min(TRIED, len(alike)), replace=False):
            other = self.drawings[j]
            if self.writers[j] != self.writers[i] and np.hypot(*(own - other).transpose(2, 0, 1)).mean(axis=1).max() < NEAR:
                share = np.interp(np.linspace(0, 2, own.shape[0] * POINTS), (0, 1, 2), rng.uniform(*SHARE, 3)).reshape(len(own), POINTS, 1)
                return list(own + (other - own) * share)
        return None


def _evenly(drawing: Drawing) -> np.ndarray:
    """(strokes, POINTS, 2), around 0 and with a longer side of 1."""
    least, greatest = extent(drawing)
    side, middle = max((greatest - least).max(), 1e-6), (least + greatest) / 2
    return np.stack([evenly((stroke - middle) / side, POINTS) for stroke in drawing])
