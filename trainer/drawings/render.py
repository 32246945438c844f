"""From strokes to ink, as the page does it: a round pen on the pad's 280 x 280 pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from . import Drawing

SIDE = 280  # px of the pad's ink
PEN = 20  # px, the page's own pen
OVERSAMPLING = 3  # Pillow draws without antialiasing: so drawn larger, and averaged


def render(drawing: Drawing, pen: float = PEN, side: int = SIDE) -> np.ndarray:
    """The ink of a drawing: (side, side) uint8, 0 paper .. 255 stroke. pen: its width in px of the ink. What lies off the pad is cut off."""
    image = Image.new("L", (side * OVERSAMPLING, side * OVERSAMPLING))
    _draw(image, drawing, pen)
    return np.asarray(image.reduce(OVERSAMPLING))


def fill(outlines: Drawing, pen: float, side: int = SIDE) -> np.ndarray:
    """The ink of what lies within outlines, (side, side) uint8, made broader by a pen that goes along them.

    outlines: closed lines; a hole's runs the other way round than that around it.   pen: its width in px of the ink, 0 for none.
    """
    turns = np.zeros((side * OVERSAMPLING, side * OVERSAMPLING), np.int8)
    for x, y in (outline.T for outline in outlines):
        inside = Image.new("L", turns.shape)
        ImageDraw.Draw(inside).polygon((np.column_stack((x, y)) * turns.shape[0]).ravel().tolist(), fill=1)
        clockwise = (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0
        turns += np.asarray(inside, np.int8) * (1 if clockwise else -1)
    image = Image.fromarray(np.where(turns, np.uint8(255), np.uint8(0)))
    if pen > 0:
        _draw(image, [np.vstack((outline, outline[:1])) for outline in outlines], pen)
    return np.asarray(image.reduce(OVERSAMPLING))


def _draw(image: Image.Image, drawing: Drawing, pen: float) -> None:
    """Draws lines with a round pen. image: as many times larger as OVERSAMPLING says."""
    width = pen * OVERSAMPLING
    draw = ImageDraw.Draw(image)
    for stroke in drawing:
        points = [(x, y) for x, y in (stroke * image.width).tolist()]
        if len(points) > 1:
            draw.line(points, fill=255, width=round(width))
        for x, y in points:  # round ends and joints
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)


def extent(drawing: Drawing) -> tuple[np.ndarray, np.ndarray]:
    """(least, greatest) x and y of all points."""
    points = np.concatenate(drawing)
    return points.min(axis=0), points.max(axis=0)


def lay(drawing: Drawing, size: float, place: tuple[float, float] = (0.5, 0.5), tilt: float = 0.0) -> Drawing:
    """Moves, scales and turns a drawing into its place on the pad.

    size: of its longer side, in sides of the pad, after turning; the pen's width comes on top of it.
    place: (0, 0) the top left corner, (1, 1) the bottom right one, (0.5, 0.5) the middle.   tilt: radians, clockwise.
    """
    cos, sin = np.cos(tilt), np.sin(tilt)
    turned = [stroke @ np.array([[cos, sin], [-sin, cos]]) for stroke in drawing]
    least, greatest = extent(turned)
    scale = size / max((greatest - least).max(), 1e-6)
    origin = (1 - (greatest - least) * scale) * np.asarray(place)
    return [(stroke - least) * scale + origin for stroke in turned]
