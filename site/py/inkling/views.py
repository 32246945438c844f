"""An image as it looks from a little aside: what a network that is unsure of it looks at, too, before it answers.

Test-time augmentation, as in Krizhevsky et al. 2012, section 4.1: the mean of a network's answers about slightly changed copies is right
more often than its answer about the image alone. Augmentation has shown it digits turned and scaled that much.
They were chosen with networks that had not seen half of the training writers: these four do better than two of them, and as well as eight.
"""

from __future__ import annotations

import numpy as np

SIDE = 28  # px, of an image
TURN = np.deg2rad(10.0)  # radians
SCALE = 0.1  # the side becomes 0.9 and 1.1 of itself
VIEWS = tuple((turn, 1 + scale) for turn in (-TURN, TURN) for scale in (-SCALE, SCALE))  # (turn, scale) of each


def views(images: np.ndarray) -> np.ndarray:
    """Every image turned either way, smaller and larger.

    images: (N, 28, 28) float32, 0..1.   Returns (N * len(VIEWS), 28, 28) float32, the views of one image in a row.
    """
    pixels = images.reshape(len(images), SIDE * SIDE)
    seen = sum(pixels[:, index] * weight for index, weight in zip(_INDICES, _WEIGHTS))
    return seen.reshape(-1, SIDE, SIDE)


def _make_sampling() -> tuple[np.ndarray, np.ndarray]:
    """(indices, weights), each (4, len(VIEWS) * 784): the four pixels between which each pixel of the views lies, and how much each of them
    counts (bilinear interpolation). Outside the image there is paper, so a pixel there counts nothing."""
    y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1) - (SIDE - 1) / 2
    # Output to source is the inverse map: dividing by the scale enlarges the digit.
    source = np.concatenate([
        np.array([np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x]) / scale for turn, scale in VIEWS
    ], axis=1) + (SIDE - 1) / 2
    corner = np.floor(source).astype(int)
    indices, weights = [], []
    for step in ((0, 0), (0, 1), (1, 0), (1, 1)):
        neighbour = corner + np.array(step)[:, None]
        inside = ((neighbour >= 0) & (neighbour < SIDE)).all(axis=0)
        indices.append(np.where(inside, neighbour[0] * SIDE + neighbour[1], 0))
        weights.append(np.where(inside, (1 - abs(source - neighbour)).prod(axis=0), 0))
    return np.array(indices), np.array(weights, np.float32)


_INDICES, _WEIGHTS = _make_sampling()
