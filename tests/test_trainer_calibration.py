"""Temperature, threshold, calibration error, and how they get into a model's file and card."""

import numpy as np
import pytest

from inkling import weights
from inkling.losses import softmax
from inkling.model import Sequential, architecture
from trainer.calibration import SECOND_LOOK, best_temperature, calibrate, calibration_error
from trainer.data import Digits


def made_logits(temperature, n=20_000, seed=3):
    """Logits and labels for which `temperature` is the right one: labels are drawn from softmax(logits / temperature)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (n, 10))
    drawn = softmax(logits / temperature).cumsum(axis=1)
    return logits, (rng.random(n)[:, None] > drawn).sum(axis=1).clip(0, 9)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.8, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    assert best_temperature(*made_logits(temperature)) == pytest.approx(temperature, rel=0.03)


def test_the_right_temperature_has_the_least_calibration_error():
    logits, labels = made_logits(2.0)
    errors = {}
    for temperature in (1.0, 2.0, 4.0):
        probabilities = softmax(logits / temperature)
        errors[temperature] = calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
    assert errors[2.0] < 0.02 < min(errors[1.0], errors[4.0])


def test_calibration_error_on_worked_examples():
    assert calibration_error(np.array([0.8] * 10), np.array([True] * 8 + [False] * 2)) == pytest.approx(0)
    assert calibration_error(np.array([0.9] * 10), np.array([True] * 5 + [False] * 5)) == pytest.approx(0.4)
    assert calibration_error(np.array([1.0, 0.25]), np.array([True, True])) == pytest.approx(0.375)


@pytest.fixture
def model():
    return Sequential.from_spec(architecture("784-10"), np.random.default_rng(0))


def test_a_model_is_calibrated_by_validation_images_and_says_so_in_its_file(model, tmp_path):
    rng = np.random.default_rng(1)
    images = rng.random((400, 28, 28), np.float32)
    model.calibrate(1, 0, SECOND_LOOK)
    part = (images, model.predict_logits(images).argmax(axis=1))
    digits = Digits(part, part, part, {}, strange=rng.random((100, 28, 28), np.float32) * 0.01, n_drawn=100)
    found = calibrate(model, digits)
    assert 0 < found["threshold"] < 1 and found["accepted"] > 0.9 and found["declined"] > 0.9
    weights.save(tmp_path / "m.npz", model)
    again = weights.load(tmp_path / "m.npz")
    assert (again.temperature, again.threshold, again.second_look) == (found["temperature"], found["threshold"], SECOND_LOOK)


def test_without_strange_images_everything_is_accepted(model):
    images = np.random.default_rng(1).random((50, 28, 28), np.float32)
    part = (images, np.arange(50) % 10)
    assert calibrate(model, Digits(part, part, part, {}))["threshold"] == 0.0 == model.threshold


@pytest.mark.parametrize("temperature, threshold", [(0, 0), (-1, 0), (float("nan"), 0), (1, 1.5), (1, -0.1), ("warm", 0), (1, None), (1000, 0)])
def test_nonsense_is_refused(model, temperature, threshold):
    with pytest.raises(ValueError, match="temperature"):
        model.calibrate(temperature, threshold)
    with pytest.raises(ValueError, match="temperature"):
        Sequential.from_spec(architecture("784-10") | {"temperature": temperature, "threshold": threshold})


@pytest.mark.parametrize("second_look", [-1, float("nan"), float("inf"), 101, "often", [5], {}])
def test_a_second_look_of_nonsense_is_refused(model, second_look):
    with pytest.raises(ValueError, match="second_look"):
        model.calibrate(1, 0, second_look)
    with pytest.raises(ValueError, match="second_look"):
        Sequential.from_spec(architecture("784-10") | {"second_look": second_look})
    assert model.second_look == 0


def test_a_spec_without_a_number_for_the_second_look_is_refused():
    with pytest.raises(ValueError, match="second_look None"):
        Sequential.from_spec(architecture("784-10") | {"second_look": None})
