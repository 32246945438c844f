#!/usr/bin/env python3
"""Makes the data sets that the page learns from and measures with: site/data/*.npz.

Needed when their content is to change, and after another training of the default network, whose doubts choose what is rehearsed.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`

from trainer.command import make_parser, require, run  # noqa: E402

require("numpy", "tqdm", "fontTools", "HersheyFonts", "unlzw3")

import argparse  # noqa: E402

import numpy as np  # noqa: E402

from inkling import weights  # noqa: E402
from inkling.losses import softmax  # noqa: E402
from inkling.model import Sequential  # noqa: E402
from inkling.training import as_float  # noqa: E402
from trainer import ROOT  # noqa: E402
from trainer.data import Digits, Part, load_digits  # noqa: E402
from trainer.drawings.pool import Amounts, make_pool  # noqa: E402
from trainer.drawings.recorded import load_pen_digits, training_writers  # noqa: E402
from trainer.files import WEIGHTS, atomic_file, shown  # noqa: E402
from trainer.recipes import DEFAULT  # noqa: E402

FOLDER = ROOT / "site" / "data"
SEED = 2_000_000  # of the drawings: none of the seeds that training and calibration have
TRAIN, VALIDATION, FEW = 10_000, 1_000, 1_000  # the first of MNIST's training images, the last of them, the first of its test images
REHEARSED = {"mnist": 2_700, "recorded": 1_100, "made": 300, "strange": 900}
HARD_DIGITS, HARD_STRANGE = 400, 200  # two thirds of those that are rehearsed: with none but such ones, other models than the default learn worse
LEVELS = 17  # between two shades of grey that the rehearsal set tells apart: sixteen of them are nearly as good, and half the size


def parser(program: str = "site_data.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python trainer/site_data.py")
    parser.add_argument("--strokes", type=Path, metavar="FILE", help="recorded pen strokes, UCI's pendigits-orig.tra (.gz, .Z); default: fetched once")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER", help="default site/data")
    return parser


def main(arguments: list[str] | None = None) -> int:
    return run(parser(), make, arguments)


def make(options: argparse.Namespace) -> int:
    """Writes the four files; returns the exit code."""
    digits = load_digits()
    write(options.out / "mnist-train.npz", _first(digits.train, TRAIN), tuple(array[-VALIDATION:] for array in digits.validation))
    write(options.out / "mnist-test.npz", digits.test)
    write(options.out / "mnist-1000.npz", _first(digits.test, FEW))
    images, labels = rehearsal(digits, options.strokes)
    write(options.out / "rehearsal.npz", (images, labels), hardest=hardest(weights.load(WEIGHTS / f"{DEFAULT}.npz"), images, labels))
    return 0


def rehearsal(digits: Digits, strokes: Path | None) -> Part:
    """What a network must not forget while it learns a hand, mixed, so that any beginning of it will do: a label is -1 for what is no digit."""
    rng = np.random.default_rng(SEED)
    recorded = load_pen_digits(strokes)
    recorded = recorded.by(training_writers(recorded))
    # Recorded drawings come first, then made ones, then what is no digit (drawings/pool.py).
    images, labels = make_pool(recorded, [], Amounts(per_recorded=1, of_fonts=0, made=REHEARSED["made"], strange=REHEARSED["strange"]), SEED)
    pen = np.concatenate((rng.permutation(len(recorded))[:REHEARSED["recorded"]], np.arange(len(recorded), len(labels))))
    mnist = TRAIN + rng.permutation(len(digits.train[0]) - TRAIN)[:REHEARSED["mnist"]]  # none of those that can be trained with from nothing
    images = np.concatenate((_as_bytes(digits.train[0][mnist]), images[pen]))
    labels = np.concatenate((digits.train[1][mnist], labels[pen]))
    order = rng.permutation(len(labels))
    return (np.rint(images[order] / LEVELS) * LEVELS).astype(np.uint8), labels[order]


def hardest(model: Sequential, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Indices, uint16, of what the model would most easily lose.

    That is digits with the smallest lead of one answer over the next, and what is no digit but nearly taken for one.
    """
    probabilities = np.sort(softmax(model.predict_logits(as_float(images), once=True)), axis=1)  # at first sight, which is what learning changes
    by_lead = np.argsort(probabilities[:, -1] - probabilities[:, -2], kind="stable")
    by_doubt = np.argsort(-probabilities[:, -1], kind="stable")
    return np.concatenate((by_lead[labels[by_lead] >= 0][:HARD_DIGITS], by_doubt[labels[by_doubt] < 0][:HARD_STRANGE])).astype(np.uint16)


def write(path: Path, part: Part, validation: Part | None = None, **more: np.ndarray) -> None:
    """One .npz: images (N, 28, 28) uint8, labels (N,) int8, the same two for validation, and more. The same data give the same bytes."""
    arrays = {"images": _as_bytes(part[0]), "labels": part[1].astype(np.int8)} | more
    if validation:
        arrays |= {"validation_images": _as_bytes(validation[0]), "validation_labels": validation[1].astype(np.int8)}
    with atomic_file(path) as file:
        np.savez_compressed(file, **arrays)
    print(f"{shown(path)}: {len(part[0]):,} images, {path.stat().st_size:,} bytes")


def _first(part: Part, n: int) -> Part:
    return part[0][:n], part[1][:n]


def _as_bytes(images: np.ndarray) -> np.ndarray:
    return images if images.dtype == np.uint8 else np.rint(255 * images).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
