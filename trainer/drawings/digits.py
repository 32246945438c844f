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


def curled_zero(rng) -> Drawing:
    """One whose end runs on inside it."""
    start, overlap = rng.uniform(-130, -50), rng.uniform(30, 130)
    points = arc(0.5, 0.7, rng.uniform(0.38, 0.52), 0.7, start, start - 360 - overlap)
    turned = np.linspace(0, 360 + overlap, len(points))[:, None]
    inwards = rng.uniform(0.1, 0.5) * np.clip((turned - 300) / (60 + overlap), 0, 1)
    return [points + ((0.5, 0.7) - points) * inwards]


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


def hooked_one(rng) -> Drawing:
    """One with a long bent flag, as far as it stays a one, or a steep one along the stem; the pen often sets out with a hook."""
    if rng.random() < 0.5:
        flag = rng.uniform(0.3, 1.0)
        drop = flag * rng.uniform(0.55, 0.95)
    else:
        flag, drop = rng.uniform(0.12, 0.45), rng.uniform(0.45, 1.1)
    sag = rng.uniform(-0.02, 0.12) * drop
    hook = [(0.5 - flag + rng.uniform(-0.04, 0.14), drop - rng.uniform(0.02, 0.14))] if rng.random() < 0.5 else []
    foot = 0.5 - rng.uniform(-0.05, 0.4)
    stem = ((0.5, 0.0), (0.25 + foot / 2 + rng.normal(0, 0.03), 0.7), (foot, 1.4))
    return [curve(*hook, (0.5 - flag, drop), (0.5 - 0.4 * flag, 0.4 * drop + sag), (0.5, 0.0), *stem)]


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


def soft_three(rng) -> Drawing:
    """One line without a corner, its waist shallow or its upper half small."""
    waist, inner = rng.uniform(0.45, 0.72), rng.uniform(0.35, 0.68)
    upper, lower = rng.uniform(0.68, 0.9), rng.uniform(0.72, 1.0)
    return [curve((rng.uniform(0.0, 0.25), rng.uniform(0.08, 0.25)), (0.45, 0.0), (upper, waist / 2), (inner, waist),
                  (lower, (waist + 1.4) / 2), (0.4, 1.4), (rng.uniform(-0.05, 0.15), rng.uniform(1.15, 1.38)))]


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


def narrow_four(rng) -> Drawing:
    """An open one with a short bar and a short stem, often in one line."""
    bar, stem = rng.uniform(0.8, 1.1), rng.uniform(0.3, 0.6)
    left = (rng.uniform(-0.05, 0.15), bar)
    corner = [left] if rng.random() < 0.6 else []
    first = curve((rng.uniform(0.1, 0.35), 0.0), left, *corner, (stem + rng.uniform(0.0, 0.2), bar - rng.uniform(-0.02, 0.2)))
    second = line((stem + rng.normal(0, 0.04), bar - rng.uniform(0.1, 0.4)), (stem + rng.normal(0, 0.05), 1.4))
    return [np.concatenate((first, second))] if rng.random() < 0.5 else [first, second]


def leaning_four(rng) -> Drawing:
    """One whose stem runs from the upper right to the lower left."""
    left, bar = rng.uniform(0.05, 0.2), rng.uniform(0.5, 0.75)
    first = line((rng.uniform(0.25, 0.45), rng.uniform(0.0, 0.1)), (left, bar), (rng.uniform(0.6, 0.9), bar - 0.05))
    second = line((rng.uniform(0.75, 1.0), rng.uniform(0.0, 0.2)), (rng.uniform(0.2, 0.45), 1.4))
    return [np.concatenate((first, second))] if rng.random() < 0.3 else [first, second]


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


def small_looped_six(rng) -> Drawing:
    """A long line with a small or flat loop at its end."""
    rx, ry = rng.uniform(0.12, 0.32), rng.uniform(0.1, 0.25)
    foot = np.array((rng.uniform(0.1, 0.35), 1.4 - ry))
    tall = curve((rng.uniform(0.5, 0.95), 0.0), tuple((0.7, 0.7) * foot + (rng.uniform(0.05, 0.2), -0.2)), tuple(foot))
    return [np.concatenate((tall, arc(foot[0] + rx, foot[1], rx, ry, 180, 180 - rng.uniform(330, 420))))]


def seven(rng) -> Drawing:
    top = line((0.0, rng.normal(0.02, 0.04)), (0.95, 0.0))
    foot = (rng.uniform(0.2, 0.5), 1.4)
    stem = curve((0.95, 0.0), (0.62, 0.6), foot) if rng.random() < 0.5 else line((0.95, 0.0), foot)
    serif = line((0.0, rng.uniform(0.12, 0.3))) if rng.random() < 0.3 else np.empty((0, 2))
    return [np.concatenate((serif, top, stem[1:]))]


def crossed_seven(rng) -> Drawing:
    y, left, right = rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.4), rng.uniform(0.75, 1.05)
    return [*seven(rng), line((left, y + rng.normal(0, 0.04)), (right, y + rng.normal(0, 0.04)))]


def wavy_seven(rng) -> Drawing:
    """A crossed one whose strokes swing, often round at the upper right."""
    y, slope = rng.uniform(0.5, 0.95), rng.normal(0.05, 0.1)
    right = (rng.uniform(0.75, 0.95), rng.uniform(0.0, 0.12))
    corner = [right] if rng.random() < 0.5 else []
    top = curve((0.0, rng.uniform(0.1, 0.25)), (0.15, 0.0), (0.5, 0.03), right, *corner, (0.62, 0.65), (rng.uniform(0.1, 0.5), 1.4))
    return [top, curve((rng.uniform(0.0, 0.3), y - slope), (0.45, y - rng.uniform(0, 0.08)), (0.75, y), (rng.uniform(0.85, 1.1), y + slope + rng.uniform(0, 0.1)))]


def eight(rng) -> Drawing:
    waist = rng.uniform(0.58, 0.72)
    upper, lower = waist / 2, (1.4 - waist) / 2
    if rng.random() < 0.3:  # two rings
        return [arc(0.5, upper, 0.36, upper, -90, 270), arc(0.5, waist + lower, 0.46, lower, -90, rng.uniform(250, 290))]
    wide = rng.uniform(0.32, 0.42)
    return [curve((0.5 + wide, 0.18), (0.5, 0.0), (0.5 - wide, upper), (0.5, waist), (0.5 + wide + 0.08, waist + lower), (0.5, 1.4),
                  (0.5 - wide - 0.08, waist + lower), (0.5, waist), (0.5 + wide, upper), (0.5 + wide * 0.8, rng.uniform(0.05, 0.25)))]


def open_eight(rng) -> Drawing:
    """One whose end does not come back to its start: it begins at the upper left, or at the upper right."""
    waist = rng.uniform(0.6, 0.8)
    wide, lower = rng.uniform(0.15, 0.42), (1.4 + waist) / 2
    if rng.random() < 0.6:
        return [curve((rng.uniform(0.0, 0.2), rng.uniform(0.2, 0.45)), (0.45, 0.0), (0.85, 0.25), (0.5, waist), (0.5 - wide, lower), (0.45, 1.4),
                      (0.45 + wide, lower), (0.45, waist), (rng.uniform(-0.2, 0.3), waist - rng.uniform(0.0, 0.2)))]
    return [curve((rng.uniform(0.6, 0.85), rng.uniform(0.05, 0.2)), (0.4, 0.0), (0.5 - wide, waist / 2), (0.5, waist), (0.5 + wide, lower), (0.5, 1.4),
                  (0.5 - wide, lower), (0.5, waist), (rng.uniform(0.75, 1.0), rng.uniform(-0.05, 0.1)))]


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


def small_headed_nine(rng) -> Drawing:
    """One like a g: a small or flat head, gone round once or twice, and from its right or its lower side a long tail."""
    rx, ry, x = rng.uniform(0.13, 0.4), rng.uniform(0.1, 0.28), rng.uniform(0.35, 0.6)
    leave, turned = rng.uniform(0, 90), rng.uniform(330, 400) if rng.random() < 0.7 else rng.uniform(500, 740)
    head = arc(x, ry, rx, ry, leave + turned, leave)
    belly = (max(x + 0.2, 0.8) + rng.uniform(-0.05, 0.2), 0.95)
    return [np.concatenate((head, curve(tuple(head[-1]), belly, (0.55, 1.38), (rng.uniform(-0.15, 0.2), 1.4 - rng.uniform(0.0, 0.25)))))]


def open_nine(rng) -> Drawing:
    """One whose head does not close."""
    rx, ry = rng.uniform(0.3, 0.45), rng.uniform(0.25, 0.4)
    head = arc(0.85 - rx, ry, rx, ry, rng.uniform(-80, -30), -rng.uniform(200, 280))
    into = (0.85, rng.uniform(0.2, 0.9) * ry)
    tail = ((rng.uniform(0.5, 0.88), 1.4),) if rng.random() < 0.5 else ((0.85, 0.95), (0.55, 1.38), (rng.uniform(0.0, 0.3), 1.4 - rng.uniform(0, 0.2)))
    return [np.concatenate((head, curve((0.6, 2 * ry - 0.05), into, into, *tail)))]


FORMS: dict[int, tuple[Form, ...]] = {
    0: (zero, slashed_zero, slashed_zero, dotted_zero, curled_zero),
    1: (one, flagged_one, footed_one, footed_one, hooked_one, hooked_one),
    2: (two,),
    3: (three, soft_three),
    4: (open_four, closed_four, narrow_four, leaning_four),
    5: (five,),
    6: (six, small_looped_six),
    7: (seven, crossed_seven, crossed_seven, wavy_seven),
    8: (eight, open_eight),
    9: (nine, curled_nine, small_headed_nine, open_nine),
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
