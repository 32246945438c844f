"""The loss: PyTorch's values, finite differences, and logits at the end of the scale."""

import math

import numpy as np
import pytest
from gradcheck import assert_gradient
from references import assert_loss_matches, load_references

from inkling.losses import softmax, softmax_cross_entropy

REFERENCES = load_references("loss")


@pytest.mark.parametrize("name", REFERENCES)
def test_probabilities_loss_and_gradient_match_pytorch(name):
    assert_loss_matches(REFERENCES[name])


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.9])
def test_gradient_matches_finite_differences(label_smoothing):
    rng = np.random.default_rng(7)
    logits, labels = 2 * rng.standard_normal((5, 10)), rng.integers(0, 10, 5)
    _, grad = softmax_cross_entropy(logits, labels, label_smoothing)
    assert_gradient(lambda: softmax_cross_entropy(logits, labels, label_smoothing)[0], logits, grad, rng)


def test_a_row_that_is_none_of_the_classes_wants_flat_probabilities():
    rng = np.random.default_rng(7)
    logits, labels = 2 * rng.standard_normal((6, 10)), np.array([3, -1, 0, -1, -1, 9])
    loss, grad = softmax_cross_entropy(logits, labels, 0.1)
    assert_gradient(lambda: softmax_cross_entropy(logits, labels, 0.1)[0], logits, grad, rng)
    rows = [softmax_cross_entropy(logits[i:i + 1], labels[i:i + 1], 0.1)[0] for i in range(6)]
    assert loss == pytest.approx(np.mean(rows))
    flat_loss, flat_grad = softmax_cross_entropy(np.full((1, 10), 2.5), np.array([-1]))
    assert flat_loss == pytest.approx(math.log(10)) and abs(flat_grad).max() < 1e-12


def test_the_checker_catches_a_loss_that_forgot_to_average():
    rng = np.random.default_rng(7)
    logits, labels = rng.standard_normal((5, 10)), rng.integers(0, 10, 5)
    _, grad = softmax_cross_entropy(logits, labels)
    with pytest.raises(AssertionError, match="slope"):
        assert_gradient(lambda: softmax_cross_entropy(logits, labels)[0], logits, 5 * grad, rng)


def test_softmax_turns_odds_into_shares():
    np.testing.assert_allclose(softmax(np.log([[1.0, 2, 5], [3, 3, 2]])), [[0.125, 0.25, 0.625], [0.375, 0.375, 0.25]])


def test_softmax_takes_a_single_row():
    np.testing.assert_allclose(softmax(np.array([0.0, 0.0])), [0.5, 0.5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_neither_overflow_nor_lose_the_loss(dtype):
    logits = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0], [-1e4, -1e4, -1e4]], dtype)
    labels = np.array([0, 0, 1])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        probabilities = softmax(logits)
        loss, grad = softmax_cross_entropy(logits, labels)
    np.testing.assert_allclose(probabilities, [[1, 0, 0], [0, 1, 0], [1 / 3] * 3], atol=1e-7)
    assert loss == pytest.approx((0 + 2e4 + math.log(3)) / 3, rel=1e-6)
    np.testing.assert_allclose(grad * 3, [[0, 0, 0], [-1, 1, 0], [1 / 3, -2 / 3, 1 / 3]], atol=1e-6)


def test_loss_of_no_opinion_is_the_logarithm_of_the_number_of_classes():
    loss, _ = softmax_cross_entropy(np.zeros((4, 10), np.float32), np.array([0, 3, 9, 9]))
    assert loss == pytest.approx(math.log(10), rel=1e-6)


def test_adding_a_constant_to_the_logits_changes_nothing():
    rng = np.random.default_rng(8)
    logits, labels = rng.standard_normal((3, 10)), np.array([1, 2, 3])
    loss, grad = softmax_cross_entropy(logits, labels)
    moved_loss, moved_grad = softmax_cross_entropy(logits + 123, labels)
    assert moved_loss == pytest.approx(loss)
    np.testing.assert_allclose(moved_grad, grad, atol=1e-12)


def test_label_smoothing_makes_certainty_cost_something():
    sure, labels = np.array([[50.0, 0, 0, 0]]), np.array([0])
    assert softmax_cross_entropy(sure, labels)[0] == pytest.approx(0, abs=1e-12)
    # A tenth of the target is spread over four classes; three of them are 50 nats away.
    assert softmax_cross_entropy(sure, labels, 0.1)[0] == pytest.approx(0.1 / 4 * 3 * 50)


def test_smoothing_leaves_the_logits_alone():
    logits = np.arange(6.0).reshape(2, 3)
    softmax_cross_entropy(logits, np.array([0, 1]), 0.1)
    assert (logits == np.arange(6.0).reshape(2, 3)).all()


def test_float32_logits_give_a_float32_gradient_and_a_plain_number():
    loss, grad = softmax_cross_entropy(np.ones((2, 10), np.float32), np.array([0, 1]), 0.1)
    assert grad.dtype == np.float32 and type(loss) is float


@pytest.mark.parametrize("labels", [[0, 10], [-2, 3], [1], [1, 2, 3], [], [1, 1000]], ids=str)
def test_labels_outside_the_classes_or_of_another_number_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels must be 2 integers from -1 \(none\) to 9"):
        softmax_cross_entropy(np.zeros((2, 10)), np.array(labels, int))


@pytest.mark.parametrize("labels", [[0.5, 1.0], [True, False], [[0], [1]]], ids=str)
def test_labels_that_are_no_row_of_integers_are_refused(labels):
    with pytest.raises(ValueError, match="labels must be 2 integers"):
        softmax_cross_entropy(np.zeros((2, 10)), np.array(labels))


def test_targets_say_what_labels_say():
    rng = np.random.default_rng(4)
    logits, labels = rng.normal(size=(6, 10)), np.array([0, 3, 9, -1, 5, -1])
    targets = np.where(labels[:, None] < 0, 0.1, labels[:, None] == np.arange(10))
    loss, grad = softmax_cross_entropy(logits, labels)
    loss_of_targets, grad_of_targets = softmax_cross_entropy(logits, targets)
    assert loss_of_targets == pytest.approx(loss)
    np.testing.assert_allclose(grad_of_targets, grad, atol=1e-12)


def test_a_target_that_adds_up_to_less_counts_for_so_much_less():
    rng = np.random.default_rng(5)
    logits, targets = rng.normal(size=(2, 10)), rng.dirichlet(np.ones(10), 2)
    whole, grad = softmax_cross_entropy(logits, targets)
    weighted, weighted_grad = softmax_cross_entropy(logits, targets * [[1], [0]])
    assert weighted == pytest.approx(softmax_cross_entropy(logits[:1], targets[:1])[0] / 2) and weighted < whole
    np.testing.assert_allclose(weighted_grad, grad * [[1], [0]], atol=1e-12)
