"""The same comparisons as with the stored values, against PyTorch itself and over shapes and options drawn afresh each time.

    python build.py test --all -m torch

PyTorch is a large download, so these run only with --all (INKLING_ALL=1) or when asked for by their marker. Then it has to be there.
"""

import os

import numpy as np
import pytest
import references as ours
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

pytestmark = pytest.mark.torch

live = settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def torch_side(pytestconfig):
    """tests/fixtures/make_torch_references.py, which holds the PyTorch side of every comparison."""
    asked_for = pytestconfig.option.markexpr.split() == ["torch"]
    if not os.environ.get("INKLING_ALL") and not asked_for:
        pytest.skip("the live comparison with PyTorch runs with: python build.py test --all")
    try:
        import torch
    except ImportError as error:
        pytest.fail(f"the live comparison needs PyTorch ({error}). Run it with: python build.py test --all", pytrace=False)
    torch.set_num_threads(1)
    from fixtures import make_torch_references
    return make_torch_references


def test_the_stored_values_are_what_the_script_makes(torch_side):
    kinds = {kind: ours.load_references(kind) for kind in ("layer", "loss", "optimizer", "clipping", "schedule", "network")}
    made = torch_side.references()
    assert sum(map(len, kinds.values())) == len(made)
    for name, reference in made.items():
        kind, label = name.split(": ")
        stored = kinds[kind][label]
        assert stored.keys() == reference.keys()
        for field, value in reference.items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                np.testing.assert_allclose(stored[field], value, rtol=1e-9, atol=1e-12)
            elif field in ("loss", "losses", "norm", "learning_rates"):
                assert stored[field] == pytest.approx(value, rel=1e-9)
            else:
                assert np.array_equal(stored[field], value)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-5)])
@live
@given(seed=seeds, n=st.integers(1, 9), n_in=st.integers(1, 40), n_out=st.integers(1, 30))
def test_dense_matches(torch_side, dtype, tolerance, seed, n, n_in, n_out):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_in)).astype(dtype)
    ours.assert_layer_matches(torch_side.layer("Dense", {"n_in": n_in, "n_out": n_out}, x, rng), tolerance)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-5)])
@live
@given(seed=seeds, n=st.integers(1, 4), channels_in=st.integers(1, 4), channels_out=st.integers(1, 5), kernel_size=st.integers(1, 5),
       stride=st.integers(1, 4), padding=st.integers(0, 4), more=st.tuples(st.integers(0, 7), st.integers(0, 7)))
def test_conv2d_matches(torch_side, dtype, tolerance, seed, n, channels_in, channels_out, kernel_size, stride, padding, more):
    padding = min(padding, kernel_size - 1)
    height, width = (max(kernel_size - 2 * padding, 1) + extra for extra in more)
    rng = np.random.default_rng(seed)
    options = {"channels_in": channels_in, "channels_out": channels_out, "kernel_size": kernel_size, "stride": stride, "padding": padding}
    x = rng.standard_normal((n, channels_in, height, width)).astype(dtype)
    ours.assert_layer_matches(torch_side.layer("Conv2D", options, x, rng), tolerance)


@live
@given(seed=seeds, pool_size=st.integers(1, 4), more=st.tuples(st.integers(0, 7), st.integers(0, 7)), levels=st.integers(1, 50))
def test_maxpool2d_matches_with_and_without_ties(torch_side, seed, pool_size, more, levels):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, levels, (2, 3, pool_size + more[0], pool_size + more[1])).astype(float)
    ours.assert_layer_matches(torch_side.layer("MaxPool2D", {"pool_size": pool_size}, x, rng))


@live
@given(seed=seeds, kind=st.sampled_from(["ReLU", "Flatten"]), shape=st_numpy.array_shapes(min_dims=2, max_dims=4, max_side=6))
def test_relu_and_flatten_match(torch_side, seed, kind, shape):
    rng = np.random.default_rng(seed)
    ours.assert_layer_matches(torch_side.layer(kind, {}, rng.integers(-2, 3, shape).astype(float), rng))


@live
@given(seed=seeds, n=st.integers(1, 20), n_classes=st.integers(2, 30), scale=st.sampled_from([0.01, 1, 30, 1000]),
       label_smoothing=st.floats(0, 0.99))
def test_loss_matches(torch_side, seed, n, n_classes, scale, label_smoothing):
    rng = np.random.default_rng(seed)
    logits, labels = scale * rng.standard_normal((n, n_classes)), rng.integers(0, n_classes, n)
    ours.assert_loss_matches(torch_side.cross_entropy(logits, labels, label_smoothing), 1e-10)


share, epsilon = st.floats(0.01, 0.999), st.floats(1e-8, 0.1)  # far from where rounding is divided by next to nothing
OPTIONS = {
    "sgd": {}, "momentum": {"momentum": share}, "nesterov": {"momentum": share},
    "adagrad": {"epsilon": epsilon}, "rmsprop": {"decay": share, "epsilon": epsilon},
    "adam": {"beta1": share, "beta2": share, "epsilon": epsilon},
    "adamw": {"beta1": share, "beta2": share, "epsilon": epsilon, "weight_decay": st.floats(0, 1)},
}


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 1e-4)])
@pytest.mark.parametrize("name", OPTIONS)
@settings(live, max_examples=15)
@given(data=st.data(), seed=seeds, learning_rate=st.floats(1e-5, 0.3), l2=st.sampled_from([0.0, 0.01, 0.5]), n_steps=st.integers(1, 12))
def test_optimizers_match(torch_side, name, dtype, tolerance, data, seed, learning_rate, l2, n_steps):
    options = {"learning_rate": learning_rate, **data.draw(st.fixed_dictionaries(OPTIONS[name]))}
    if name == "adamw":
        options.setdefault("weight_decay", 0.01)
        l2 = 0.0  # PyTorch's AdamW has no L2 beside its weight decay
    reference = torch_side.optimizer(name, options, np.random.default_rng(seed), n_steps, l2, dtype)
    ours.assert_optimizer_matches(reference, tolerance)


@live
@given(seed=seeds, scale=st.floats(1e-3, 1e3), max_norm=st.floats(1e-2, 100))
def test_clipping_matches(torch_side, seed, scale, max_norm):
    rng = np.random.default_rng(seed)
    grads = [scale * rng.standard_normal((4, 3)), scale * rng.standard_normal(4)]
    norm = sum((grad**2).sum() for grad in grads) ** 0.5
    assume(abs(norm / max_norm - 1) > 1e-3 and norm > 0.1)  # PyTorch's 1e-6 would show
    ours.assert_clipping_matches(torch_side.clipping(grads, max_norm), 1e-4)


@live
@given(name=st.sampled_from(["one-cycle", "cosine", "step"]), peak=st.floats(1e-4, 1), total_steps=st.integers(2, 60), warmup=st.floats(0.05, 0.8))
def test_schedules_match(torch_side, name, peak, total_steps, warmup):
    if name == "step":
        total_steps *= 4  # PyTorch counts the steps between two drops, we the drops
    if name == "one-cycle":
        assume(1 <= warmup * total_steps <= total_steps - 2)
    ours.assert_schedule_matches(torch_side.schedule(name, peak, total_steps, warmup if name == "one-cycle" else None))


@st.composite
def networks(draw):
    """Strategy: the spec of a small network, with convolutions or without."""
    sizes = st.integers(2, 12)
    if draw(st.booleans()):
        shape, layers, features = [6], [], 6
    else:
        channels, kernel_size, padding = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 1))
        padding = min(padding, kernel_size - 1)
        side = (8 + 2 * padding - kernel_size + 1) // 2
        shape, features = [2, 8, 8], channels * side * side
        layers = [{"type": "Conv2D", "channels_in": 2, "channels_out": channels, "kernel_size": kernel_size, "padding": padding},
                  {"type": "ReLU"}, {"type": "MaxPool2D"}, {"type": "Flatten"}]
    for n_out in draw(st.lists(sizes, max_size=2)):
        layers += [{"type": "Dense", "n_in": features, "n_out": n_out}, {"type": "ReLU"}]
        features = n_out
    return {"input_shape": shape, "layers": [*layers, {"type": "Dense", "n_in": features, "n_out": 10}]}


@live
@given(spec=networks(), name=st.sampled_from(["sgd", "momentum", "nesterov", "adam", "adamw"]), seed=seeds,
       label_smoothing=st.sampled_from([0.0, 0.1]), max_norm=st.sampled_from([None, 1.0]))
def test_networks_train_alike(torch_side, spec, name, seed, label_smoothing, max_norm):
    rng = np.random.default_rng(seed)
    images, labels = rng.standard_normal((4, 5, *spec["input_shape"])), rng.integers(0, 10, (4, 5))
    # Adam divides by the root of tiny gradients: an epsilon above rounding keeps its first steps comparable.
    options = {"learning_rate": 0.01, **({"epsilon": 1e-4} if name.startswith("adam") else {})}
    if name == "adamw":
        options["weight_decay"] = 0.1
    ours.assert_network_matches(torch_side.network(spec, name, options, images, labels, rng, label_smoothing, max_norm), 1e-8)
