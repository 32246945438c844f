"""Data parallelism: a batch goes through a network in parts, some at a time, in threads, as NumPy lets go of the interpreter while it does sums."""

from __future__ import annotations

import copy
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from inkling.layers import Conv2D, Dropout
from inkling.model import Sequential

PARTS = 4  # of a batch: the same on every machine, so that its cores change nothing in the sums; and what a part leaves behind fits into caches


def in_parts(model: Sequential) -> Sequential | Parallel:
    """What to train so that the network learns soonest: a dense one is done before two threads have agreed, and dropout draws in order."""
    kinds = {type(layer) for layer in model.layers}
    return Parallel(model) if Conv2D in kinds and Dropout not in kinds else model


class Parallel:
    """Trains a network as the network itself would, up to rounding: its logits and gradients are those of the whole batch.

    Not for one with dropout, which would draw from one generator in several threads: ValueError.
    """

    def __init__(self, model: Sequential, n_threads: int | None = None):
        if any(isinstance(layer, Dropout) for layer in model.layers):
            raise ValueError("a network with dropout draws image by image; its parts can't go through it side by side")
        self._twins = [_twin(model) for _ in range(PARTS)]
        self._used = self._twins[:0]
        self._threads = ThreadPoolExecutor(n_threads or min(os.cpu_count() or 1, PARTS))

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """A batch of at least one example -> logits (N, 10)."""
        self._used = self._twins[:len(x)]
        return np.concatenate(list(self._threads.map(Sequential.forward, self._used, np.array_split(x, len(self._used)))))

    def backward(self, dlogits: np.ndarray) -> None:
        """d loss / d logits (N, 10) of the last `forward`."""
        list(self._threads.map(Sequential.backward, self._used, np.array_split(dlogits, len(self._used))))

    def params_and_grads(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The network's own parameters, and their gradients after a `backward`."""
        of_parts = [twin.params_and_grads() for twin in self._used]
        return [(pairs[0][0], sum(grad for _, grad in pairs)) for pairs in zip(*of_parts)]


def _twin(model: Sequential) -> Sequential:
    """The same parameters, with a memory of its own for what `backward` needs."""
    twin = copy.copy(model)
    twin.layers = [copy.copy(layer) for layer in model.layers]
    for layer in twin.layers:
        layer.grads = {}
    return twin
