"""Runs inside Pyodide: the matrix products of training, by `@` and by the network's own function, as JSON of GFLOP/s."""

import json
import time

import numpy as np

from inkling.layers import matmul

ROUNDS, SECONDS = 8, 0.15  # of all products in turns, and for each in a round, both ways: the machine's pace changes while it goes on
SHAPES = {  # (I, J) x (J, K) at a slice of training; .T: the operand is the transposed view that the layer has
    "dense 784 to 128, forward": ((45, 784), (784, 128), ""),
    "dense 784 to 128, dW": ((784, 45), (45, 128), "a"),
    "dense 128 to 64, forward": ((45, 128), (128, 64), ""),
    "dense 128 to 64, dx": ((45, 64), (64, 128), "b"),
    "dense 512 to 224, forward, whole batch": ((128, 512), (512, 224), ""),
    "convolution 16 to 32, forward": ((32, 400), (400, 256), ""),
    "convolution 16 to 32, dW": ((32, 256), (256, 400), "b"),
    "convolution 16 to 32, dx": ((400, 32), (32, 256), "a"),
}


def _operand(shape, transposed):
    rows, columns = shape[::-1] if transposed else shape
    array = np.sin(np.arange(rows * columns, dtype=np.float32)).reshape(rows, columns)
    return array.T if transposed else array


def _best(a, b, best):
    """The shortest times so far by "@" and by matmul, after a round more."""
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for name, product in (("@", np.matmul), ("matmul", matmul)):
            start = time.perf_counter()
            product(a, b)
            best[name] = min(best[name], time.perf_counter() - start)


products = {name: (_operand(a, "a" in turned), _operand(b, "b" in turned), {"@": 9.0, "matmul": 9.0}) for name, (a, b, turned) in SHAPES.items()}
for _ in range(ROUNDS):
    for a, b, best in products.values():
        _best(a, b, best)
json.dumps({name: [2 * len(a) * b.size / seconds / 1e9 for seconds in best.values()] for name, (a, b, best) in products.items()})
