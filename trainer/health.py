#!/usr/bin/env python3
"""Says whether all is well: versions, the model, and whether sums and drawings whose result is known come out right."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trainer.command import make_parser, require, run  # noqa: E402

require("numpy")

import argparse  # noqa: E402
import json  # noqa: E402

from inkling.session import Session  # noqa: E402
from trainer.models import find_model  # noqa: E402
from trainer.recipes import DEFAULT  # noqa: E402


def parser(program: str = "health.py") -> argparse.ArgumentParser:
    parser = make_parser(program, f"{__doc__} Exit code 1 if they do not.", "python -m trainer health --json")
    parser.add_argument("--model", default=DEFAULT, metavar="NAME", help=f"a name in weights/ or an .npz file; default {DEFAULT}")
    parser.add_argument("--json", action="store_true", help="print one JSON document: the page's health(), with null for Pyodide and the boot")
    return parser


def main(arguments: list[str] | None = None, program: str = "health.py") -> int:
    return run(parser(program), check, arguments)


def check(options: argparse.Namespace) -> int:
    """Prints the health; returns 1 unless it is "ok"."""
    file, npz, card = find_model(options.model)
    session = Session()
    session.use_model(file.stem, npz, (card or {}).get("sha256"))
    health = session.health()
    document = {
        "status": "ok" if health["self_test"]["ok"] else "degraded",
        "versions": {**health["versions"], "pyodide": None},
        "model": {**health["model"], "mnist_test_accuracy": (card or {}).get("mnist_test_accuracy")},
        "boot": None,
        "self_test": health["self_test"],
    }
    print(json.dumps(document) if options.json else as_text(document))
    return int(document["status"] != "ok")


def as_text(health: dict) -> str:
    """For people."""
    versions, model = health["versions"], health["model"]
    accuracy = model["mnist_test_accuracy"]
    failed = [name for name, passed in health["self_test"].items() if not passed and name != "ok"]
    return "\n".join([
        f"{health['status']}: Inkling {versions['inkling']}, Python {versions['python']}, NumPy {versions['numpy']}",
        f"  model      {model['name']}, {model['parameters']:,} parameters" + (f", {accuracy:.2%} on MNIST's test images" if accuracy else ""),
        f"  sha256     {model['sha256']}",
        f"  self-test  {'failed: ' + ', '.join(failed) if failed else 'passed'}",
    ])


if __name__ == "__main__":
    sys.exit(main())
