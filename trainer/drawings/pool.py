"""Training images from drawings: recorded ones drawn again and again, made ones, digits of fonts, and what is no digit, all through the page's own path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from inkling.preprocess import preprocess

from . import Drawing
from .blend import Blender
from .deform import deform, deform_whole
from .digits import draw_digit
from .fonts import Glyph
from .recorded import PenDigits
from .render import SIDE, fill, lay, render
from .strange import draw_strange

NO_DIGIT = -1  # the label of what is none of the ten
CHUNK = 500  # drawings that one process makes at a time, from one seed
BLENDING = 2**32 - 1  # beside the run's seed, that of what is blended: no chunk has this number

SIZES = (0.18, 0.95)  # of the pad's side; small ones as often as large ones, by ratio
PENS = (8.0, 32.0)  # px
ALONG_OUTLINE = 0.07  # of the drawing's side: the broadest pen that goes along a glyph's outline
BROADEST, BROADEST_STRANGE = 0.36, 0.16  # of the drawing's side: a broader pen leaves a blot that nobody can read
TILT = np.deg2rad(17.0)
AT_EDGE = 0.3  # share of the drawings that touch the pad's left or right edge, which cuts off half the pen, and of those at its top or bottom


@dataclass(frozen=True)
class Amounts:
    """How many images of each sort. per_recorded: of every recorded digit; of_fonts: of digits of fonts, each as often as any other.

    strength: with which recorded digits are deformed at most. Few people wrote them, and a form that one of them has may be any size and
    slant elsewhere: so it is more to train with, and 1 to measure with.   blended: share of recorded digits that are blended with somebody
    else's where one is near enough.
    """

    per_recorded: int
    of_fonts: int
    made: int
    strange: int
    strength: float = 1.5
    blended: float = 0.0


def make_pool(digits: PenDigits, glyphs: list[Glyph], amounts: Amounts, seed: int, workers: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(images (N, 28, 28) uint8, labels (N,) int64, NO_DIGIT among them), the same for the same seed however many processes make them.

    glyphs: of fonts; none are needed if `amounts` has none.
    """
    jobs = list(_jobs(digits, glyphs, amounts, seed))
    with ProcessPoolExecutor(workers or min(os.cpu_count() or 1, 8)) as processes:
        made = processes.map(_make, jobs)
        parts = list(tqdm(made, total=len(jobs), unit_scale=CHUNK, unit=" drawings", desc="Drawing", disable=None, leave=False))
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


Job = tuple[tuple[int, int], list, list[int], float]


def _jobs(digits: PenDigits, glyphs: list[Glyph], amounts: Amounts, seed: int) -> Iterator[Job]:
    """(seed, for each a recorded drawing, a glyph, or None for what is to be made, labels, strength), a chunk each."""
    outlined = [glyphs[i % len(glyphs)] for i in range(amounts.of_fonts)]
    sources = _recorded(digits, amounts, seed) + outlined + [None] * (amounts.made + amounts.strange)
    labels = [*np.tile(digits.labels, amounts.per_recorded).tolist(), *(glyph.digit for glyph in outlined), *(i % 10 for i in range(amounts.made)),
              *[NO_DIGIT] * amounts.strange]
    for number, start in enumerate(range(0, len(labels), CHUNK)):
        yield (seed, number), sources[start:start + CHUNK], labels[start:start + CHUNK], amounts.strength


def _recorded(digits: PenDigits, amounts: Amounts, seed: int) -> list[Drawing]:
    """Every recorded digit as often as it is wanted."""
    if not amounts.blended:
        return digits.drawings * amounts.per_recorded
    blender, rng = Blender(digits), np.random.default_rng([seed, BLENDING])
    drawings = []
    for _ in range(amounts.per_recorded):
        for i, drawing in enumerate(digits.drawings):
            blended = blender.blend(i, rng) if rng.random() < amounts.blended else None
            drawings.append(blended or drawing)
    return drawings


def _make(job: Job) -> tuple[np.ndarray, np.ndarray]:
    seed, sources, labels, strength = job
    rng = np.random.default_rng(seed)
    images = np.empty((len(labels), 28, 28), np.uint8)
    for i, (source, label) in enumerate(zip(sources, labels)):
        if isinstance(source, Glyph):
            ink = fill_anyhow(source.outlines, rng)
        elif label == NO_DIGIT:
            ink = draw_anyhow(draw_strange(rng), rng, BROADEST_STRANGE)
        elif source:
            ink = draw_anyhow(source, rng, strength=strength)
        else:
            ink = draw_anyhow(draw_digit(label, rng), rng)
        images[i] = np.rint(255 * preprocess(ink)[0])
    return images, np.array(labels)


def draw_anyhow(drawing: Drawing, rng: np.random.Generator, broadest: float = BROADEST, strength: float = 1.0) -> np.ndarray:
    """The ink of a drawing deformed at random, with up to that strength, and put anywhere on the pad, in any size, tilted, with any pen
    up to `broadest` of that size."""
    deformed = deform(drawing, rng, rng.uniform(0, strength))
    size, laid = _lay_anyhow(deformed, rng)
    return render(laid, min(rng.uniform(*PENS), broadest * size * SIDE))


def fill_anyhow(outlines: Drawing, rng: np.random.Generator) -> np.ndarray:
    """The ink of a glyph, deformed and put anywhere in the same way."""
    size, laid = _lay_anyhow(deform_whole(outlines, rng), rng)
    return fill(laid, rng.uniform(0, ALONG_OUTLINE) * size * SIDE)


def _lay_anyhow(drawing: Drawing, rng: np.random.Generator) -> tuple[float, Drawing]:
    """(size in sides of the pad, the drawing in its place)."""
    size = np.exp(rng.uniform(*np.log(SIZES)))
    place = np.where(rng.random(2) < AT_EDGE, rng.integers(0, 2, 2), rng.random(2))
    return size, lay(drawing, size, tuple(place), rng.uniform(-TILT, TILT))
