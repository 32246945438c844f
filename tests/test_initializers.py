"""Initialisers: the variance that keeps signals alive, and the same seed for the same weights."""

import numpy as np
import pytest

from inkling.initializers import INITIALIZERS, glorot, he
from inkling.layers import Conv2D, Dense


@pytest.mark.parametrize("initializer", INITIALIZERS.values())
def test_draws_float32_of_the_shape_asked_for(initializer):
    W = initializer((4, 3, 2, 2), 12, 16, np.random.default_rng(0))
    assert W.shape == (4, 3, 2, 2) and W.dtype == np.float32


@pytest.mark.parametrize("initializer", INITIALIZERS.values())
def test_the_same_seed_draws_the_same_weights(initializer):
    first, second, other = (initializer((30, 20), 30, 20, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first == second).all()
    assert (first != other).mean() > 0.99


@pytest.mark.parametrize("initializer, fan_in, fan_out, variance", [
    (he, 50, 7, 0.04), (he, 8, 900, 0.25), (glorot, 30, 20, 0.04), (glorot, 6, 2, 0.25)])
def test_variance_is_the_paper_s(initializer, fan_in, fan_out, variance):
    W = initializer((400, 500), fan_in, fan_out, np.random.default_rng(1)).astype(float)
    assert W.mean() == pytest.approx(0, abs=0.005)
    assert W.var() == pytest.approx(variance, rel=0.02)


def test_he_carries_a_signal_through_twenty_relus():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((64, 300)).astype(np.float32)
    for _ in range(20):
        x = np.maximum(x @ he((300, 300), 300, 300, rng), 0)
    assert 0.3 < (x**2).mean() < 3  # variance 1 / fan_in would leave 1e-6 of it


def test_glorot_carries_a_signal_through_twenty_linear_layers_and_back():
    rng = np.random.default_rng(3)
    forward = backward = rng.standard_normal((64, 300)).astype(np.float32)
    for _ in range(20):
        W = glorot((300, 300), 300, 300, rng)
        forward, backward = forward @ W, backward @ W.T
    assert 0.3 < forward.var() < 3 and 0.3 < backward.var() < 3


@pytest.mark.parametrize("layer, fan_in", [
    (Dense(200, 300, rng=np.random.default_rng(4)), 200),
    (Conv2D(8, 200, 5, rng=np.random.default_rng(4)), 8 * 25),
])
def test_layers_hand_over_how_many_inputs_a_unit_has(layer, fan_in):
    assert layer.params["W"].var() == pytest.approx(2 / fan_in, rel=0.05)
    assert not layer.params["b"].any()


def test_a_layer_can_be_drawn_with_glorot():
    W = Dense(100, 300, initializer="glorot", rng=np.random.default_rng(5)).params["W"]
    assert W.var() == pytest.approx(1 / 200, rel=0.05)


def test_a_convolution_drawn_with_glorot_counts_whole_windows_on_both_sides():
    W = Conv2D(20, 30, 4, initializer="glorot", rng=np.random.default_rng(6)).params["W"]
    assert W.var() == pytest.approx(2 / (320 + 480), rel=0.05)
