"""Model cards: beside each `<name>.npz` a `<name>.json` that says what it is, how it was made and how good it is."""

from __future__ import annotations

import io
import platform
from datetime import date
from pathlib import Path

import numpy as np

from inkling import __version__, weights
from inkling.model import Sequential
from inkling.training import evaluate

from .calibration import calibrate
from .command import TrainerError
from .data import Digits
from .files import WEIGHTS, atomic_file, sha256, shown, write_json
from .models import read_card
from .recipes import command
from .runs import Run, measure


def save_model(run: Run) -> tuple[Sequential, dict]:
    """Writes the weights that the run gives, and their card, into its folder.

    Returns (model, card); the model is the file read back, so that all figures are those of what is on disk.
    """
    model = Sequential.from_spec(run.model.spec())
    model.set_parameters(run.kept[0])
    calibration = calibrate(model, run.digits)
    file = io.BytesIO()
    weights.save(file, model)
    npz, name = file.getvalue(), run.settings.arch
    model = weights.load(npz, name)
    card = make_card(name, model, npz, run) | {"calibration": calibration}
    if run.digits.held_out is not None:
        from .drawings.report import measure_drawings, summary  # only here: it needs Pillow and the fonts

        card["drawings"] = summary(measure_drawings(name, npz, run.digits.held_out, run.folder))
    with atomic_file(run.folder / f"{name}.npz") as out:
        out.write(npz)
    write_json(run.folder / f"{name}.json", card)
    return model, card


def make_card(name: str, model: Sequential, npz: bytes, run: Run) -> dict:
    """Everything that a person or the page may want to know of a model, JSON-ready.

    Its accuracies are those of the calibrated model, which looks twice; the run's log has those at first sight.
    """
    accuracy, errors = test_figures(model, run.digits)
    test = "mnist_test" if run.digits.is_mnist else "test"
    return {
        "name": name,
        "parameters": model.n_parameters,
        f"{test}_accuracy": accuracy,
        f"{test}_errors": errors,
        "validation_accuracy": measure(model, run.digits.validation)[1],
        "epoch": run.kept[1]["epoch"],
        **({} if run.finished else {"stopped_after_epochs": len(run.history)}),
        "command": command(run.settings, run.command),
        "seed": run.settings.seed,
        "settings": run.settings.to_dict(),
        "data": run.digits.describe(),
        "date": date.today().isoformat(),
        "versions": {"inkling": __version__, "numpy": np.__version__, "python": platform.python_version(), **run.versions},
        "sha256": sha256(npz),
        "bytes": len(npz),
        "architecture": model.spec(),
    }


def make_imported_card(name: str, model: Sequential, npz: bytes, source: Path, digits: Digits) -> dict:
    """What there is to say of a network that was made elsewhere: what it is, where it came from, how it does on the test images."""
    accuracy, errors = test_figures(model, digits)
    test = "mnist_test" if digits.is_mnist else "test"
    return {
        "name": name,
        "parameters": model.n_parameters,
        f"{test}_accuracy": accuracy,
        f"{test}_errors": errors,
        "imported_from": {"file": source.name, "sha256": sha256(source.read_bytes())},
        "date": date.today().isoformat(),
        "versions": {"inkling": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "sha256": sha256(npz),
        "bytes": len(npz),
        "architecture": model.spec(),
    }


def test_figures(model: Sequential, digits: Digits) -> tuple[float, int]:
    """(share of right answers, number of wrong ones) on the test images."""
    accuracy, confusion = evaluate(model, *digits.test)
    return accuracy, int(confusion.sum() - confusion.trace())


def ship(run: Run, card: dict, folder: Path = WEIGHTS) -> str:
    """Puts a model of its own recipe in place of the one in weights/, unless that is better. Returns a line that says what was done.

    Better is decided by validation accuracy, of models of the same data: choosing by the test set would spoil it as a measure.
    """
    name = card["name"]
    npz, card_file = folder / f"{name}.npz", folder / f"{name}.json"
    try:
        before = read_card(card_file) if npz.exists() else {}
        old = before.get("validation_accuracy") or 0.0 if before.get("data") == card.get("data") else 0.0
    except (OSError, TrainerError):
        old = 0.0
    new = card["validation_accuracy"]
    if new < old:
        return (f"{shown(npz)} is left as it is: it has {old:.2%} on the validation images, this run {new:.2%}. "
                f"To use this run all the same, copy {name}.npz and {name}.json there from {shown(run.folder)}")
    for path in (npz, card_file):
        with atomic_file(path) as file:
            file.write((run.folder / path.name).read_bytes())
    return f"{shown(npz)} and its card are now those of this run (validation: {old:.2%} before, {new:.2%} now)"
