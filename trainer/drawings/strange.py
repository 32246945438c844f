"""What is no digit: letters, shapes, faces, scribbles, two digits in one. Seen in training with flat targets, so that the network learns to doubt.

Source of the idea: Hendrycks et al. 2019, "Deep anomaly detection with outlier exposure". Letters: the Hershey fonts, single strokes.
"""

from __future__ import annotations

import numpy as np

from . import Drawing, hershey
from .deform import smooth
from .digits import arc, curve, draw_digit, line
from .render import extent, lay

FONTS = ("futural", "scripts", "rowmans", "cursive")
FONT_KEPT_BACK = "scriptc"  # never trained with: it measures
# Letters that are also somebody's digit: neither answer would be wrong. (y is an open four, e in script a narrow zero.)
LIKE_DIGITS = set("OoQDIiLlJjSsZzBbGgqYye")
SIGNS = "#%*+=?@"
LETTERS = [chr(code) for code in (*range(65, 91), *range(97, 123)) if chr(code) not in LIKE_DIGITS] + list(SIGNS)


def letter(rng: np.random.Generator, fonts: tuple[str, ...] = FONTS) -> Drawing:
    """A letter or a sign that no digit looks like."""
    while True:
        text = LETTERS[int(rng.integers(len(LETTERS)))]
        if drawing := hershey.strokes(text, fonts[int(rng.integers(len(fonts)))]):
            return drawing


def word(rng: np.random.Generator) -> Drawing:
    """Two or three letters."""
    result, x = [], 0.0
    for _ in range(int(rng.integers(2, 4))):
        strokes = lay(letter(rng), 1.0, (0.0, 0.5))
        result += [stroke + (x, 0) for stroke in strokes]
        x = extent(result)[1][0] + rng.uniform(0.1, 0.3)
    return result


def scribble(rng: np.random.Generator) -> Drawing:
    """A wild line that turns and turns."""
    n = int(rng.integers(9, 40))
    if rng.random() < 0.5:
        points = np.cumsum(rng.normal(size=(n, 2)), axis=0)
    else:
        points = rng.random((n, 2)) * (1, rng.uniform(0.3, 2))
    return [smooth(points, 5)]


def zigzag(rng: np.random.Generator) -> Drawing:
    n = int(rng.integers(5, 14))
    points = np.column_stack((np.linspace(0, rng.uniform(0.5, 3), n), np.arange(n) % 2 * rng.uniform(0.6, 1.4)))
    return [smooth(points) if rng.random() < 0.5 else points]


def spiral(rng: np.random.Generator) -> Drawing:
    turns = rng.uniform(2.2, 5)
    t = np.linspace(0, 1, 80)[:, None]
    angle = rng.uniform(0, 2 * np.pi) + rng.choice((-1, 1)) * turns * 2 * np.pi * t
    return [(0.05 + t) * np.hstack((np.cos(angle), np.sin(angle)))]


def polygon(rng: np.random.Generator) -> Drawing:
    """A triangle, square, pentagon ..., or a star."""
    n = int(rng.integers(3, 8))
    step = 2 if n in (5, 7) and rng.random() < 0.5 else 1
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * step * np.arange(n + 1) / n
    if n > 5 and step == 1:
        n = 4
        angles = np.pi / 4 + np.pi / 2 * np.arange(5)
    return [np.column_stack((np.cos(angles), np.sin(angles)))]


def cross(rng: np.random.Generator) -> Drawing:
    """Lines that cross: +, *, #, a grid."""
    n = int(rng.integers(2, 4))
    if rng.random() < 0.5:
        places = np.linspace(0.2, 0.8, n) if n > 1 else [0.5]
        strokes = [line((0, y), (1, y)) for y in places] + [line((x, 0), (x, 1)) for x in places[: int(rng.integers(1, n + 1))]]
        return strokes
    angles = np.pi * (np.arange(n + 1) / (n + 1)) + rng.uniform(0, np.pi)
    return [np.array([[np.cos(a), np.sin(a)], [-np.cos(a), -np.sin(a)]]) for a in angles]


def face(rng: np.random.Generator) -> Drawing:
    """A smiley, glad or sad, with or without a nose."""
    mouth = arc(0.5, 0.55, 0.28, 0.25, 20, 160) if rng.random() < 0.7 else arc(0.5, 0.9, 0.25, 0.2, 200, 340)
    eyes = [line((x, 0.35), (x + 0.01, 0.35 + rng.uniform(0.0, 0.12))) for x in (0.33, 0.67)]
    nose = [line((0.5, 0.45), (0.5, 0.58))] if rng.random() < 0.4 else []
    return [arc(0.5, 0.5, 0.5, 0.5, -90, 280), *eyes, mouth, *nose]


def heart(rng: np.random.Generator) -> Drawing:
    return [curve((0.5, 0.3), (0.35, 0.02), (0.05, 0.15), (0.05, 0.4), (0.5, 1.0), (0.5, 1.0), (0.95, 0.4), (0.95, 0.15), (0.65, 0.02), (0.5, 0.3))]


def house(rng: np.random.Generator) -> Drawing:
    walls = line((0.1, 0.45), (0.1, 1.0), (0.9, 1.0), (0.9, 0.45), (0.1, 0.45))
    return [walls, line((0.0, 0.5), (0.5, 0.0), (1.0, 0.5)), line((0.4, 1.0), (0.4, 0.7), (0.6, 0.7), (0.6, 1.0))][: int(rng.integers(2, 4))]


def arrow(rng: np.random.Generator) -> Drawing:
    head = rng.uniform(0.15, 0.35)
    return lay([line((0, 0), (1, 0)), line((1 - head, -head), (1, 0), (1 - head, head))], 1.0, tilt=rng.uniform(0, 2 * np.pi))


def strokes(rng: np.random.Generator) -> Drawing:
    """Some lines or dots that belong to nothing; a bar that lies."""
    n = int(rng.integers(1, 6))
    if n == 1:
        return [line((0, 0), (1, rng.normal(0, 0.06)))]
    if rng.random() < 0.4:
        return [line((x, 0), (x + rng.normal(0, 0.05), 1)) for x in np.arange(n) * rng.uniform(0.2, 0.5)]
    if rng.random() < 0.5:
        return [line(tuple(p), tuple(p + rng.normal(0, 0.02, 2))) for p in rng.random((n + 1, 2))]
    return [line(*map(tuple, rng.random((2, 2)))) for _ in range(n + 1)]


def two_digits(rng: np.random.Generator) -> Drawing:
    """Two or three digits side by side, close or touching; two ones are left out, as they may be one letter or one digit."""
    result, x = [], 0.0
    labels = rng.integers(10, size=int(rng.choice((2, 2, 2, 3))))
    if (labels == 1).sum() > 1:
        labels[0] = 2 + labels[0] % 8
    for label in labels:
        result += [stroke + (x, rng.normal(0, 0.06)) for stroke in lay(draw_digit(int(label), rng), 1.0, (0.0, 0.5))]
        x = extent(result)[1][0] + rng.uniform(-0.02, 0.25)
    return result


KINDS = (letter, letter, letter, word, scribble, scribble, zigzag, spiral, polygon, cross, face, heart, house, arrow, strokes, two_digits, two_digits)


def draw_strange(rng: np.random.Generator) -> Drawing:
    """Something that is no digit, of any kind, not yet deformed."""
    return KINDS[int(rng.integers(len(KINDS)))](rng)
