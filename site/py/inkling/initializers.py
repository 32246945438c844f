"""Where weights start: random, zero-mean, scaled so that signals neither die nor explode.

Both draw from a normal distribution; only the variance differs. Biases start at zero.
"""

from __future__ import annotations

import numpy as np


def he(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Normal weights with variance 2 / fan_in: right before a ReLU, which halves the variance.

    shape: of the parameter.   fan_in, fan_out: connections into and out of one unit.
    Returns float32. Source: He et al. 2015, https://arxiv.org/abs/1502.01852, equation 10.
    """
    return rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / fan_in) ** 0.5)


def glorot(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Normal weights with variance 2 / (fan_in + fan_out): keeps forward and backward signals alike.

    Arguments as in `he`. Source: Glorot and Bengio 2010, equation 12 (there with the uniform distribution).
    """
    return rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / (fan_in + fan_out)) ** 0.5)


INITIALIZERS = {"he": he, "glorot": glorot}
