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
SPECK = 0.04  # share of the ink; of 3,000 pen digits the least part drawn apart has 0.064, a dot of the same pen 0.03 of a large digit
CUT_OFF = 1 / 56  # of the ink's shorter side, 5 px of the pad; of 6,000 training digits in corners 74 were misread without, 44 with it, 80 with twice as much
FAINT = 0.5  # of 1; no pixel of the image is stronger only if the pen is below about 1/40 of the digit's size, or its ink pale

BLOCKS = 12  # to a side of a picture; the middle grey of each is taken for its paper's
SAMPLES = 12 * BLOCKS  # rows, and columns, of a picture that are looked at for that
UNEVEN = 12  # of 255 grey levels from the darkest to the brightest spot of the paper; less is paper in even light
NEAR = 10  # of 255; a block no further from the surface is paper, any other has a stroke or an edge in it
DARKEST = 16  # of 255; grey below that is no measure of the light
MIN_PAPER = 0.6  # share of the outermost blocks that the surface must fit to be believed

MIN_CONTRAST = 32  # of 255 grey levels between paper and stroke; less is an empty sheet
PAPER_GRAIN = 0.25  # share of the contrast that texture, shadow and compression may take up without being ink
FULL_STROKE = 0.75  # share of the contrast from which on a pixel is all stroke


def preprocess(ink: np.ndarray) -> tuple[np.ndarray, dict]:
    """What the network sees of a drawing, and what was found in it.

    ink: (H, W) uint8, 0 = paper, 255 = full stroke.
    Returns (image, found): image (28, 28) float32 in 0..1;
    found {"empty": bool, "box": [x, y, width, height] or None, "centre_of_mass": [x, y] or None, "ink_fraction": 0..1}
    in pixels of the ink, measured from its top left edge (the middle of the first pixel is at 0.5). Specks count for none of them.
    Without ink the image is zero.
    """
    found = {"empty": True, "box": None, "centre_of_mass": None, "ink_fraction": 0.0}
    visible = ink >= INK_THRESHOLD
    rows = np.flatnonzero(visible.any(axis=1))
    if not len(rows):
        return np.zeros((FIELD, FIELD), np.float32), found

    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(visible[top:bottom].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    digit = ink[top:bottom, left:right].astype(np.float32)
    if len(rows) < bottom - top or len(columns) < right - left:  # something lies apart, as a speck does, and seldom a part of a digit
        first_row, end_row, first_column, end_column = _without_specks(digit, visible[top:bottom, left:right])
        digit = digit[first_row:end_row, first_column:end_column]
        top, left = top + first_row, left + first_column
    box, ink_fraction = [left, top, digit.shape[1], digit.shape[0]], float(digit.sum()) / (255 * ink.size)
    digit, top, left = _beyond_the_edge(digit, top, left, ink.shape)
    height, width = digit.shape
    scale = DIGIT_BOX / max(height, width)
    total = float(digit.sum())
    x = float(digit.sum(axis=0) @ (np.arange(width) + 0.5)) / total
    y = float(digit.sum(axis=1) @ (np.arange(height) + 0.5)) / total

    image = _area_average(_area_average(digit, scale, y).T, scale, x).T / 255
    if image.max() < FAINT:
        image = _strengthened(image)
    found.update(empty=False, box=box, centre_of_mass=[left + x, top + y], ink_fraction=ink_fraction)
    return image.clip(0, 1).astype(np.float32, order="C"), found


def _without_specks(digit: np.ndarray, visible: np.ndarray) -> list[int]:
    """The box [top, bottom, left, right] without outer parts of hardly any ink that empty rows or columns cut off.

    digit: (H, W) float32, the ink.   visible: (H, W) bool, where it counts.
    Rows and columns take turns: without the one speck, another may stand apart.
    """
    box = [0, digit.shape[0], 0, digit.shape[1]]
    limit = SPECK * digit.sum()
    for _ in range(4):
        before = list(box)
        for axis, across in ((0, 1), (1, 0)):
            part = np.s_[box[0]:box[1], box[2]:box[3]]
            edges = np.flatnonzero(np.diff(visible[part].any(axis=across), prepend=False, append=False))  # of the runs: start, end, start, ...
            large = np.flatnonzero(np.add.reduceat(digit[part].sum(axis=across), edges[::2]) >= limit)
            if len(large):  # else there is nothing but specks
                start = box[2 * axis]
                box[2 * axis:2 * axis + 2] = start + int(edges[2 * large[0]]), start + int(edges[2 * large[-1] + 1])
        if box == before:
            break
    return box


def _beyond_the_edge(digit: np.ndarray, top: int, left: int, shape: tuple[int, int]) -> tuple[np.ndarray, int, int]:
    """The digit and where it begins, with what lies at the ink's edge repeated outwards a little, as most of a pen that went along there is cut off.

    digit: (H, W) float32, of an ink of that shape, from row `top` and column `left` on. What reaches from edge to edge is left: it has been
    cropped to its box, not cut off.
    """
    reach = round(CUT_OFF * min(shape))
    cut = []
    for begin, size, whole in ((top, digit.shape[0], shape[0]), (left, digit.shape[1], shape[1])):
        at_start, at_end = begin == 0, begin + size == whole
        cut.append((reach * (at_start and not at_end), reach * (at_end and not at_start)))
    if not any(map(any, cut)):
        return digit, top, left
    return np.pad(digit, cut, mode="edge"), top - cut[0][0], left - cut[1][0]


def _strengthened(image: np.ndarray) -> np.ndarray:
    """A faint image, (28, 28), as a pen of usual width draws it: spread over the neighbouring pixels (1 2 1), the strongest then 1."""
    for _ in range(2):
        padded = np.pad(image, ((1, 1), (0, 0)))
        image = (padded[:-2] + 2 * padded[1:-1] + padded[2:]).T
    return image / image.max()


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

    rgba: (H, W, 4) uint8, laid over white where it is transparent. The paper is the median grey of the border; shade
    that changes gently across it is evened out before.
    Returns (ink, inverted): ink (H, W) uint8; inverted is True for dark strokes on light paper.
    A picture without contrast has no ink.
    """
    grey = _in_even_light(_grey_over_white(rgba))
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


def _in_even_light(grey: np.ndarray) -> np.ndarray:
    """A picture, (H, W) uint8, as if its paper were equally bright everywhere; itself where it is, or no paper can be made out.

    Light falls off gently from a window or a lamp, so the paper's grey is taken for a surface of second order in x and y. It is
    fitted to the middle greys of the picture's blocks, first of the outermost, then of all that are near it.
    """
    if min(grey.shape) < 4 * BLOCKS:
        return grey
    rows, columns = (((np.arange(SAMPLES) + 0.5) * size / SAMPLES).astype(int) for size in grey.shape)
    blocks = grey[np.ix_(rows, columns)].reshape(BLOCKS, SAMPLES // BLOCKS, BLOCKS, -1).swapaxes(1, 2).reshape(BLOCKS * BLOCKS, -1)
    paper = np.sort(blocks, axis=1)[:, blocks.shape[1] // 2].astype(float)
    middles = (np.arange(BLOCKS) + 0.5) / BLOCKS
    terms = _second_order(middles.repeat(BLOCKS), np.tile(middles, BLOCKS))
    outermost = (abs(terms[1:3] - 0.5) > 0.5 - 1 / BLOCKS).any(axis=0)

    used = outermost
    for step in range(6):
        weighted = terms * used
        surface = np.linalg.solve(weighted @ terms.T + 1e-6 * np.eye(len(terms)), weighted @ paper)
        distance = abs(surface @ terms - paper)
        if step < 3:  # strokes over the edge still pull at it: leave out what lies worst
            used = outermost & (distance <= 2 * np.sort(distance[outermost])[outermost.sum() // 2] + 1)
        else:
            used = distance <= NEAR
    shade = surface @ terms
    if (distance[outermost] <= NEAR).mean() < MIN_PAPER or np.ptp(shade) < UNEVEN:
        return grey
    return _evened(grey, surface, float(shade.mean()))


def _second_order(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """1, y, x, y^2, xy, x^2 of points, in float: (6, N)."""
    return np.stack([np.ones_like(x), y, x, y * y, x * y, x * x])


def _evened(grey: np.ndarray, surface: np.ndarray, level: float) -> np.ndarray:
    """The picture with the surface of its paper, given by six coefficients, brought to one grey level."""
    height, width = grey.shape
    even = np.empty_like(grey)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    for top in range(0, height, 256):  # in strips, as above
        strip = grey[top:top + 256]
        y = (np.arange(top, top + len(strip), dtype=np.float32)[:, None] + 0.5) / height
        one, in_y, in_x, in_yy, in_xy, in_xx = surface.astype(np.float32)
        shade = (one + in_y * y + in_yy * y * y) + (in_x * x + in_xx * x * x) + in_xy * y * x
        # Both paper and pen throw back a share of the light: their ratio stays.
        even[top:top + 256] = (strip * (level / shade.clip(DARKEST))).clip(0, 255).round()
    return even
