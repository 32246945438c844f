"""A flat .json for programs that have nothing but a JSON parser: the layers in order, each with its numbers, row by row.

A Dense layer's out[j] is b[j] + the sum over i of x[i] * W[i * n_out + j]; a Conv2D's W runs over filter, channel, row, column.
The decimals are the shortest that give the same float32 again, so nothing is lost.
"""

from __future__ import annotations

import json
import math

import numpy as np

from inkling.model import Sequential

from . import ExchangeError, Found
from .names import to_torch

FORMAT = "inkling-network"
VERSION = 1
MAX_TEXT = 16 * 2**20  # bytes; parsed, JSON takes up to twenty times as much, and the largest shipped model has 2 MB


def write(model: Sequential) -> bytes:
    """{"format", "version", "input_shape", "layers": [{"type", ..., "W", "b"}], "temperature", "threshold"}, and "second_look" of one that looks twice."""
    document = {"format": FORMAT, "version": VERSION, **model.spec(), "temperature": model.temperature, "threshold": model.threshold}
    for entry, layer in zip(document["layers"], model.layers):
        entry |= {name: [float(str(value)) for value in array.ravel()] for name, array in layer.params.items()}
    return (json.dumps(document) + "\n").encode()


def read(data: bytes, file: str) -> Found:
    """Raises ExchangeError if it is not what `write` writes."""
    if len(data) > MAX_TEXT:
        raise ExchangeError(f"{file}: has {len(data):,} bytes; at most {MAX_TEXT:,} of JSON are read")
    try:
        document = json.loads(data)
        if not isinstance(document, dict) or (document.pop("format", None), document.pop("version", None)) != (FORMAT, VERSION):
            raise ExchangeError(f"{file}: its \"format\" must be \"{FORMAT}\" and its \"version\" {VERSION}")
        found = [{name: entry.pop(name) for name in ("W", "b") if name in entry} for entry in document["layers"]]
        model = Sequential.from_spec(document)
        arrays = {f"{i}.{name}": numbers for i, entry in enumerate(found) for name, numbers in entry.items()}
        shapes = model.shapes()
        if arrays.keys() != shapes.keys():
            raise ExchangeError(f"{file}: has {', '.join(sorted(arrays))}; its layers need {', '.join(sorted(shapes))}")
        model.set_parameters({key: _array(arrays[key], shape, key, file) for key, shape in shapes.items()})
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ExchangeError(f"{file}: not a network as JSON ({error})") from error
    return Found(to_torch(model), model.spec())


def _array(numbers: object, shape: tuple[int, ...], key: str, file: str) -> np.ndarray:
    if not isinstance(numbers, list) or len(numbers) != math.prod(shape):
        n = len(numbers) if isinstance(numbers, list) else "no"
        raise ExchangeError(f"{file}: '{key}' has {n} numbers; {shape} needs {math.prod(shape)}")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ExchangeError(f"{file}: '{key}' has values that are not finite numbers")
    with np.errstate(over="ignore"):  # an infinity is found where all readers' tensors are looked at
        return np.array(numbers, np.float64).astype(np.float32).reshape(shape)
