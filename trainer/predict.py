#!/usr/bin/env python3
"""Reads the digit, or the number, in pictures: photographs, scans, drawings; dark on light or light on dark."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trainer.command import TrainerError, make_parser, require, run  # noqa: E402

require("numpy", "PIL")

import argparse  # noqa: E402
import json  # noqa: E402

from inkling.session import Session  # noqa: E402
from trainer.models import find_model  # noqa: E402
from trainer.pictures import find_pictures, open_source, title  # noqa: E402
from trainer.recipes import DEFAULT  # noqa: E402

BAR = 30  # characters for a probability of 1
REASONS = {
    "too-small": "it is too small to tell",
    "several": "it looks like several digits; with --numbers they are read one by one",
    "not-a-digit": "it looks like none",
}


def parser(program: str = "predict.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python trainer/predict.py photo.jpg --json")
    parser.add_argument("images", nargs="+", metavar="image",
                        help="PNG, JPEG, WebP, GIF, BMP or TIFF, of at most 100 megapixels; a folder of them; - for standard input; or a data: URL")
    parser.add_argument("--model", default=DEFAULT, metavar="NAME", help=f"a name in weights/ or an .npz file; default {DEFAULT}")
    parser.add_argument("--numbers", action="store_true", help="read digits that stand side by side, instead of one digit")
    parser.add_argument("--json", action="store_true", 
                        help="print one JSON document: the whole prediction (docs/prediction.schema.json); of several pictures, an object of them by name")
    return parser


def main(arguments: list[str] | None = None, program: str = "predict.py") -> int:
    return run(parser(program), predict, arguments)


def predict(options: argparse.Namespace) -> int:
    """Prints what each picture says; returns 0 also if nothing is drawn in it, and 1 if one could not be read."""
    file, npz, card = find_model(options.model)
    session = Session()
    session.use_model(file.stem, npz, (card or {}).get("sha256"))
    sources = find_pictures(options.images)
    alone = len(sources) == 1 and sources == options.images  # a folder of one picture is still a folder
    answers, failed = {}, False
    for source in sources:
        try:
            rgba = open_source(source)
        except TrainerError as error:
            if alone:
                raise
            print(f"{options.program}: {error}", file=sys.stderr)
            failed = True
            continue
        height, width, channels = rgba.shape
        answers[source] = session.predict(rgba, width, height, channels, options.numbers)
        if not options.json:
            print(as_text(title(source), answers[source]), flush=True)
    if options.json:
        documents = {source: as_json(prediction) for source, prediction in answers.items()}
        print(json.dumps(documents[sources[0]] if alone else documents))
    return int(failed)


def as_json(prediction: dict) -> dict:
    """A prediction as JSON has it: the same fields, the image as a list of 784 numbers."""
    return {**prediction, "image": [round(float(value), 6) for value in prediction["image"]]}


def as_text(image: str, prediction: dict) -> str:
    """The answer for people: of a digit, a bar for each that is not out of the question; of a number, one for each of its digits."""
    if prediction["digit"] is None:
        return f"{image}: there is nothing drawn in it"
    sure = f"{prediction['confidence']:.1%} sure"
    by = f"{prediction['model']}, {prediction['ms']['total']:.1f} ms"
    if len(prediction["digits"]) > 1:
        lines = [f"{image}: {prediction['text']}  ({by})"]
        return "\n".join(lines + [_bar(entry["digit"] if entry["accepted"] else "?", entry["confidence"]) for entry in prediction["digits"]])
    if prediction["accepted"]:
        lines = [f"{image}: {prediction['text']}  ({sure}; {by})"]
    else:
        lines = [f"{image}: not a digit? {REASONS[prediction['reason']].capitalize()}. At best a {prediction['digit']}  ({sure}; {by})"]
    ranking = sorted(enumerate(prediction["probabilities"]), key=lambda pair: -pair[1])
    return "\n".join(lines + [_bar(digit, share) for digit, share in ranking if share >= 0.005])


def _bar(digit: int | str, share: float) -> str:
    return f"  {digit}  {share:6.1%}  {'#' * round(BAR * share)}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
