#!/usr/bin/env python3
"""Writes a network for other programs: .pth for PyTorch, .safetensors, .onnx, or a flat .json that needs no library."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`

from trainer.command import UsageError, make_parser, require, run  # noqa: E402

require("numpy")

import argparse  # noqa: E402

from inkling import weights  # noqa: E402
from trainer.exchange import formats  # noqa: E402
from trainer.files import atomic_file, same_file, shown  # noqa: E402
from trainer.models import find_model  # noqa: E402
from trainer.recipes import DEFAULT  # noqa: E402

TO = [suffix for suffix, (_, writer) in formats().items() if writer]


def parser(program: str = "export_model.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python -m trainer export convnet --to onnx")
    parser.add_argument("model", nargs="?", default=DEFAULT, metavar="MODEL", help=f"a name in weights/ or an .npz file; default {DEFAULT}")
    parser.add_argument("--to", choices=TO, required=True, help="the format; pth and onnx need PyTorch and onnx, safetensors its own small package")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the model's name with that suffix, in this folder")
    parser.add_argument("--force", action="store_true", help="write over a file that is there already")
    return parser


def main(arguments: list[str] | None = None, program: str = "export_model.py") -> int:
    return run(parser(program), export, arguments)


def export(options: argparse.Namespace) -> int:
    """Writes the file, and says what the format could not hold."""
    source, npz, _ = find_model(options.model)
    out = options.out or Path(f"{source.stem}.{options.to}")
    if any(same_file(out, path) for path in (source, source.with_suffix(".json"))):
        raise UsageError(f"{out}: would be written over, and it is the network itself or its card. Name another file with --out")
    if out.exists() and not options.force:
        raise UsageError(f"{out}: is there already. Name another file with --out, or say --force")
    model = weights.load(npz, str(source))
    data = formats()[options.to][1](model)
    with atomic_file(out) as file:
        file.write(data)
    print(f"{shown(out)}: {len(data):,} bytes, {model.n_parameters:,} parameters as float32")
    if options.to == "pth" and (model.temperature, model.threshold, model.second_look) != (1.0, 0.0, 0.0):
        print(f"A state_dict has no place for the model's temperature, threshold and second look. To import it again: "
              f"--temperature {model.temperature:g} --threshold {model.threshold:g} --second-look {model.second_look:g}")
    if model.second_look:
        print("Another program looks once, without the second look of site/py/inkling/views.py: it is right a little less often, and the threshold, "
              "which was chosen for two looks, declines a little more.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
