"""Makes weights files for the tests: valid ones, and ones that are wrong in exactly one place."""

import contextlib
import functools
import io
import json
import tracemalloc
import zipfile

import numpy as np

from inkling import weights
from inkling.model import Sequential

SPEC = {"input_shape": [1, 4, 4], "layers": [
    {"type": "Conv2D", "channels_in": 1, "channels_out": 2, "kernel_size": 3}, {"type": "ReLU"},
    {"type": "Flatten"}, {"type": "Dropout", "rate": 0.25}, {"type": "Dense", "n_in": 8, "n_out": 3}]}
SHAPES = {"0.W": (2, 1, 3, 3), "0.b": (2,), "4.W": (8, 3), "4.b": (3,)}
A_FEW_MB = 12 * 2**20  # bytes


def tiny():
    """A model with every kind of entry in its file, and round numbers that float16 holds exactly."""
    model = Sequential.from_spec(SPEC)
    model.set_parameters({key: np.arange(np.prod(shape)).reshape(shape) / 4 for key, shape in SHAPES.items()})
    return model


def saved(model, dtype="float16"):
    """The bytes of a weights file."""
    file = io.BytesIO()
    weights.save(file, model, dtype)
    return file.getvalue()


@functools.cache
def tiny_members():
    """name -> bytes of each member of the tiny model's file."""
    return members(saved(tiny()))


def members(npz):
    """name -> bytes of each member of an archive."""
    with zipfile.ZipFile(io.BytesIO(npz)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries, compression=zipfile.ZIP_STORED):
    """An archive of (name, bytes or array) pairs, in which a name may stand twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, npy(content) if isinstance(content, np.ndarray) else content)
    return file.getvalue()


def npy(array):
    """An array as .npy bytes, pickled if it holds objects."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_members(key, content):
    """A valid file but for one member: an array or bytes in its place, or nothing (None)."""
    entries = dict(tiny_members())
    entries.pop(f"{key}.npy", None)
    return packed([*entries.items(), *([] if content is None else [(f"{key}.npy", content)])])


def with_claims(entries, name, **claims):
    """An archive whose directory says something else of one member (attributes of zipfile.ZipInfo) than what is there."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
        for attribute, value in claims.items():
            setattr(archive.getinfo(name), attribute, value)
    return file.getvalue()


def with_spec(spec):
    """A valid file but for its spec."""
    return with_members("spec", np.array(json.dumps(spec)))


@contextlib.contextmanager
def little_memory():
    """Fails if the block needs more than a few MB at any moment."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < A_FEW_MB
    finally:
        tracemalloc.stop()
