"""Digits made by rule: the forms that people write and that neither MNIST nor one country's pen recordings have enough of.

Each form is a function of a random generator that gives strokes in a box of about 1 x 1.4, y down; `deform` makes hands of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import Drawing, hershey
from .deform import smooth

Form = Callable[[np.random.Generator], Drawing]

PLOTTED = 0.12  # share of the made digits that are a vector font's
PLOTTER_FONTS = ("futural", "rowmans", "scripts", "cursive")


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> np.ndarray:
    """Points on an ellipse around (x, y) from one angle to another; degrees, 0 to the right, 90 downwards."""
    n = max(3, int(abs(end - start) / 15))
    angles = np.deg2rad(np.linspace(start, end, n))
    return np.column_stack((x + rx * np.cos(angles), y + ry * np.sin(angles)))


def curve(*points: tuple[float, float]) -> np.ndarray:
    """A smooth line through points; one given twice is a corner."""
    return smooth(np.array(points, float))


def line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


def zero(rng) -> Drawing:
    start = rng.uniform(-140, -40)
    overlap = rng.uniform(-35, 40)  # less than 0 leaves it open at the top
    width = rng.uniform(0.3, 0.52)
    direction = rng.choice((-1, 1))
    return [arc(0.5, 0.7, width, 0.7, start, start + direction * (360 + overlap))]


def slashed_zero(rng) -> Drawing:
    reach = rng.uniform(0.55, 1.25)  # of the half diagonal: inside the oval, or through it
    dx, dy = 0.45 * reach, 0.62 * reach
    if rng.random() < 0.2:
        dx = -dx
    return [*zero(rng), line((0.5 - dx, 0.7 + dy), (0.5 + dx, 0.7 - dy))]


def dotted_zero(rng) -> Drawing:
    x, y = 0.5 + rng.normal(0, 0.03), 0.7 + rng.normal(0, 0.05)
    return [*zero(rng), line((x, y), (x + 0.02, y + 0.03))]


def one(rng) -> Drawing:
    return [line((0.5, 0.0), (0.5 + rng.normal(0, 0.04), 1.4))]


def flagged_one(rng) -> Drawing:
    flag = rng.uniform(0.15, 0.5)
    drop = flag * rng.uniform(0.65, 1.8)  # a flag that falls by less than 30 degrees makes a seven of it
    return [line((0.5 - flag, drop), (0.5, 0.0), (0.5, 1.4))]


def footed_one(rng) -> Drawing:
    left, right = rng.uniform(0.15, 0.45, 2)
    first = flagged_one(rng) if rng.random() < 0.75 else one(rng)
    return [*first, line((0.5 - left, 1.4), (0.5 + right, 1.4))]


def two(rng) -> Drawing:
    y = rng.uniform(0.3, 0.42)
    head = arc(0.48, y, 0.42, y, rng.uniform(-200, -150), 30)
    if rng.random() < 0.4:  # with a loop at the lower left
        return [np.concatenate((head, curve((0.6, 0.85), (0.25, 1.25), (0.08, 1.32), (0.1, 1.15), (0.35, 1.2), (0.7, 1.38), (1.0, 1.3))))]
    return [np.concatenate((head, line((0.02, 1.38), (rng.uniform(0.85, 1.05), 1.38 + rng.normal(0, 0.04)))))]


def three(rng) -> Drawing:
    waist = rng.uniform(0.58, 0.7)
    if rng.random() < 0.3:  # flat-topped
        return [np.concatenate((line((0.08, 0.0), (0.85, 0.0), (0.4, 0.52)), arc(0.42, 0.95, 0.46, 0.44, -95, 150)))]
    inner = rng.uniform(0.3, 0.5)
    return [np.concatenate((arc(0.42, waist / 2, 0.4, waist / 2, -160, 75), line((inner, waist)), arc(0.42, (waist + 1.4) / 2, 0.48, (1.4 - waist) / 2, -80, 150)))]


def open_four(rng) -> Drawing:
    bar = rng.uniform(0.7, 0.95)
    first = line((rng.uniform(0.1, 0.3), 0.0), (rng.uniform(0.0, 0.12), bar), (rng.uniform(0.8, 1.05), bar))
    x = rng.uniform(0.6, 0.85)
    return [first, line((x, rng.uniform(-0.05, 0.55)), (x + rng.normal(0, 0.05), 1.4))]


def closed_four(rng) -> Drawing:
    bar, x = rng.uniform(0.8, 1.0), rng.uniform(0.6, 0.75)
    if rng.random() < 0.5:
        return [line((x, 0.0), (0.0, bar), (rng.uniform(0.85, 1.05), bar)), line((x, 0.0), (x, 1.4))]
    return [line((rng.uniform(0.85, 1.05), bar), (0.0, bar), (x, 0.0), (x, 1.4))]


def five(rng) -> Drawing:
    x = rng.uniform(0.12, 0.25)
    body = np.concatenate((line((x, 0.0), (x - 0.06, 0.58)), arc(0.42, 0.93, 0.48, 0.46, -125, rng.uniform(120, 165))))
    bar = line((x + rng.uniform(-0.03, 0.06), rng.normal(0, 0.04)), (rng.uniform(0.75, 1.0), rng.normal(0, 0.05)))
    if rng.random() < 0.3:
        return [np.concatenate((bar[::-1], body))]
    return [body, bar]


def six(rng) -> Drawing:
    loop = rng.uniform(0.36, 0.46)
    tall = curve((rng.uniform(0.6, 0.9), 0.0), (0.25, 0.4), (0.06, 0.9))
    return [np.concatenate((tall, arc(0.06 + loop, 1.4 - loop, loop, loop, 180, 180 - rng.uniform(330, 400))))]


def seven(rng) -> Drawing:
    top = line((0.0, rng.normal(0.02, 0.04)), (0.95, 0.0))
    foot = (rng.uniform(0.2, 0.5), 1.4)
    stem = curve((0.95, 0.0), (0.62, 0.6), foot) if rng.random() < 0.5 else line((0.95, 0.0), foot)
    serif = line((0.0, rng.uniform(0.12, 0.3))) if rng.random() < 0.3 else np.empty((0, 2))
    return [np.concatenate((serif, top, stem[1:]))]


def crossed_seven(rng) -> Drawing:
    y, left, right = rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.4), rng.uniform(0.75, 1.05)
    return [*seven(rng), line((left, y + rng.normal(0, 0.04)), (right, y + rng.normal(0, 0.04)))]


def eight(rng) -> Drawing:
    waist = rng.uniform(0.58, 0.72)
    upper, lower = waist / 2, (1.4 - waist) / 2
    if rng.random() < 0.3:  # two rings
        return [arc(0.5, upper, 0.36, upper, -90, 270), arc(0.5, waist + lower, 0.46, lower, -90, rng.uniform(250, 290))]
    wide = rng.uniform(0.32, 0.42)
    return [curve((0.5 + wide, 0.18), (0.5, 0.0), (0.5 - wide, upper), (0.5, waist), (0.5 + wide + 0.08, waist + lower), (0.5, 1.4),
                  (0.5 - wide - 0.08, waist + lower), (0.5, waist), (0.5 + wide, upper), (0.5 + wide * 0.8, rng.uniform(0.05, 0.25)))]


def nine(rng) -> Drawing:
    loop = rng.uniform(0.34, 0.44)
    head = arc(0.85 - loop, loop, loop, loop, rng.uniform(-30, 0), -rng.uniform(340, 380))
    return [np.concatenate((head, line((0.85, loop * 0.8), (rng.uniform(0.55, 0.88), 1.4))))]


def curled_nine(rng) -> Drawing:
    loop = rng.uniform(0.32, 0.42)
    head = arc(0.85 - loop, loop, loop, loop, rng.uniform(-40, 0), -360)
    depth = rng.uniform(0.0, 0.35)
    tail = curve((0.85, loop), (0.87, 0.95), (0.62, 1.38), (0.25, 1.4), (rng.uniform(0.0, 0.15), 1.4 - depth))
    return [np.concatenate((head, tail))]


FORMS: dict[int, tuple[Form, ...]] = {
    0: (zero, slashed_zero, slashed_zero, dotted_zero),
    1: (one, flagged_one, footed_one, footed_one),
    2: (two,),
    3: (three,),
    4: (open_four, closed_four),
    5: (five,),
    6: (six,),
    7: (seven, crossed_seven, crossed_seven),
    8: (eight,),
    9: (nine, curled_nine),
}


def plotted(label: int, rng: np.random.Generator) -> Drawing:
    """A digit as a plotter writes it."""
    return hershey.strokes(str(label), PLOTTER_FONTS[int(rng.integers(len(PLOTTER_FONTS)))])


def draw_digit(label: int, rng: np.random.Generator) -> Drawing:
    """A digit, not yet deformed: a vector font's, or one of its forms, each as often as it stands in FORMS."""
    if rng.random() < PLOTTED:
        return plotted(label, rng)
    forms = FORMS[label]
    return forms[int(rng.integers(len(forms)))](rng)
