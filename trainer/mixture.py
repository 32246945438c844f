"""What the shipped models are trained on: MNIST, recorded pen strokes, digits of fonts, made digits, and what is no digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.training import as_float

from .data import Digits
from .drawings.digits import FORMS
from .drawings.fonts import FONTS, VERSION, load_glyphs
from .drawings.pool import Amounts, make_pool
from .drawings.recorded import HELD_OUT, TUNING, PenDigits, load_pen_digits, training_writers

MNIST_TIMES = 4  # each of its images is seen so often in an epoch: else drawings would outweigh it five to one
TRAINING_AMOUNTS = Amounts(per_recorded=16, of_fonts=42_000, made=72_000, strange=72_000, blended=0.5)
TUNING_AMOUNTS = Amounts(per_recorded=3, of_fonts=0, made=0, strange=2_000, strength=1.0)  # 1,500 images of digits beside MNIST's 5,000 for validation
TUNING_SEED = 1_000_000  # added to the run's: not the seed of a training image


def add_drawings(digits: Digits, strokes: Path | None, seed: int, amounts: Amounts = TRAINING_AMOUNTS) -> Digits:
    """A data set with drawings added to its training and validation images, and to `strange` what is no digit.

    strokes: file of the recorded pen digits; None fetches it. The writers in HELD_OUT appear nowhere.
    """
    recorded = load_pen_digits(strokes)
    writers = training_writers(recorded)
    glyphs = load_glyphs() if amounts.of_fonts else []
    images, labels = make_pool(recorded.by(writers), glyphs, amounts, seed)
    tuning_images, tuning_labels = make_pool(recorded.by(TUNING), [], TUNING_AMOUNTS, seed + TUNING_SEED)
    drawn = tuning_labels >= 0
    return Digits(
        train=(
            np.concatenate((*[_as_bytes(digits.train[0])] * MNIST_TIMES, images)),
            np.concatenate((*[digits.train[1]] * MNIST_TIMES, labels)),
        ),
        validation=(
            np.concatenate((digits.validation[0], as_float(tuning_images[drawn]))),
            np.concatenate((digits.validation[1], tuning_labels[drawn])),
        ),
        test=digits.test,
        files=digits.files,
        strange=as_float(tuning_images[~drawn]),
        drawings=describe(recorded, writers, amounts, seed),
        n_drawn=int(drawn.sum()),
        held_out=recorded.by(HELD_OUT),
    )


def describe(recorded: PenDigits, writers: list[int], amounts: Amounts, seed: int) -> dict:
    """What a model card says of the drawings."""
    return {
        "recorded": {"name": "Pen-Based Recognition of Handwritten Digits (UCI 81), training part", "sha256": recorded.sha256,
                     "writers": {"training": writers, "tuning": list(TUNING), "held_out": list(HELD_OUT)}},
        "fonts": {"packages": "@fontsource", "version": VERSION, "names": list(FONTS)} if amounts.of_fonts else {},
        "images": {"mnist_times": MNIST_TIMES, "recorded": amounts.per_recorded * int(np.isin(recorded.writers, writers).sum()),
                   "of_fonts": amounts.of_fonts, "made": amounts.made, "no_digit": amounts.strange},
        "strength": amounts.strength,
        "blended": amounts.blended,
        "forms": [form.__name__ for forms in FORMS.values() for form in dict.fromkeys(forms)] if amounts.made else [],
        "seed": seed,
    }


def _as_bytes(images: np.ndarray) -> np.ndarray:
    return np.rint(255 * images).astype(np.uint8)
