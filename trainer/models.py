"""Finding a model by name: those in weights/, or any .npz file; and its card, if one lies beside it."""

from __future__ import annotations

import json
from pathlib import Path

from inkling import weights

from .command import TrainerError
from .files import WEIGHTS

MAX_FILE = weights.MAX_BYTES + 2**20  # of an .npz: what its arrays may have, and the zip around them
MAX_CARD = 2**20  # bytes; the shipped ones have some 4,000
RETRAIN = "Make it again with: python trainer/train.py"


def shipped() -> list[str]:
    """The names of the models in weights/: whatever has a card there. Raises TrainerError if there is none."""
    names = sorted(path.stem for path in WEIGHTS.glob("*.json"))
    if not names:
        raise TrainerError(f"{WEIGHTS}: there is no model. {RETRAIN} --arch all")
    return names


def find_model(name: str) -> tuple[Path, bytes, dict | None]:
    """(file, its content, its card or None). name: of a model in weights/, or the path of an .npz file."""
    file = Path(name) if name.endswith(".npz") else WEIGHTS / f"{name}.npz"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in WEIGHTS.glob("*.npz"))) or "none"
        raise TrainerError(f"there is no model '{name}'; in weights/ there are: {there}. Any other is named by its .npz file")
    _check_size(file, MAX_FILE)
    card = file.with_suffix(".json")
    return file, file.read_bytes(), read_card(card) if card.is_file() else None


def read_card(path: Path) -> dict:
    """A model card. Raises TrainerError if the file is not one."""
    _check_size(path, MAX_CARD)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise TrainerError(f"{path}: not JSON ({error}). {RETRAIN}") from error
    if not isinstance(card, dict):
        raise TrainerError(f"{path}: not a model card. {RETRAIN}")
    if not isinstance(card.get("sha256"), str | None):
        raise TrainerError(f"{path}: 'sha256' must be a text. {RETRAIN}")
    for key in ("mnist_test_accuracy", "test_accuracy", "validation_accuracy"):
        if not _is_share(card.get(key, 0)):
            raise TrainerError(f"{path}: '{key}' must be a number from 0 to 1. {RETRAIN}")
    return card


def _check_size(path: Path, most: int) -> None:
    if (size := path.stat().st_size) > most:  # before it is read: a file may be larger than the memory
        raise TrainerError(f"{path}: has {size:,} bytes; at most {most:,} are read")


def _is_share(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1)
