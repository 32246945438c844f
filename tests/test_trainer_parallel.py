"""Batches that go through a network in parts, side by side: the sums are the network's own."""

import numpy as np
import pytest

from inkling.augment import augment
from inkling.layers import MaxPool2D
from inkling.model import Sequential, architecture
from inkling.settings import Settings
from inkling.training import train, train_step
from trainer.parallel import PARTS, Parallel, in_parts

SETTINGS = Settings(arch="convnet-3-4-20", epochs=2, batch_size=20, label_smoothing=0.1)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def network():
    return Sequential.from_spec(architecture(SETTINGS.arch), np.random.default_rng(5))


def batch(rng, n):
    return rng.random((n, 28, 28), np.float32), rng.integers(-1, 10, n)


def gradients(model, images, labels):
    """Those of one step, by an optimiser that keeps them and changes nothing."""
    class Keep:
        def step(self, pairs):
            self.pairs = pairs

    list(train_step(model, keep := Keep(), images, labels, SETTINGS, np.random.default_rng(0)))
    return [grad for _, grad in keep.pairs]


@pytest.mark.parametrize("n", [1, 3, PARTS, 37])
def test_logits_and_gradients_are_those_of_the_whole_batch(rng, n):
    model = network()
    images, labels = batch(rng, n)
    parallel = Parallel(model)
    np.testing.assert_allclose(parallel.forward(images), model.forward(images), rtol=1e-4, atol=1e-5)
    for ours, expected in zip(gradients(parallel, images, labels), gradients(model, images, labels), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


def test_a_small_batch_after_a_large_one_leaves_nothing_of_it(rng):
    parallel = Parallel(network())
    gradients(parallel, *batch(rng, 37))
    images, labels = batch(rng, 2)
    for ours, expected in zip(gradients(parallel, images, labels), gradients(network(), images, labels), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


def trained(n_threads, images, labels):
    model = network()
    for _ in train(Parallel(model, n_threads), SETTINGS.make_optimizer(), images, labels, SETTINGS, augment=augment):
        pass
    return model.parameters()


def test_training_changes_the_network_itself_and_the_number_of_threads_nothing(rng):
    images, labels = batch(rng, 70)
    one, three, before = trained(1, images, labels), trained(3, images, labels), network().parameters()
    for name, parameter in one.items():
        np.testing.assert_array_equal(parameter, three[name])
        assert (parameter != before[name]).any()


def test_parameters_that_are_set_later_are_the_twins_too(rng):
    model = network()
    parallel = Parallel(model)
    model.set_parameters({name: array + 1 for name, array in model.parameters().items()})
    images, _ = batch(rng, 9)
    np.testing.assert_allclose(parallel.forward(images), model.forward(images), rtol=1e-4)


def test_an_error_in_one_part_is_an_error(rng, monkeypatch):
    def fail(self, x, rng=None):
        raise MemoryError("no more")

    monkeypatch.setattr(MaxPool2D, "forward", fail)
    with pytest.raises(MemoryError, match="no more"):
        Parallel(network()).forward(batch(rng, 9)[0])


def test_only_convolutions_are_worth_it_and_dropout_goes_in_order():
    assert isinstance(in_parts(network()), Parallel)
    for spec in (architecture("784-20-10"), architecture("convnet-3-4-20", dropout=0.5)):
        model = Sequential.from_spec(spec)
        assert in_parts(model) is model
    with pytest.raises(ValueError, match="dropout"):
        Parallel(model)
