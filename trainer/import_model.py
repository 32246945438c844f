#!/usr/bin/env python3
"""Takes over a network from elsewhere, PyTorch's .pth, .safetensors or our .json, as an .npz file that all other commands know."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`

from trainer.command import UsageError, make_parser, require, run  # noqa: E402

require("numpy")

import argparse  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402

from inkling import weights  # noqa: E402
from inkling.model import Sequential, architecture  # noqa: E402
from trainer.exchange import ExchangeError, Found, read  # noqa: E402
from trainer.exchange.infer import infer_spec  # noqa: E402
from trainer.exchange.names import blocks, build, fold_normalization  # noqa: E402
from trainer.files import atomic_file, same_file, shown, write_json  # noqa: E402

MAX_SPEC_FILE = 16 * 2**20  # bytes


def parser(program: str = "import_model.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python -m trainer import mine.pth --out mine.npz")
    parser.add_argument("file", type=Path, help=".pth or .pt with a state_dict, .safetensors, or .json as `export` writes it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the same name with .npz, in this folder")
    parser.add_argument("--arch", metavar="NAME_OR_FILE",
                        help="the layers, if names and shapes do not tell them: convnet, 784-300-10, or a JSON file with a spec, such as a model card")
    parser.add_argument("--normalized", nargs=2, type=float, metavar=("MEAN", "STD"),
                        help="it was trained on (image - MEAN) / STD, such as 0.1307 0.3081: folded into the first layer")
    parser.add_argument("--temperature", type=float, metavar="T", help="logits are divided by it; default: what the file says, else 1")
    parser.add_argument("--threshold", type=float, metavar="P", help="least probability of an answer; default: what the file says, else 0")
    parser.add_argument("--second-look", type=float, metavar="LEAD",
                        help="an image whose best logit leads by less is read from aside, too; default: what the file says, else 0, never")
    parser.add_argument("--dtype", choices=["float32", "float16"], default="float32", help="of the .npz: exact, or half as large")
    parser.add_argument("--card", action="store_true",
                        help="measure it on MNIST's test images and write a model card beside it: with both in weights/ the page offers it")
    parser.add_argument("--data", type=Path, metavar="DIR", help="with --card: folder of files in MNIST's format and names; default MNIST, fetched once")
    parser.add_argument("--force", action="store_true", help="write over a file that is there already")
    return parser


def main(arguments: list[str] | None = None, program: str = "import_model.py") -> int:
    return run(parser(program), import_file, arguments)


def import_file(options: argparse.Namespace) -> int:
    """Reads, checks that it is a digit recogniser, writes, and says what was assumed."""
    out, card = targets(options)
    model, told = read_model(options)
    npz = io.BytesIO()
    weights.save(npz, model, options.dtype)
    model = weights.load(npz.getvalue(), str(options.file))  # with all its limits, before anything is written
    weights.check_is_digit_reader(model, str(options.file))
    document = make_card(out.stem, model, npz.getvalue(), options) if card else {}
    with atomic_file(out) as file:
        file.write(npz.getvalue())
    layers = ", ".join(type(layer).__name__ for layer in model.layers)
    print(f"{shown(out)}: {layers}; {model.n_parameters:,} parameters, temperature {model.temperature:g}, threshold {model.threshold:g}, "
          f"second look {model.second_look:g}")
    if told:
        print(told)
    if card:
        write_json(card, document)
        accuracy = document.get("mnist_test_accuracy", document.get("test_accuracy"))
        print(f"{shown(card)}: {accuracy:.2%} on the test images")
    else:
        print(f"Measure it with: python -m trainer evaluate {shown(out)}")
    return 0


def targets(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """(the .npz, its card or None). Raises UsageError if one is there already, or is a file that is read, which --force does not change."""
    out = options.out or Path(f"{options.file.stem}.npz")
    if out.suffix != ".npz":
        raise UsageError(f"--out {out}: must end in .npz, by which all other commands know a network")
    card = out.with_suffix(".json") if options.card else None
    for path in (out, card):
        if path is None:
            continue
        if any(source and same_file(path, Path(source)) for source in (options.file, options.arch)):
            raise UsageError(f"{path}: would be written over, and it is what is read. Name another file with --out")
        if path.exists() and not options.force:
            raise UsageError(f"{path}: is there already. Name another file with --out, or say --force")
    if options.data and not card:
        raise UsageError("--data is what a card is measured on; it goes with --card")
    return out, card


def read_model(options: argparse.Namespace) -> tuple[Sequential, str]:
    """(the network as the options want it, what had to be assumed or "")."""
    stated = read_spec(options.arch) if options.arch else None
    model, told = to_model(read(options.file), str(options.file), stated)
    if options.normalized:
        mean, std = options.normalized
        if not (abs(mean) < 1e6 and 1e-6 < std < 1e6):
            raise UsageError(f"--normalized {mean:g} {std:g}: MEAN must be a number and STD one above 0")
        fold_normalization(model, mean, std, str(options.file))
    try:
        model.calibrate(model.temperature if options.temperature is None else options.temperature,
                        model.threshold if options.threshold is None else options.threshold, options.second_look)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return model, told


def make_card(name: str, model: Sequential, npz: bytes, options: argparse.Namespace) -> dict:
    """The model card, with figures measured now."""
    require("tqdm")
    from trainer.cards import make_imported_card  # only here: it loads the trainer
    from trainer.data import load_digits

    return make_imported_card(name, model, npz, options.file, load_digits(options.data))


def to_model(found: Found, file: str, stated: dict | None = None) -> tuple[Sequential, str]:
    """(the network in a file, what had to be assumed or ""). stated: its spec, which goes before what the file says."""
    layers = blocks(found.tensors, file)
    if stated is not None:
        said = found.spec if isinstance(found.spec, dict) else {}
        return build({key: said[key] for key in ("temperature", "threshold", "second_look") if key in said} | stated, layers, file), ""
    if found.spec is not None:
        return build(found.spec, layers, file), ""
    spec, told = infer_spec(layers, file)
    return build(spec, layers, file), told


def read_spec(name: str) -> dict:
    """The spec that --arch states: by name, or in a JSON file, bare or as the "architecture" of a model card."""
    if not name.endswith(".json"):
        try:
            return architecture(name)
        except ValueError as error:
            raise UsageError(f"--arch: {error}; or a .json file with a spec") from error
    path = Path(name)
    try:
        if path.stat().st_size > MAX_SPEC_FILE:
            raise ExchangeError(f"--arch {name}: is too large for a spec")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ExchangeError(f"--arch {name}: {error}") from error
    spec = document.get("architecture", document) if isinstance(document, dict) else None
    if not isinstance(spec, dict) or not isinstance(spec.get("layers"), list):
        raise ExchangeError(f"--arch {name}: is no spec; it must have \"input_shape\" and \"layers\", as a model card's \"architecture\"")
    return spec


if __name__ == "__main__":
    sys.exit(main())
