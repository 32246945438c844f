"""From ink to the digits in it, from left to right: connected strokes, joined where one is a part of the other.

Here digits are only cut out. Where the shape alone does not tell one digit from two, because they touch or one reaches over the
other, a group has several pieces, and the network chooses which of them belong together: that is the session's part.
"""

from __future__ import annotations

import numpy as np

from .preprocess import INK_THRESHOLD

FINE = 400  # cells at most along the shorter side of what is drawn; larger ink is looked at in cells of several pixels
LOW = 0.45  # of the tallest stroke's height; what is lower is a part of a digit if it lies above or below one (the bar of a 5)
DOT = 0.25  # of the tallest stroke's height; what is no longer than that in either direction, and part of no digit, is a speck
PART = 0.25  # share of its width with which a low stroke must lie above or below a digit to be a part of it
OVER = 0.5  # share of the narrower one's width; two tall strokes that overlap so far may be one digit
WIDE = 1.05  # width per height; a wider stroke may be several digits that touch
SLIM = 0.2  # of the stroke's height: least distance from one cut to the next, a little more than the pen's width in a 1
THIN = 0.85  # of the mean ink per column; where there is more, no cut: a level line has no place to cut it
MOST_CUTS = 5  # of one stroke; with n cuts the network reads up to (n + 1)(n + 2) / 2 images
MOST_STROKES = 32  # the largest ones; the rest is texture


class Digits:
    """The digits in an ink.

    ink: (H, W) uint8, 0 = paper, 255 = full stroke, any size.
    groups: list of groups from left to right, each a list of pieces from left to right. A group of one piece is one digit; of
    several, it is as many digits as the pieces look like. Groups are apart from each other. Without ink there is none.
    A piece is a list of labels, and so is what several pieces make together: piece + piece.
    """

    def __init__(self, ink: np.ndarray):
        visible = ink >= INK_THRESHOLD
        rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
        self.groups = []
        if not len(rows):
            return
        self._left, self._top = int(columns[0]), int(rows[0])
        self._ink = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
        self._cell = -(-min(self._ink.shape) // FINE)
        self._labels, self._boxes = _strokes(_cells(self._ink, self._cell) >= INK_THRESHOLD)
        for group in _grouped(_joined(self._boxes), self._boxes):
            self.groups.append([part for piece in group for part in self._cut(piece)])

    def n_apart(self) -> int:
        """How many groups are as tall as digits beside one another are; low ones may be a part that went astray."""
        heights = [self.box(sum(group, []))[3] for group in self.groups]
        return sum(height >= LOW * max(heights) for height in heights)

    def box(self, piece: list[int]) -> list[int]:
        """[x, y, width, height] of what has these labels, in ink pixels; outer edges may lie a cell too far out."""
        left, top, right, bottom = (self._cell * int(edge) for edge in _around(self._boxes[piece]))
        height, width = self._ink.shape
        return [self._left + left, self._top + top, min(right, width) - left, min(bottom, height) - top]

    def ink(self, piece: list[int]) -> np.ndarray:
        """The ink within the box of what has these labels, (height, width) uint8, without anybody else's."""
        left, top, right, bottom = _around(self._boxes[piece])
        own = np.zeros(len(self._boxes) + 1, bool)
        own[piece] = own[-1] = True  # the last for label -1: pixels too faint to belong to any stroke, such as its soft rim
        own = own[self._labels[top:bottom, left:right]].repeat(self._cell, axis=0).repeat(self._cell, axis=1)
        ink = self._ink[self._cell * top:self._cell * bottom, self._cell * left:self._cell * right]
        return ink * own[:ink.shape[0], :ink.shape[1]]

    def _cut(self, piece: list[int]) -> list[list[int]]:
        """The piece in slices, where it is too wide for one digit and has columns of little ink."""
        left, top, right, bottom = _around(self._boxes[piece])
        width, height = right - left, bottom - top
        if width <= WIDE * height:
            return [piece]
        labels = self._labels[top:bottom, left:right]
        own = np.isin(labels, piece)
        cuts = _thin_columns(own.sum(axis=0), max(1, round(SLIM * height)))
        slices = []
        for start, end in zip([0, *cuts], [*cuts, width]):
            part = own[:, start:end]
            rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            box = [left + start + columns[0], top + rows[0], left + start + columns[-1] + 1, top + rows[-1] + 1]
            slices.append([len(self._boxes)])
            labels[:, start:end][part] = len(self._boxes)
            self._boxes = np.vstack([self._boxes, box])
        return slices


def is_several(ink: np.ndarray, box: list[int]) -> bool:
    """Whether the ink in the box, [x, y, width, height], is clearly more than one digit: as tall ones with empty columns between them."""
    x, y, width, height = box
    ink = ink[y:y + height, x:x + width]
    # Of a single digit nearly always every fourth row shows already that no column is empty.
    if (ink[::4] >= INK_THRESHOLD).any(axis=0).all() or (ink >= INK_THRESHOLD).any(axis=0).all():
        return False
    return Digits(ink).n_apart() > 1


def _cells(ink: np.ndarray, cell: int) -> np.ndarray:
    """The largest value of each cell x cell pixels: a thin stroke stays connected. (H, W) -> (H / cell, W / cell), rounded up."""
    if cell == 1:
        return ink
    rows = np.maximum.reduceat(ink, np.arange(0, ink.shape[0], cell), axis=0)
    return np.maximum.reduceat(rows, np.arange(0, ink.shape[1], cell), axis=1)


def _strokes(visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Connected strokes, (H, W) bool -> (labels (H, W) int, -1 for paper; boxes (N, 4) int, [left, top, right, bottom] of each label).

    Cells are joined into runs within a row, runs with those that they touch in the row above, corners included. The work goes
    with the number of runs, and follows links in all of them at once: after n rounds over up to 2^n runs.
    """
    height, width = visible.shape
    row = width + 1  # with an empty cell at its end, so that no run goes on into the next
    padded = np.zeros((height, row), bool)
    padded[:, :width] = visible
    edges = np.flatnonzero(np.diff(padded.ravel(), prepend=False))
    starts, ends = edges[::2], edges[1::2]
    first = np.searchsorted(ends, starts - row)  # of the runs above that each touches
    touching = np.searchsorted(starts, ends - row, side="right") - first
    below = np.repeat(np.arange(len(starts)), touching)
    above = np.arange(len(below)) + np.repeat(first - np.cumsum(touching) + touching, touching)
    root = np.arange(len(starts))
    while (root[below] != root[above]).any():
        a, b = root[below], root[above]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while (root != root[root]).any():
            root = root[root]
    roots, stroke = np.unique(root, return_inverse=True)
    labels = np.full((height, row), -1)
    labels[padded] = np.repeat(stroke, ends - starts)
    boxes = np.tile([row, height, 0, 0], (len(roots), 1))
    np.minimum.at(boxes[:, 0], stroke, starts % row)
    np.minimum.at(boxes[:, 1], stroke, starts // row)
    np.maximum.at(boxes[:, 2], stroke, ends % row)
    np.maximum.at(boxes[:, 3], stroke, starts // row + 1)
    return labels[:, :width], boxes


def _joined(boxes: np.ndarray) -> list[list[int]]:
    """Strokes put together to pieces, lists of labels: low ones with the tall one above or below them, and any with the one around them.

    Specks are left out.
    """
    if not len(boxes):
        return []
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    largest = np.argsort(-np.maximum(widths, heights), kind="stable")[:MOST_STROKES]
    low, pieces = heights < LOW * heights[largest].max(), []
    for label in [*largest[~low[largest]].tolist(), *largest[low[largest]].tolist()]:
        home = max(pieces, key=lambda piece: _overlap(boxes[[label]], boxes[piece]), default=None)
        if home and (_overlap(boxes[[label]], boxes[home]) >= PART if low[label] else _lies_in(boxes[[label]], boxes[home])):
            home.append(label)
        elif not low[label] or max(widths[label], heights[label]) > DOT * heights[largest].max():
            pieces.append([label])
    return pieces


def _grouped(pieces: list[list[int]], boxes: np.ndarray) -> list[list[list[int]]]:
    """Pieces that reach far over one another, in groups; both from left to right."""
    groups = []
    for piece in sorted(pieces, key=lambda piece: int(_around(boxes[piece])[[0, 2]].sum())):
        if groups and max(_overlap(boxes[piece], boxes[other]) for other in groups[-1]) >= OVER:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _overlap(boxes: np.ndarray, others: np.ndarray) -> float:
    """The columns that lie in the box around both, as a share of the narrower one's."""
    a, b = _around(boxes), _around(others)
    return (min(a[2], b[2]) - max(a[0], b[0])) / min(a[2] - a[0], b[2] - b[0])


def _lies_in(boxes: np.ndarray, others: np.ndarray) -> bool:
    """Whether the box around the first lies within the box around the others."""
    return bool((_around(np.vstack([boxes, others])) == _around(others)).all())


def _around(boxes: np.ndarray) -> np.ndarray:
    """The box around boxes, (N, 4) -> (4,)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _thin_columns(mass: np.ndarray, apart: int) -> list[int]:
    """Up to MOST_CUTS places to cut, (W,) ink per column -> columns in order: those of least ink, `apart` from each other and the ends."""
    cost = mass.astype(float)
    cost[:apart] = cost[len(cost) - apart:] = np.inf
    limit, cuts = THIN * mass.mean(), []
    while len(cuts) < MOST_CUTS and cost.min() <= limit:
        lowest = np.flatnonzero(cost == cost.min())
        cut = int(lowest[len(lowest) // 2])  # in the middle of a stretch as thin
        cuts.append(cut)
        cost[max(0, cut - apart + 1):cut + apart] = np.inf
    return sorted(cuts)
