"""How well the product reads real drawings: held-out writers' strokes on the pad under the conditions that people draw in.

Every ink goes the product's own way, through `Session.predict`. Accuracy counts the best guess, accepted or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from inkling.session import Session

from . import Drawing
from . import digits as made
from . import strange
from .deform import deform
from .recorded import PenDigits
from .render import PEN, SIDE, extent, lay, render

SEED = 20260  # of all that is random here
MADE = 300  # digits of each form, and things of each kind, that are made by rule
NUMBERS = 400  # four-digit numbers
FORMS_FILE = Path(__file__).with_name("forms.json")  # form -> ids of recorded digits, picked by a rule (strokes, first movement) and by eye
Range = tuple[float, float]
APART, TOUCHING = (4, 16), (-6, 0)  # px between the digits of a number


@dataclass(frozen=True)
class Condition:
    """How a digit lies on the pad. size: longer side, in sides of the pad; place: 0..1, both ways; pen: px; tilt: degrees, either way."""

    size: Range = (0.5, 0.7)
    place: Range = (0.3, 0.7)
    pen: Range = (PEN, PEN)
    tilt: Range = (0, 0)
    corner: bool = False

    def ink(self, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        place = rng.integers(0, 2, 2) if self.corner else rng.uniform(*self.place, 2)
        tilt = np.deg2rad(rng.uniform(*self.tilt) * rng.choice((-1, 1)))
        return render(lay(drawing, rng.uniform(*self.size), tuple(place), tilt), rng.uniform(*self.pen))


CONDITIONS = {
    "normal size and place": Condition(),
    "tiny (25 % of the pad)": Condition(size=(0.25, 0.25), place=(0, 1)),
    "huge (90 %)": Condition(size=(0.9, 0.9)),
    "in a corner": Condition(size=(0.3, 0.5), corner=True),
    "thick pen (30 px)": Condition(pen=(30, 30)),
    "thin pen (10 px)": Condition(pen=(10, 10)),
    "tilted 15 degrees": Condition(tilt=(15, 15)),
    "anyhow": Condition(size=(0.25, 0.9), place=(0, 1), pen=(10, 30), tilt=(0, 15)),
}
HARD = ("tiny (25 % of the pad)", "huge (90 %)", "in a corner", "thick pen (30 px)", "thin pen (10 px)")
MADE_FORMS: dict[str, tuple[int, tuple[Callable, ...]]] = {
    "slashed zeros": (0, (made.slashed_zero,)),
    "flagged and footed ones": (1, (made.flagged_one, made.footed_one)),
    "crossed sevens": (7, (made.crossed_seven,)),
}
STRANGE = {
    "letters": lambda rng: strange.letter(rng),
    "letters of a font never trained with": lambda rng: strange.letter(rng, (strange.FONT_KEPT_BACK,)),
    "scribbles": lambda rng: (strange.scribble, strange.zigzag, strange.spiral)[rng.integers(3)](rng),
    "shapes, faces, signs": lambda rng: (strange.polygon, strange.cross, strange.face, strange.heart, strange.house, strange.arrow)[rng.integers(6)](rng),
}


@dataclass
class Row:
    """One line of the table: how often the best guess was right (or a strange thing was declined), and how often it was accepted."""

    name: str
    labels: np.ndarray
    answers: np.ndarray
    accepted: np.ndarray
    confidence: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return self.answers == self.labels


def measure_conditions(session: Session, digits: PenDigits) -> tuple[list[Row], list[tuple[int, dict]]]:
    """The rows of recorded digits under each condition, of recorded forms and of made ones; and the mistakes as (label, prediction)."""
    rows, mistakes = [], []
    for name, condition in CONDITIONS.items():
        row = _read(session, name, zip(digits.drawings, digits.labels), condition, mistakes)
        rows.append(row)
    for name, ids in json.loads(FORMS_FILE.read_text(encoding="utf-8")).items():
        of_file = {int(number): i for i, number in enumerate(digits.ids)}
        chosen = [of_file[i] for i in ids if i in of_file]
        if chosen:
            rows.append(_read(session, name, [(digits.drawings[i], digits.labels[i]) for i in chosen], CONDITIONS["anyhow"], mistakes))
    for name, (label, forms) in MADE_FORMS.items():
        rng = np.random.default_rng([SEED, 1])
        drawings = [(deform(forms[i % len(forms)](rng), rng, 0.7), label) for i in range(MADE)]
        rows.append(_read(session, f"{name}, made", drawings, CONDITIONS["anyhow"], mistakes))
    return rows, mistakes


def measure_strange(session: Session) -> list[Row]:
    """The rows of what is no digit: `right` never holds there; what counts is that it is not accepted."""
    rows = []
    for number, (name, make) in enumerate(STRANGE.items()):
        rng = np.random.default_rng([SEED, 2, number])
        drawings = [(deform(make(rng), rng, 0.7), -1) for _ in range(MADE)]
        rows.append(_read(session, name, drawings, Condition(size=(0.4, 0.9), pen=(10, 20), tilt=(0, 15))))
    return rows


def measure_numbers(session: Session, digits: PenDigits, gap: Range) -> tuple[int, int]:
    """(right, all) of four-digit numbers, each by one writer; right if every digit is. gap: as in `number_ink`."""
    rng = np.random.default_rng([SEED, 3])
    writers = sorted(set(digits.writers.tolist()))
    right = 0
    for _ in tqdm(range(NUMBERS), desc="numbers", disable=None, leave=False):
        own = np.flatnonzero(digits.writers == writers[rng.integers(len(writers))])
        chosen = rng.choice(own, 4)
        ink = number_ink([digits.drawings[i] for i in chosen], rng, gap)
        prediction = session.predict(ink, SIDE, SIDE, numbers=True)
        right += [digit["digit"] for digit in prediction["digits"]] == digits.labels[chosen].tolist()
    return right, NUMBERS


def number_ink(drawings: list[Drawing], rng: np.random.Generator, gap: Range = APART) -> np.ndarray:
    """Digits side by side across the pad. gap: px of paper between the boxes of their ink; less than 0 where they overlap."""
    pen = rng.uniform(6, 11)
    gap = (pen + rng.uniform(*gap)) / SIDE
    placed, x = [], 0.0
    for drawing in drawings:
        strokes = lay(drawing, rng.uniform(0.85, 1.0), (0.0, 0.5 + rng.normal(0, 0.15)))
        placed.append(strokes)
        x += extent(strokes)[1][0]
    scale = min((0.92 - 3 * gap) / x, 0.4)
    result, x = [], (1 - scale * x - 3 * gap) / 2
    top = rng.uniform(0.1, 0.9) * (0.9 - scale)
    for strokes in placed:
        result += [stroke * scale + (x, 0.05 + top) for stroke in strokes]
        x += extent(strokes)[1][0] * scale + gap
    return render(result, pen)


def _read(session: Session, name: str, drawings, condition: Condition, mistakes: list | None = None) -> Row:
    rng = np.random.default_rng([SEED, *name.encode()])
    results = list(_predictions(session, name, list(drawings), condition, rng))
    labels = np.array([label for label, _ in results])
    answers = np.array([prediction["digit"] for _, prediction in results])
    if mistakes is not None:
        mistakes += [result for result in results if result[0] != result[1]["digit"]]
    return Row(name, labels, answers, np.array([prediction["accepted"] for _, prediction in results]),
               np.array([prediction["confidence"] for _, prediction in results]))


def _predictions(session: Session, name: str, drawings: list, condition: Condition, rng: np.random.Generator) -> Iterator[tuple[int, dict]]:
    for drawing, label in tqdm(drawings, desc=name, disable=None, leave=False):
        yield int(label), session.predict(condition.ink(drawing, rng), SIDE, SIDE)
