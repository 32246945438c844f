"""safetensors: a JSON header and the tensors' bytes. What belongs to a network beside its tensors stands in the header's metadata.

Read and written by the format's own library, whose reader checks that the tensors fill the file without gap or overlap.
"""

from __future__ import annotations

import json
import re

import numpy as np

from inkling.model import Sequential

from ..command import require
from . import ExchangeError, Found
from .names import to_torch

MAX_HEADER = 2**20  # bytes; ours have 2,000
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
SPEC = "inkling.spec"  # key of the metadata: what `Sequential.spec` gives, as JSON


def write(model: Sequential) -> bytes:
    """float32, PyTorch's names and layouts, and the spec as metadata: nothing is lost."""
    require("safetensors")
    from safetensors.numpy import save

    return save(to_torch(model), {SPEC: json.dumps(model.spec()), "format": "pt"})


def read(data: bytes, file: str) -> Found:
    """Raises ExchangeError if it is no such file or has tensors of a type that NumPy lacks."""
    require("safetensors")
    from safetensors import SafetensorError, deserialize

    n_header = int.from_bytes(data[:8], "little")
    if len(data) < 8 or n_header > min(len(data) - 8, MAX_HEADER):
        raise ExchangeError(f"{file}: not a whole .safetensors file; its header must have at most {MAX_HEADER} bytes and lie within the file")
    try:
        metadata = json.loads(data[8:8 + n_header]).get("__metadata__") or {}
        tensors = {name: _array(file, name, **tensor) for name, tensor in deserialize(data)}
        spec = json.loads(metadata[SPEC]) if SPEC in metadata else None
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ExchangeError(f"{file}: not a .safetensors file of floating-point tensors ({error})") from error
    return Found({name: tensors[name] for name in sorted(tensors, key=_natural)}, spec)


def _array(file: str, name: str, dtype: str, shape: list[int], data: bytes) -> np.ndarray:
    """A tensor in NumPy's nearest type; a bfloat16 is the upper half of a float32."""
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if dtype not in TYPES:
        raise ExchangeError(f"{file}: tensor {name} is of type {dtype}, which is not read here. Save it as float32")
    return np.frombuffer(data, TYPES[dtype]).reshape(shape)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sorts "fc10" after "fc2": the format keeps no order of its own."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name)]
