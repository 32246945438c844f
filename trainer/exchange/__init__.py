"""Networks from and for elsewhere: PyTorch's .pth, .safetensors, .onnx, and a flat .json that needs no library to read.

A reader takes a file's bytes and gives `Found`: tensors under PyTorch's names and in its layouts, and what the file says of itself.
A writer takes a model and gives bytes. Readers treat every file as a stranger's: sizes are looked at before there is room for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkling.model import Sequential

from ..command import TrainerError

MAX_FILE = 256 * 2**20  # bytes; a training checkpoint holds the parameters three times


class ExchangeError(TrainerError):
    """A file that can't be taken over, or a model that a format can't hold."""


@dataclass
class Found:
    """What a file holds.

    tensors: name -> array, in the order of the layers; PyTorch's names ("fc1.weight") and layouts.
    spec: the network as `Sequential.spec` has it, with temperature, threshold and second look, if the file says so.
    """

    tensors: dict[str, np.ndarray]
    spec: dict | None = None


def formats() -> dict[str, tuple[Callable[[bytes, str], Found] | None, Callable[[Sequential], bytes] | None]]:
    """Suffix -> (reader or None, writer or None)."""
    from . import json_file, onnx_file, safetensors_file, torch_file

    return {
        "pth": (torch_file.read, torch_file.write),
        "pt": (torch_file.read, None),
        "safetensors": (safetensors_file.read, safetensors_file.write),
        "onnx": (None, onnx_file.write),
        "json": (json_file.read, json_file.write),
    }


def read(path: Path) -> Found:
    """The content of a file, by its suffix. Raises ExchangeError."""
    readers = {suffix: reader for suffix, (reader, _) in formats().items() if reader}
    reader = readers.get(path.suffix.lower().removeprefix("."))
    if reader is None:
        raise ExchangeError(f"{path}: files that can be imported end in {', '.join('.' + suffix for suffix in readers)}")
    if not path.is_file():
        raise ExchangeError(f"{path}: no such file")
    if path.stat().st_size > MAX_FILE:
        raise ExchangeError(f"{path}: has {path.stat().st_size:,} bytes; at most {MAX_FILE:,} are read")
    return reader(path.read_bytes(), str(path))
