"""Layers: forward and backward against PyTorch's values, backward against finite differences."""

import numpy as np
import pytest
from gradcheck import assert_gradient, assert_layer_gradients
from references import assert_layer_matches, load_references

from inkling import layers
from inkling.layers import LAYERS, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU

REFERENCES = load_references("layer")


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("name", REFERENCES)
def test_forward_and_backward_match_pytorch(name):
    assert_layer_matches(REFERENCES[name])


@pytest.mark.parametrize("name", REFERENCES)
def test_the_products_without_blas_match_pytorch_too(name, monkeypatch):
    monkeypatch.setattr(layers, "HAS_BLAS", False)  # as in the browser
    assert_layer_matches(REFERENCES[name])


@pytest.mark.parametrize("turned_a", [False, True])
@pytest.mark.parametrize("turned_b", [False, True])
@pytest.mark.parametrize("rows, length, columns", [(1, 784, 128), (12, 40, 7), (45, 784, 128), (24, 300, 50), (784, 45, 12), (30, 12, 5)])
def test_every_way_to_multiply_gives_the_product(rows, length, columns, turned_a, turned_b, rng, monkeypatch):
    a = rng.standard_normal((length, rows)).T if turned_a else rng.standard_normal((rows, length))
    b = rng.standard_normal((columns, length)).T if turned_b else rng.standard_normal((length, columns))
    monkeypatch.setattr(layers, "HAS_BLAS", False)
    np.testing.assert_allclose(layers.matmul(a, b), a @ b, atol=1e-10)


def test_every_layer_with_a_fixed_result_has_a_pytorch_reference():
    assert {reference["kind"] for reference in REFERENCES.values()} == LAYERS.keys() - {"Dropout"}


# Finite differences


def test_dense_backward_matches_finite_differences(rng):
    assert_layer_gradients(Dense(7, 4), rng.standard_normal((5, 7)), rng)


@pytest.mark.parametrize("options, shape", [
    ({"channels_in": 1, "channels_out": 1, "kernel_size": 1}, (1, 1, 3, 3)),
    ({"channels_in": 3, "channels_out": 2, "kernel_size": 3}, (2, 3, 5, 6)),
    ({"channels_in": 2, "channels_out": 3, "kernel_size": 3, "padding": 1}, (2, 2, 4, 4)),
    ({"channels_in": 2, "channels_out": 3, "kernel_size": 2, "stride": 2}, (3, 2, 6, 4)),
    ({"channels_in": 2, "channels_out": 2, "kernel_size": 3, "stride": 2, "padding": 2}, (2, 2, 6, 5)),
    ({"channels_in": 1, "channels_out": 2, "kernel_size": 2, "stride": 3}, (2, 1, 7, 7)),  # the stride jumps over pixels
    ({"channels_in": 1, "channels_out": 2, "kernel_size": 4}, (2, 1, 4, 4)),  # one window
], ids=str)
def test_conv2d_backward_matches_finite_differences(options, shape, rng):
    assert_layer_gradients(Conv2D(**options), rng.standard_normal(shape), rng)


@pytest.mark.parametrize("pool_size, shape", [(2, (2, 3, 4, 6)), (2, (2, 1, 5, 7)), (3, (1, 2, 8, 7)), (1, (2, 2, 3, 3))])
def test_maxpool2d_backward_matches_finite_differences(pool_size, shape, rng):
    apart = rng.permutation(np.prod(shape)).reshape(shape) * 0.1  # no two values so close that a step swaps them
    assert_layer_gradients(MaxPool2D(pool_size), apart, rng)


def test_relu_backward_matches_finite_differences_away_from_zero(rng):
    x = rng.uniform(0.1, 1, (4, 6)) * rng.choice([-1, 1], (4, 6))
    assert_layer_gradients(ReLU(), x, rng)


def test_flatten_backward_matches_finite_differences(rng):
    assert_layer_gradients(Flatten(), rng.standard_normal((3, 2, 2, 4)), rng)


def test_dropout_backward_matches_finite_differences_for_a_fixed_mask(rng):
    assert_layer_gradients(Dropout(0.4), rng.standard_normal((6, 7)), rng, make_rng=lambda: np.random.default_rng(3))


@pytest.mark.parametrize("spoil", [
    lambda grad: grad.__imul__(1.0005),
    lambda grad: grad[2:3, 1:2].__imul__(1.0005),
], ids=["the whole gradient", "one element of it"])
def test_the_checker_catches_an_error_of_a_twentieth_of_a_percent(spoil, rng):
    layer, x, projection = Dense(7, 4), rng.standard_normal((5, 7)), rng.standard_normal((5, 4))
    layer.params = {"W": rng.standard_normal((7, 4)), "b": rng.standard_normal(4)}

    def loss():
        return float((layer.forward(x) * projection).sum())

    loss()
    layer.backward(projection)
    grad = layer.grads["W"]
    assert_gradient(loss, layer.params["W"], grad, rng)
    spoil(grad)
    with pytest.raises(AssertionError, match="slope"):
        assert_gradient(loss, layer.params["W"], grad, rng)


# What else a layer promises


def test_maxpool2d_hands_the_gradient_of_a_tie_to_the_first_in_reading_order():
    x = np.array([[1, 2, 5, 5], [2, 0, 5, 5]], float).reshape(1, 1, 2, 4)
    pool = MaxPool2D(2)
    assert pool.forward(x).tolist() == [[[[2, 5]]]]
    assert pool.backward(np.array([[[[10.0, 20.0]]]])).tolist() == [[[[0, 10, 20, 0], [0, 0, 0, 0]]]]


def test_maxpool2d_drops_what_fills_no_square():
    x = np.arange(15.0).reshape(1, 1, 3, 5)
    pool = MaxPool2D(2)
    assert pool.forward(x).tolist() == [[[[6, 8]]]]
    dx = pool.backward(np.ones((1, 1, 1, 2)))
    assert dx[0, 0, 2].tolist() == [0] * 5 and dx[0, 0, :, 4].tolist() == [0] * 3


def test_dropout_silences_its_share_and_keeps_the_mean(rng):
    x = np.ones((200, 500), np.float32)
    out = Dropout(0.3).forward(x, rng)
    assert (out == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.01)
    assert len(np.unique(out)) == 2 and out.dtype == np.float32


def test_dropout_does_nothing_while_predicting(rng):
    x = rng.standard_normal((3, 4))
    dropout = Dropout(0.9)
    dropout.forward(x, rng)
    assert dropout.forward(x) is x
    assert dropout.backward(x) is x


def test_dropout_of_rate_zero_draws_nothing(rng):
    before = rng.bit_generator.state
    Dropout(0).forward(np.ones((2, 2)), rng)
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan")])
def test_dropout_refuses_a_rate_that_is_no_share(rate):
    with pytest.raises(ValueError, match="dropout rate"):
        Dropout(rate)


@pytest.mark.parametrize("make", [
    lambda rng: Dense(6, 3, rng=rng),
    lambda rng: Conv2D(2, 3, 2, rng=rng),
], ids=["Dense", "Conv2D"])
def test_a_first_layer_skips_the_gradient_for_its_input_and_keeps_the_others(make, rng):
    layer = make(rng)
    x = rng.standard_normal((4, 6) if isinstance(layer, Dense) else (4, 2, 3, 3)).astype(np.float32)
    dout = rng.standard_normal(layer.forward(x).shape).astype(np.float32)
    layer.backward(dout)
    grads = {name: grad.copy() for name, grad in layer.grads.items()}
    layer.needs_input_grad = False
    layer.forward(x)
    assert layer.backward(dout) is None
    assert all((layer.grads[name] == grads[name]).all() for name in grads)


@pytest.mark.parametrize("layer, x_shape", [
    (Dense(6, 3, rng=np.random.default_rng(0)), (4, 6)),
    (Conv2D(2, 3, 2, padding=1, rng=np.random.default_rng(0)), (4, 2, 3, 3)),
    (MaxPool2D(), (4, 2, 4, 4)), (ReLU(), (4, 6)), (Flatten(), (4, 2, 3, 3)), (Dropout(0.5), (4, 6)),
], ids=lambda value: type(value).__name__ if not isinstance(value, tuple) else "")
def test_float32_stays_float32_and_the_input_untouched(layer, x_shape, rng):
    x = rng.standard_normal(x_shape).astype(np.float32)
    before = x.copy()
    out = layer.forward(x, np.random.default_rng(1))
    dx = layer.backward(np.ones_like(out))
    assert out.dtype == dx.dtype == np.float32
    assert dx.shape == x.shape
    assert all(grad.dtype == np.float32 for grad in layer.grads.values())
    assert (x == before).all()


def test_parameters_stay_empty_until_drawn_or_loaded():
    assert Dense(3, 2).params == {} and Conv2D(1, 2, 3).params == {}
    assert Dense(3, 2).shapes == {"W": (3, 2), "b": (2,)}
    assert Conv2D(4, 2, 3).shapes == {"W": (2, 4, 3, 3), "b": (2,)}


def test_params_and_grads_are_the_live_arrays(rng):
    dense = Dense(3, 2, rng=rng)
    dense.backward(np.ones_like(dense.forward(np.ones((1, 3), np.float32))))
    (W, dW), (b, db) = dense.params_and_grads()
    assert W is dense.params["W"] and b is dense.params["b"] and dW is dense.grads["W"] and db is dense.grads["b"]


def test_an_unknown_initializer_is_named():
    with pytest.raises(ValueError, match="'zeros' is unknown; there are he, glorot"):
        Dense(3, 2, initializer="zeros")
