#!/usr/bin/env python3
"""Trains a network on MNIST and on drawings. Without options: the default model by its own recipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
# These matrices are small: with one thread for each product BLAS is as fast, and the result does not depend on the number of cores. `parallel` has others.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trainer.command import UsageError, make_parser, require, run  # noqa: E402

require("numpy", "matplotlib", "PIL", "tqdm", "fontTools", "HersheyFonts", "unlzw3")

import argparse  # noqa: E402
import json  # noqa: E402
from datetime import date  # noqa: E402

from inkling.optimizers import OPTIMIZERS, SCHEDULES  # noqa: E402
from inkling.training import Settings, evaluate  # noqa: E402
from trainer import plots  # noqa: E402
from trainer.cards import save_model, ship  # noqa: E402
from trainer.data import Digits, load_digits  # noqa: E402
from trainer.files import IN_PROJECT, RUNS, shown  # noqa: E402
from trainer.mixture import add_drawings  # noqa: E402
from trainer.recipes import DEFAULT, OPTIONS, RECIPES, folder_name, is_own_recipe, recipe  # noqa: E402
from trainer.runs import Run, estimate_seconds, read_settings  # noqa: E402


def parser(program: str = "train.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python trainer/train.py --arch 784-300-10 --epochs 5 --no-augment")
    add_options(parser)
    parser.add_argument("--resume", type=Path, metavar="RUN_FOLDER", help="go on with a run that was stopped, to the same result")
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a training run can be told, whichever library does the sums."""
    parser.add_argument("--arch", metavar="NAME", help=f"{', '.join(RECIPES)}, all (these three), or sizes such as 784-300-10; default {DEFAULT}")
    parser.add_argument("--optimizer", choices=OPTIMIZERS)
    parser.add_argument("--learning-rate", type=float, metavar="RATE", help="the highest, if the schedule changes it")
    parser.add_argument("--schedule", choices=SCHEDULES, help="of the learning rate")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images a step")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training images")
    parser.add_argument("--augment", action=argparse.BooleanOptionalAction, help="deform the digits while training")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same weights on the same machine; default 0")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="JSON with any of a run's settings; options above go before it")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of files in MNIST's format and names; default MNIST, fetched once")
    parser.add_argument("--drawings", action=argparse.BooleanOptionalAction, default=None,
                        help="train on pen drawings and on what is no digit, too; default: with MNIST yes, with --data no")
    parser.add_argument("--strokes", type=Path, metavar="FILE", help="recorded pen strokes, UCI's pendigits-orig.tra (.gz, .Z); default: fetched once")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the run; default runs/<date>-<arch>-<seed>")


def main(arguments: list[str] | None = None, program: str = "train.py") -> int:
    return run(parser(program), train, arguments)


def train(options: argparse.Namespace) -> int:
    """Runs what the options ask for; returns the exit code."""
    given = given_settings(options)
    if options.resume:
        if given or options.settings or options.out:
            raise UsageError("--resume takes everything from its folder; no other option but --data, --drawings and --strokes goes with it")
        return finish(Run.resume(options.resume, load_data(options, read_settings(options.resume / "settings.json").seed)))
    chosen = choose_settings(given, options.settings)
    digits = load_data(options, chosen[0].seed)
    announce(chosen, digits)
    for settings in chosen:
        folder = new_folder(settings, options.out, several=len(chosen) > 1)
        if code := finish(Run.start(folder, settings, digits)):
            return code
    return 0


def given_settings(options: argparse.Namespace) -> dict:
    """Those settings that options name."""
    return {name: getattr(options, name) for name in ("arch", *sorted(OPTIONS)) if getattr(options, name) is not None}


def load_data(options: argparse.Namespace, seed: int) -> Digits:
    """The images to train on: MNIST and drawings, or what the options say."""
    if options.drawings is False and options.strokes:
        raise UsageError("--no-drawings and --strokes do not go together")
    digits = load_digits(options.data)
    wanted = bool(options.strokes) or options.data is None if options.drawings is None else options.drawings
    return add_drawings(digits, options.strokes, seed) if wanted else digits


def choose_settings(given: dict, file: Path | None) -> list[Settings]:
    """The settings of each run: the recipe of its network, over it the file, over that the options."""
    from_file = {}
    if file is not None:
        try:
            from_file = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"--settings {file}: {error}") from error
        if not isinstance(from_file, dict):
            raise UsageError(f"--settings {file}: must be a JSON object such as {{\"epochs\": 5}}")
    changed = from_file | given
    arch = changed.pop("arch", DEFAULT)
    try:
        return [Settings.from_dict(recipe(name).to_dict() | changed) for name in (RECIPES if arch == "all" else [arch])]
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(str(error)) from error


def announce(chosen: list[Settings], digits: Digits) -> None:
    """Says what will be done, and how long it will take."""
    seconds = []
    for settings in chosen:
        seconds.append(estimate_seconds(settings, digits))
        print(f"{settings.arch}: {settings.make_model().n_parameters:,} parameters, {settings.optimizer}, {settings.epochs} epochs of "
              f"{len(digits.train[0][:settings.images]):,} images; about {duration(seconds[-1])} on this machine")
    if len(chosen) > 1:
        print(f"Together about {duration(sum(seconds))}")
    print("Ctrl-C stops and keeps the best weights so far", flush=True)


def duration(seconds: float) -> str:
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} minutes"


def new_folder(settings: Settings, out: Path | None, several: bool) -> Path:
    """Where a run goes: --out, a folder a network in it if there are several; else a name in runs/ that is still free."""
    if out is not None:
        return out / settings.arch if several else out
    folder = RUNS / f"{date.today().isoformat()}-{folder_name(settings)}"
    names = [folder, *(folder.with_name(f"{folder.name}-{n}") for n in range(2, 1000))]
    return next(name for name in names if not name.exists())


def finish(run: Run) -> int:
    """Trains the run to its end, writes what came of it, and says so. Returns the exit code: 1 if it was stopped."""
    print(f"Run folder: {shown(run.folder)}", flush=True)
    finished = run.train()
    model, card = save_model(run)
    name, accuracy, errors = card["name"], *(card.get(f"mnist_test_{key}", card.get(f"test_{key}")) for key in ("accuracy", "errors"))
    _, confusion = evaluate(model, *run.digits.test)
    if run.history:
        plots.draw_curves(run.folder / "curves.png", name, run.history, run.kept[1]["epoch"])
    plots.draw_confusion(run.folder / "confusion.png", name, confusion)
    plots.draw_mistakes(run.folder / "mistakes.png", name, model, run.digits.test)
    print(f"{name}: {accuracy:.2%} on the test images ({errors} of {confusion.sum():,} wrong), "
          f"{card['validation_accuracy']:.2%} on the validation images, at epoch {card['epoch']}")
    if not finished:
        print(f"Stopped after {len(run.history)} of {run.settings.epochs} epochs; the best weights so far are kept. "
              + (f"Go on with: {run.command} --resume {shown(run.folder)}" if run.resumable else "It can't be resumed"))
        return 1
    if type(run) is Run and belongs_in_weights(run):  # those in weights/ are of our own making
        print(ship(run, card))
    return 0


def belongs_in_weights(run: Run) -> bool:
    """Whether this is a shipped model made just as its recipe says, on MNIST, with no folder of its own asked for."""
    return IN_PROJECT and is_own_recipe(run.settings) and run.digits.is_mnist and bool(run.digits.drawings) and run.folder.resolve().parent == RUNS


if __name__ == "__main__":
    sys.exit(main())
