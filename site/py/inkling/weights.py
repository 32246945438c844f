"""A trained network on disk: one `.npz` with its parameters and, as JSON text, the spec to rebuild it.

Keys are `<layer index>.<parameter>` ("0.W", "0.b", ...) and `spec`. Never pickle. A file may come from anyone, so the
reader looks at names, types, shapes and sizes before it makes room for a single array.
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
import zipfile
import zlib
from typing import BinaryIO

import numpy as np

from .model import Sequential

MAX_BYTES = 64 * 2**20  # unpacked, of one file; the largest shipped model has 0.5 MB
MAX_ARRAYS = 200
ZIP_ENTRY = b"PK\x01\x02"  # begins each entry of a zip's directory
MAX_HEADER = 1000  # bytes of one array's .npy header; a parameter's takes about 60
MAX_SPEC = 50_000  # characters
MAX_WORK = 50_000_000  # multiplications, and numbers held, for one image; the convnet has 1.2 million


class WeightsError(ValueError):
    """A weights file that can't be used. The message names the file, the key and what was expected."""


def save(file: str | os.PathLike | BinaryIO, model: Sequential, dtype: str = "float16") -> None:
    """Writes the model. dtype "float16" halves the file and costs no measurable accuracy; "float32" is exact.

    The same model gives the same bytes. Raises ValueError if a parameter is not finite in that dtype.
    """
    arrays = {}
    for key, array in model.parameters().items():
        with np.errstate(over="ignore"):  # reported below, with the key
            arrays[key] = array.astype(dtype)
        if not np.isfinite(arrays[key]).all():
            raise ValueError(f"'{key}' has values that {dtype} can't hold; nothing was written")
    np.savez_compressed(file, spec=np.array(json.dumps(model.spec())), **arrays)


def dumps(model: Sequential, dtype: str = "float32") -> bytes:
    """The bytes of a weights file."""
    file = io.BytesIO()
    save(file, model, dtype)
    return file.getvalue()


def load(file: str | os.PathLike | bytes, name: str | None = None) -> Sequential:
    """The model in a file, given by path or as its bytes. name: what errors call it (default: the path).

    Raises WeightsError if the file is missing or damaged, or its content is not a model of this format.
    """
    name = name or ("weights" if isinstance(file, bytes) else os.fspath(file))
    try:
        data = file if isinstance(file, bytes) else _contents(file)
        if len(data) > MAX_BYTES or data.count(ZIP_ENTRY) > MAX_ARRAYS:  # before zipfile lists what may be a million entries
            raise _too_much(name)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _model(archive, name)
    except FileNotFoundError as error:
        raise WeightsError(f"{name}: no such file. Make it with: python trainer/train.py") from error
    except WeightsError:
        raise
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, ValueError, OverflowError) as error:
        raise WeightsError(f"{name}: not a readable .npz file ({error}). Fetch or train it again") from error


def _contents(file: str | os.PathLike) -> bytes:
    with open(file, "rb") as opened:
        return opened.read(MAX_BYTES + 1)


def _too_much(name: str) -> WeightsError:
    return WeightsError(f"{name}: holds more than is read, which is at most {MAX_ARRAYS} arrays of {MAX_BYTES} bytes together")


def check_is_digit_reader(model: Sequential, name: str) -> None:
    """Raises WeightsError unless the model turns 28 x 28 pixels into one number for each digit. name: what the error calls the file."""
    if math.prod(model.input_shape) != 784 or model.output_shapes[-1] != (10,):
        raise WeightsError(f"{name}: turns {model.input_shape} into {model.output_shapes[-1]}; a digit recogniser turns 784 pixels into ten numbers")


def _model(archive: zipfile.ZipFile, name: str) -> Sequential:
    entries = archive.infolist()
    if not all(entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise WeightsError(f"{name}: is compressed in another way than NumPy does it; save it with numpy.savez")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise _too_much(name)
    by_key = {entry.filename.removesuffix(".npy"): entry for entry in entries}
    if "spec" not in by_key or len(by_key) != len(entries):
        raise WeightsError(f"{name}: 'spec' is missing or a key stands twice; this is no file of Inkling's format")
    try:
        model = Sequential.from_spec(json.loads(_read(archive, by_key.pop("spec"), name, None)))
        shapes = model.shapes()
    except (ValueError, RecursionError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{name}: 'spec': {error}") from error
    if by_key.keys() != shapes.keys():
        raise WeightsError(f"{name}: has {', '.join(sorted(by_key)) or 'no parameters'}; its spec needs {', '.join(sorted(shapes))}")
    if work(model) > MAX_WORK:
        raise WeightsError(f"{name}: 'spec' asks for {work(model)} multiplications for one image; at most {MAX_WORK} are done")
    model.set_parameters({key: _read(archive, entry, name, shapes[key]) for key, entry in by_key.items()})
    return model


def work(model: Sequential) -> int:
    """No fewer than the multiplications for one image, and than the numbers in any array on the way."""
    total = math.prod(model.input_shape)
    for layer, shape in zip(model.layers, model.output_shapes):
        n_parameters = sum(math.prod(shape) for shape in layer.shapes.values())
        total += math.prod(shape) + n_parameters * math.prod(shape[1:])  # a convolution works once for every place
    return total


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, shape: tuple[int, ...] | None):
    """One array, checked against the shape it must have; with shape None the spec's text."""
    key = entry.filename.removesuffix(".npy")
    with archive.open(entry) as file:
        try:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("unknown version of the .npy format")
            found, fortran_order, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=MAX_HEADER)
        except Exception as error:  # ast, tokenize, dtype: a hostile header finds many ways to be wrong
            raise WeightsError(f"{name}: '{key}' has no readable header ({error})") from error
        n_bytes = entry.file_size - file.tell()  # and no more is unpacked, whatever more there may be
        if shape is None:
            if found != () or dtype.kind != "U" or dtype.itemsize != n_bytes or n_bytes > 4 * MAX_SPEC:
                raise WeightsError(f"{name}: 'spec' must be one text of at most {MAX_SPEC} characters; it is {dtype} {found}")
            return str(np.frombuffer(file.read(n_bytes), dtype)[0])
        if dtype.str not in ("<f2", "<f4", "<f8"):
            raise WeightsError(f"{name}: '{key}' is {dtype}; it must be float16, float32 or float64")
        if found != shape:
            raise WeightsError(f"{name}: '{key}' is {found}; the model needs {shape}. Retrain with: python trainer/train.py")
        if n_bytes != math.prod(shape) * dtype.itemsize:
            raise WeightsError(f"{name}: '{key}' has {n_bytes} bytes; {dtype} {shape} needs {math.prod(shape) * dtype.itemsize}")
        array = np.frombuffer(file.read(n_bytes), dtype).reshape(shape, order="F" if fortran_order else "C")
    if not (np.abs(array) < np.finfo(np.float32).max).all():  # False for NaN too
        raise WeightsError(f"{name}: '{key}' has values that are not finite numbers. Fetch or train it again")
    return array
