"""IDX, the file format of MNIST: two zero bytes, the type, the number of axes, their sizes, then the numbers.

Source: LeCun, Cortes and Burges, "The MNIST database", which describes it; sizes are big-endian.
"""

from __future__ import annotations

import math
import struct

import numpy as np

UNSIGNED_BYTE = 8  # the type code; MNIST has no other


def read_idx(data: bytes, name: str) -> np.ndarray:
    """The array in an IDX file of unsigned bytes. name: what errors call it. Raises ValueError if it is no such file."""
    if len(data) < 4 or data[:2] != b"\0\0":
        raise ValueError(f"{name}: not an IDX file; it must start with two zero bytes")
    kind, n_axes = data[2], data[3]
    if kind != UNSIGNED_BYTE or not 1 <= n_axes <= 3:
        raise ValueError(f"{name}: holds type {kind} with {n_axes} axes; MNIST's files have unsigned bytes (8) with one or three")
    start = 4 + 4 * n_axes
    if len(data) < start:
        raise ValueError(f"{name}: ends within its header, after {len(data)} bytes")
    shape = struct.unpack(f">{n_axes}I", data[4:start])
    if len(data) - start != math.prod(shape):
        raise ValueError(f"{name}: has {len(data) - start:,} bytes of data; {' x '.join(map(str, shape))} needs {math.prod(shape):,}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def write_idx(array: np.ndarray) -> bytes:
    """array (uint8, one to three axes) as an IDX file."""
    return bytes((0, 0, UNSIGNED_BYTE, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
