"""Networks drawn at random for the tests of exchange: digit recognisers with any layers that fit together."""

import numpy as np
from hypothesis import strategies as st

from inkling.model import Sequential

POOLS = st.sampled_from([0, 0, 2, 2, 3])  # 0: none


@st.composite
def specs(draw):
    """Strategy: the spec of a small network from 784 pixels to ten numbers, with convolutions or without."""
    layers, shape, features = [], [784], 784
    if draw(st.booleans()):
        shape, channels, side = [1, 28, 28], 1, 28
        for _ in range(draw(st.integers(1, 2))):
            n_filters, k, stride = draw(st.integers(1, 4)), draw(st.integers(1, min(5, side))), draw(st.integers(1, 2))
            padding = draw(st.integers(0, k - 1))
            layers += [{"type": "Conv2D", "channels_in": channels, "channels_out": n_filters, "kernel_size": k, "stride": stride, "padding": padding},
                       {"type": "ReLU"}]
            side, channels = (side + 2 * padding - k) // stride + 1, n_filters
            pool = draw(POOLS)
            if pool and side >= pool:
                layers.append({"type": "MaxPool2D", "pool_size": pool})
                side //= pool
        layers.append({"type": "Flatten"})
        features = channels * side * side
    for n_out in draw(st.lists(st.integers(1, 30), max_size=2)):
        layers += [{"type": "Dense", "n_in": features, "n_out": n_out}, {"type": "ReLU"}]
        layers += [{"type": "Dropout", "rate": 0.25}] if draw(st.booleans()) else []
        features = n_out
    return {"input_shape": shape, "layers": [*layers, {"type": "Dense", "n_in": features, "n_out": 10}]}


@st.composite
def models(draw):
    """Strategy: such a network with weights, biases, temperature, threshold and second look."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    model = Sequential.from_spec(draw(specs()), rng)
    for layer in model.layers:
        if layer.params:
            layer.params["b"] = rng.standard_normal(layer.shapes["b"]).astype(np.float32)
    model.calibrate(draw(st.sampled_from([1.0, 0.5, 1.75])), draw(st.sampled_from([0.0, 0.25])), draw(st.sampled_from([0.0, 5.0])))
    return model


def images(seed=0, n=6):
    """(n, 28, 28) float32 in 0..1, a third of it ink."""
    rng = np.random.default_rng(seed)
    return (rng.random((n, 28, 28)) * (rng.random((n, 28, 28)) < 0.33)).astype(np.float32)


def same(a, b):
    """Whether two models are equal bit for bit, temperature, threshold and second look included."""
    mine, theirs = a.parameters(), b.parameters()
    return a.spec() == b.spec() and mine.keys() == theirs.keys() and all(np.array_equal(mine[key], theirs[key]) for key in mine)
