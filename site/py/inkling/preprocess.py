"""From what a person drew to what the network was trained on: MNIST's own recipe, in one resampling.

ink (H, W) uint8, 0 paper .. 255 stroke, any size -> image (28, 28) float32, 0 .. 1: the box around the ink, scaled
so that its longer side is 20 px, laid down with its centre of mass in the middle of the field.
Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition", section III.A.
"""

from __future__ import annotations

import numpy as np

FIELD = 28  # px, side of the image
DIGIT_BOX = 20  # px, longer side of the digit in it (LeCun 1998)
CENTRE = 14.5  # px from the field's edge: the middle of pixel 14, where MNIST's digits have their centre of mass (measured: 14.00 +- 0.28 as an index)
INK_THRESHOLD = 32  # of 255; fainter pixels are drawn but do not stretch the box: the rim of an antialiased stroke, dust

MIN_CONTRAST = 32  # of 255 grey levels between paper and stroke; less is an empty sheet
PAPER_GRAIN = 0.25  # share of the contrast that texture, shadow and compression may take up without being ink
FULL_STROKE = 0.75  # share of the contrast from which on a pixel is all stroke


def preprocess(ink: np.ndarray) -> tuple[np.ndarray, dict]:
    """What the network sees of a drawing, and what was found in it.

    ink: (H, W) uint8, 0 = paper, 255 = full stroke.
    Returns (image, found): image (28, 28) float32 in 0..1;
    found {"empty": bool, "box": [x, y, width, height] or None, "centre_of_mass": [x, y] or None, "ink_fraction": 0..1}
    in pixels of the ink, measured from its top left edge (the middle of the first pixel is at 0.5).
    Without ink the image is zero.
    """
    found = {"empty": True, "box": None, "centre_of_mass": None, "ink_fraction": 0.0}
    visible = ink >= INK_THRESHOLD
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if not len(rows):
        return np.zeros((FIELD, FIELD), np.float32), found

    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    digit = ink[top:bottom, left:right].astype(np.float32)
    height, width = digit.shape
    scale = DIGIT_BOX / max(height, width)
    total = float(digit.sum())
    x = float(digit.sum(axis=0) @ (np.arange(width) + 0.5)) / total
    y = float(digit.sum(axis=1) @ (np.arange(height) + 0.5)) / total

    image = _area_average(_area_average(digit, scale, y).T, scale, x).T / 255
    found.update(empty=False, box=[left, top, width, height], centre_of_mass=[left + x, top + y], ink_fraction=total / (255 * ink.size))
    return image.clip(0, 1).astype(np.float32, order="C"), found


def _area_average(values: np.ndarray, scale: float, centre: float) -> np.ndarray:
    """Resample the first axis, (size, K) -> (28, K): each output pixel is the average of the input that it covers, 0 outside.

    scale: output px per input px.   centre: the input coordinate that lands on CENTRE.
    By the running sum: what lies between two edges is the difference of the sums up to them. It costs one addition a pixel, where
    a product with a matrix of weights would cost 28 multiplications.
    """
    size = len(values)
    sums = np.zeros((size + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    edges = np.clip((np.arange(FIELD + 1) - CENTRE) / scale + centre, 0, size)  # of the output pixels, in input px
    below = np.minimum(edges.astype(int), size - 1)
    part = (edges - below)[:, None]  # how far into the pixel that it cuts
    up_to_edge = (1 - part) * sums[below] + part * sums[below + 1]
    return np.diff(up_to_edge, axis=0) * scale


def picture_to_ink(rgba: np.ndarray) -> tuple[np.ndarray, bool]:
    """A photograph or any other picture as ink: what differs from the paper is stroke.

    rgba: (H, W, 4) uint8, laid over white where it is transparent. The paper is the median grey of the border.
    Returns (ink, inverted): ink (H, W) uint8; inverted is True for dark strokes on light paper.
    A picture without contrast has no ink.
    """
    grey = _grey_over_white(rgba)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = int(np.sort(border)[border.size // 2])  # the median, without np.median, which would load numpy.ma first
    # Ink depends on the grey level alone, so all the rest is arithmetic on 256 levels, however large the picture is.
    share_below = np.cumsum(np.bincount(grey.ravel(), minlength=256)) / grey.size
    darkest, lightest = np.searchsorted(share_below, [0.0002, 0.9998])  # a few stray pixels do not count
    inverted = bool(paper - darkest > lightest - paper)
    stroke = int(darkest if inverted else lightest)
    if abs(stroke - paper) < MIN_CONTRAST:
        return np.zeros_like(grey), inverted
    contrast = (np.arange(256) - paper) / (stroke - paper)
    levels = np.clip((contrast - PAPER_GRAIN) / (FULL_STROKE - PAPER_GRAIN), 0, 1) * 255
    return levels.round().astype(np.uint8)[grey], inverted


def _grey_over_white(rgba: np.ndarray) -> np.ndarray:
    """Luma (ITU-R BT.601) of a picture laid over white paper: (H, W, 4) uint8 -> (H, W) uint8."""
    grey = np.empty(rgba.shape[:2], np.uint8)
    for top in range(0, len(grey), 256):  # in strips: floats of a whole photograph would be 16 times its size
        strip = rgba[top:top + 256]
        luma = strip[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
        alpha = strip[..., 3] * np.float32(1 / 255)
        grey[top:top + 256] = (255 + (luma - 255) * alpha).round()
    return grey
