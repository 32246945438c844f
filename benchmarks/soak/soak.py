"""What bench_soak.py does inside a runtime: training steps, known failures, growth of the memory; the same in a restored one and in stock.

Imported by the worker, and by nothing else; NumPy and inkling only.
"""

import hashlib
import warnings
from itertools import islice

import numpy as np
from inkling.training import Settings, train

IMAGES = 2048  # made ones, ten kinds: enough that a curve goes down, small enough for any heap
GROWTH = 100 * 2**20  # bytes


def made_digits(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images that can be learnt: ten random blots, each shifted and in noise. (N, 28, 28) uint8, labels (N,)."""
    rng = np.random.default_rng(seed)
    blots = np.pad(rng.random((10, 20, 20)) > 0.7, ((0, 0), (4, 4), (4, 4)))
    labels = rng.integers(0, 10, IMAGES)
    shifts = rng.integers(-3, 4, (IMAGES, 2))
    images = np.stack([np.roll(blots[label], shift, (0, 1)) for label, shift in zip(labels, shifts)])
    return (images * 190 + rng.integers(0, 60, images.shape)).astype(np.uint8), labels


class Run:
    """The default network in training, epoch after epoch without end. The same seed gives the same floats."""

    def __init__(self, seed: int, batch_size: int):
        images, labels = made_digits(seed)
        settings = Settings(epochs=10**6, batch_size=batch_size, seed=seed, learning_rate=0.001, schedule="constant", augment=False, dropout=0.1)
        self._model = settings.make_model()
        self._run = train(self._model, settings.make_optimizer(), images, labels, settings)
        self._losses = hashlib.sha256()

    def steps(self, n: int) -> float:
        """Takes the next n steps; returns the mean of their losses, in nats."""
        losses = np.array([progress.loss for progress in islice(self._run, n)])
        self._losses.update(losses.tobytes())
        return float(losses.mean())

    def digest(self) -> str:
        """Of every loss so far, and of the weights as they are now."""
        digest = self._losses.copy()
        for name, array in sorted(self._model.parameters().items()):
            digest.update(name.encode() + array.tobytes())
        return digest.hexdigest()


def faults() -> dict:
    """What goes wrong on purpose: name -> the exception's or the warning's type and text.

    WebAssembly has no flags for floating-point exceptions: in a browser, stock or restored, NumPy notices neither a division by zero
    nor a singular matrix, and gives inf or nan.
    """
    square = np.eye(3)
    return {
        "inverse of a singular matrix": _raised(lambda: np.linalg.inv(np.zeros((3, 3)))),
        "Cholesky of a negative matrix": _raised(lambda: np.linalg.cholesky(-square)),
        "eigenvalues of an oblong matrix": _raised(lambda: np.linalg.eigvals(np.ones((2, 3)))),
        "product of shapes that do not fit": _raised(lambda: np.ones((2, 3)) @ np.ones((2, 3))),
        "einsum of shapes that do not fit": _raised(lambda: np.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((2, 3)))),
        "index out of bounds": _raised(lambda: square[3]),
        "negative size": _raised(lambda: np.empty(-1)),
        "buffer of the wrong size": _raised(lambda: np.frombuffer(b"abc", np.float32)),
        "1 // 0": _raised(lambda: 1 // 0),
        "1 // 0 inside a ufunc": _raised(lambda: np.frompyfunc(lambda x: 1 // x, 1, 1)(np.zeros(1, int))),
        "1 / 0, to be raised": _raised(lambda: _divided("raise")),
        "1 / 0, to be warned of": _raised(lambda: _divided("warn")),
        "1 / 0, to be ignored": _raised(lambda: _divided("ignore")),
        "overflow, a warning as an error": _raised(_overflow),
        "recursion without end": _raised(_deeper),
        "a setting of the wrong type": _raised(lambda: Settings.from_dict({"arch": 3})),
    }


def _raised(action) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = f"gives {action()}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return "; ".join([result, *(f"{warning.category.__name__}: {warning.message}" for warning in caught)])


def _divided(mode: str):
    with np.errstate(divide=mode):
        return (np.ones(1) / np.zeros(1)).tolist()


def _overflow():
    warnings.simplefilter("error")
    return np.float32(3e38) * np.float32(10)


def _deeper(depth: int = 0):
    return _deeper(depth + 1)


def grow() -> dict:
    """Take GROWTH bytes more than there are, use them, and give them back: {sum of what was written, as it must be}."""
    array = np.empty(GROWTH, np.uint8)
    array[:] = 3
    return {"sum": int(array.sum(dtype=np.int64)), "expected": 3 * GROWTH}
