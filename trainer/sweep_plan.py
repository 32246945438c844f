"""What a sweep is to do: a TOML file of settings, of which each list is tried with every other; and one training of it.

    arch = ["784-32-10", "mlp-128-64"]
    optimizer = ["adamw", "momentum"]
    seed = [0, 1, 2]
    epochs = 5
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import math
import time
import tomllib
from pathlib import Path

from inkling import weights
from inkling.augment import augment
from inkling.settings import Settings
from inkling.training import train

from .command import UsageError
from .data import Digits, load_digits
from .files import sha256
from .recipes import DEFAULT, folder_name, recipe
from .runs import measure

MOST = 10_000  # trainings


def read_plan(path: Path, data: str | None) -> tuple[dict[str, Settings], list[str]]:
    """(name -> settings of each training, names of the settings that differ). What the file leaves out comes from the network's recipe.

    data: folder of the images, None for MNIST; a training on other data has another name.

    Raises UsageError if the file is no such plan.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file. It is TOML, such as: arch = [\"784-32-10\", \"convnet\"]") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from error
    lists = {key: value if isinstance(value, list) else [value] for key, value in document.items()}
    n = math.prod(len(values) for values in lists.values())
    if not 0 < n <= MOST:
        raise UsageError(f"{path}: stands for {n:,} trainings; a sweep has 1 to {MOST:,}")
    plan = {}
    for values in itertools.product(*lists.values()):
        chosen = dict(zip(lists, values))
        try:
            settings = Settings.from_dict(recipe(chosen.get("arch", DEFAULT)).to_dict() | chosen)
        except (ValueError, TypeError, RecursionError) as error:
            raise UsageError(f"{path}: {error}") from error
        plan[name_of(settings, data)] = settings
    return plan, [key for key, values in lists.items() if len(values) > 1]


def name_of(settings: Settings, data: str | None) -> str:
    """A training's name: its network, optimiser and seed for people, and a hash of all its settings and of where its data is."""
    digest = sha256(json.dumps([settings.to_dict(), data], sort_keys=True).encode())[:10]
    return f"{folder_name(settings)}-{settings.optimizer}-{digest}"


@functools.lru_cache(maxsize=1)
def _digits(folder: str | None) -> Digits:
    return load_digits(Path(folder) if folder else None)


def train_one(settings: dict, data: str | None) -> dict:
    """One training from its first epoch to its last, wherever it is called: nothing is read but the images, nothing is written.

    data: folder of files in MNIST's format, None for MNIST.
    Returns {"settings", "validation_loss", "validation_accuracy", "history" (validation accuracy after each epoch), "seconds", "files", "npz" (bytes)}.
    """
    chosen, digits = Settings.from_dict(settings), _digits(data)
    model, started, history = chosen.make_model(), time.perf_counter(), []
    images, labels = (part[:chosen.images] for part in digits.train)
    for progress in train(model, chosen.make_optimizer(), images, labels, chosen, augment=augment):
        if (progress.step + 1) * chosen.epochs % progress.total_steps == 0:
            loss, accuracy = measure(model, digits.validation)
            history.append(accuracy)
    if not math.isfinite(loss):
        raise ValueError(f"the loss is {loss}: its learning rate, {chosen.learning_rate:g}, is too high")
    npz = io.BytesIO()
    weights.save(npz, model)
    return {"settings": settings, "validation_loss": loss, "validation_accuracy": accuracy, "history": history,
            "seconds": round(time.perf_counter() - started, 1), "files": digits.files, "npz": npz.getvalue()}
