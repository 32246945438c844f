#!/usr/bin/env python3
"""Lists the networks in weights/, with what their model cards say."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`

from trainer.command import TrainerError, make_parser, require, run  # noqa: E402

require("numpy")

import argparse  # noqa: E402
import json  # noqa: E402

from trainer.files import sha256  # noqa: E402
from trainer.models import RETRAIN, find_model, shipped  # noqa: E402
from trainer.recipes import DEFAULT  # noqa: E402


def parser(program: str = "list_models.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python -m trainer models")
    parser.add_argument("--json", action="store_true", help="print one JSON document: the page's models(), a list of {name, card, current}")
    return parser


def main(arguments: list[str] | None = None, program: str = "list_models.py") -> int:
    return run(parser(program), list_all, arguments)


def list_all(options: argparse.Namespace) -> int:
    """Prints them; returns 1 if a file is not the one that its card describes."""
    found = {name: find_model(name) for name in shipped()}
    strange = [name for name, (_, npz, card) in found.items() if card.get("sha256") != sha256(npz)]
    if options.json:
        print(json.dumps([{"name": name, "card": card, "current": name == DEFAULT} for name, (_, _, card) in found.items()]))
    else:
        print("\n".join(as_text(card) + (", the default" if name == DEFAULT else "") for name, (_, _, card) in found.items()))
    for name in strange:
        print(f"{name}: the file is not the one that its card describes. Measure both: python -m trainer evaluate {name}", file=sys.stderr)
    return int(bool(strange))


def as_text(card: dict) -> str:
    """A line for people. Raises TrainerError if the card lacks what every card has."""
    drawings = card.get("drawings")
    try:
        return _line(card, drawings)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainerError(f"{card.get('name', 'a model')}: its card is damaged or lacks {error}. {RETRAIN}") from error


def _line(card: dict, drawings: dict | None) -> str:
    return (f"{card['name']:14}{card['parameters']:>9,} parameters {card['bytes'] / 1000:>5.0f} kB"
            + (f"  MNIST {card['mnist_test_accuracy']:.2%}" if "mnist_test_accuracy" in card else "")
            + (f"  drawings {drawings['right']['anyhow']:.1%}, what is no digit declined {drawings['declined']['all of these']:.1%}" if drawings else "")
            + f"  of {card['date']}")


if __name__ == "__main__":
    sys.exit(main())
