#!/usr/bin/env python3
"""Measures models on MNIST's 10,000 test images, on real drawings if asked to, and checks that each is the file its card describes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trainer.command import UsageError, make_parser, require, run  # noqa: E402

require("numpy", "tqdm")

import argparse  # noqa: E402
import json  # noqa: E402

import numpy as np  # noqa: E402

from inkling import weights  # noqa: E402
from inkling.training import evaluate  # noqa: E402
from trainer.data import Digits, load_digits  # noqa: E402
from trainer.drawings.recorded import HELD_OUT, load_pen_digits  # noqa: E402
from trainer.files import RUNS, sha256  # noqa: E402
from trainer.intervals import wilson_interval  # noqa: E402
from trainer.models import find_model, shipped  # noqa: E402

FETCHED = Path("fetched")  # --strokes without a file
ROUNDING = 2  # images on which another processor's rounding may decide otherwise


def parser(program: str = "evaluate.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python trainer/evaluate.py convnet")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="a name in weights/ or an .npz file; default: all of weights/")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of files in MNIST's format and names; default MNIST, fetched once")
    parser.add_argument("--strokes", nargs="?", type=Path, const=FETCHED, metavar="FILE",
                        help="measure on real drawings, too: recorded pen strokes (UCI's pendigits-orig.tra, plain, .gz or .Z); without FILE fetched once")
    parser.add_argument("--writers", nargs="+", type=int, default=HELD_OUT, metavar="N", help="whose strokes; default those never trained with")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where the sheets of mistakes on drawings go; default runs/")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def main(arguments: list[str] | None = None, program: str = "evaluate.py") -> int:
    return run(parser(program), measure_all, arguments)


def measure_all(options: argparse.Namespace) -> int:
    """Measures every model asked for; returns 1 if one does not agree with its card."""
    found = [find_model(name) for name in options.models or shipped()]
    digits = load_digits(options.data)
    results = [measure(*model, digits) for model in found]
    if options.strokes:
        require("matplotlib", "PIL", "HersheyFonts")
        from trainer.drawings.report import measure_drawings  # only here: MNIST alone needs none of these

        recorded = load_pen_digits(None if options.strokes == FETCHED else options.strokes).by(options.writers)
        if not len(recorded):
            raise UsageError(f"--writers {' '.join(map(str, options.writers))}: none of them is in the file")
        for result, (file, npz, _) in zip(results, found):
            result["drawings"] = measure_drawings(file.stem, npz, recorded, options.pictures or RUNS)
    if options.json:
        print(json.dumps({"models": results}, indent=2))
    else:
        print("\n\n".join(as_text(result) for result in results))
    return int(any(result["disagreements"] for result in results))


def measure(file: Path, npz: bytes, card: dict | None, digits: Digits) -> dict:
    """The figures of one model, JSON-ready, and in `disagreements` what does not fit its card."""
    model = weights.load(npz, str(file))
    weights.check_is_digit_reader(model, str(file))
    accuracy, confusion = evaluate(model, *digits.test)
    n_images = int(confusion.sum())
    errors = n_images - int(np.trace(confusion))
    return {
        "name": file.stem,
        "parameters": model.n_parameters,
        "bytes": len(npz),
        "test_images": n_images,
        "accuracy": accuracy,
        "interval_95": wilson_interval(n_images - errors, n_images),
        "errors": errors,
        "confusion": confusion.tolist(),
        "disagreements": disagreements(card, npz, model.n_parameters, errors if digits.is_mnist else None),
    }


def disagreements(card: dict | None, npz: bytes, parameters: int, errors: int | None) -> list[str]:
    """What a card says otherwise, a sentence each. errors: None if they were not measured on MNIST.

    A card need not say everything: one from the page knows no test images, and over plain http no checksum.
    """
    card = {key: said for key, said in (card or {}).items() if said is not None}
    facts = {"sha256": sha256(npz), "bytes": len(npz), "parameters": parameters}
    told = [f"{key} is {found}; the card says {card[key]}" for key, found in facts.items() if card.get(key, found) != found]
    said = card.get("mnist_test_errors", errors)
    if errors is not None and (not isinstance(said, int) or abs(said - errors) > ROUNDING):
        told.append(f"there are {errors} errors on the test images; the card says {said}")
    return told


def as_text(result: dict) -> str:
    """A result for people: one line of figures, the confusion matrix, what the card says."""
    low, high = result["interval_95"]
    lines = [
        f"{result['name']}: {result['accuracy']:.2%} right (95 % interval {low:.2%} to {high:.2%}), "
        f"{result['errors']} of {result['test_images']:,} wrong; {result['parameters']:,} parameters, {result['bytes'] / 1000:.0f} kB",
        "  truth      answer " + "".join(f"{digit:6}" for digit in range(10)),
        *(f"  {digit:5}{'':14}" + "".join(f"{count or '.':>6}" for count in row) for digit, row in enumerate(result["confusion"])),
        *(drawings_as_text(result["drawings"]) if "drawings" in result else ()),
        *(f"  DOES NOT FIT ITS CARD: {told}" for told in result["disagreements"]),
    ]
    return "\n".join(lines)


def drawings_as_text(result: dict) -> list[str]:
    """The lines of a table for people."""

    def line(share: dict) -> str:
        low, high = share["interval_95"]
        return f"    {share['name']:40} {share['share']:7.2%}  ({low:.2%} to {high:.2%})  {share['right']:,} of {share['n']:,}"

    return [
        f"  drawings: {result['digits']:,} digits by writers {', '.join(map(str, result['writers']))}; best guess right:",
        *map(line, result["conditions"]),
        "  accepted, and what is no digit declined:",
        *map(line, result["accepted"] + result["declined"] + result["numbers"]),
        f"  expected calibration error on the recorded digits: {result['calibration_error']:.2%}",
        "  drawn anyhow: truth, answer" + "".join(f"{digit:6}" for digit in range(10)),
        *(f"  {digit:5}{'':22}" + "".join(f"{count or '.':>6}" for count in row) for digit, row in enumerate(result["confusion"])),
        f"  mistakes: {result['picture']}",
    ]


if __name__ == "__main__":
    sys.exit(main())
