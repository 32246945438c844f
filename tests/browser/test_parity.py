"""The same package on the desktop and in Pyodide: the same drawings must give the same answers, whatever multiplies the matrices."""

import numpy as np
import pytest
from hand import digit, ink_of
from parity import MODELS, drawings, hand_over, in_browser, on_desktop


def pictures() -> list[np.ndarray]:
    """Five RGBA pictures: black on white, chalk on slate, blue on cream, strokes on a transparent sheet, grey paper with grain."""
    rng = np.random.default_rng(5)
    made = []
    for value, paper, pen in [(3, (255, 255, 255), (0, 0, 0)), (5, (30, 40, 44), (240, 240, 235)), (7, (243, 237, 225), (30, 50, 140))]:
        ink = ink_of(digit(value), side=200 + 10 * value)[..., None] / 255
        made.append(np.dstack([(np.array(paper) * (1 - ink) + np.array(pen) * ink).round(), np.full(ink.shape, 255)]))
    ink = ink_of(digit(2), side=128)
    made.append(np.dstack([np.zeros((128, 128, 3)), ink]))
    grey = 200 + rng.normal(0, 5, (150, 180)) - 0.6 * np.pad(ink_of(digit(8), side=150), ((0, 0), (10, 20)))
    made.append(np.dstack([grey, grey, grey, np.full(grey.shape, 255)]))
    return [np.clip(picture, 0, 255).astype(np.uint8) for picture in made]


@pytest.fixture(scope="module")
def inks():
    return drawings()


@pytest.fixture(scope="module")
def with_inks(visit, inks):
    hand_over(visit, inks)
    return visit


def test_all_three_models_are_shipped(visit):
    assert sorted(model["name"] for model in visit.on_element("(element) => element.recognizer.models()")) == MODELS
    assert len(MODELS) == 3


@pytest.mark.parametrize("model", MODELS)
def test_two_hundred_inks_are_read_as_on_the_desktop(with_inks, inks, model):
    digits, probabilities, images, models = in_browser(with_inks, inks, model)
    expected_digits, expected_probabilities, expected_images = on_desktop(inks, model)
    assert models == [model]
    assert digits == expected_digits
    assert len(set(digits)) == 10  # every digit was among the answers
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert np.abs(probabilities - expected_probabilities).max() < 1e-5
    assert np.abs(images - expected_images).max() < 1e-6


def test_pictures_are_read_as_on_the_desktop(visit):
    made = pictures()
    hand_over(visit, made)
    digits, probabilities, images, _ = in_browser(visit, made, "convnet")
    expected_digits, expected_probabilities, expected_images = on_desktop(made, "convnet")
    assert digits == expected_digits == [3, 5, 7, 2, 8]
    assert np.abs(probabilities - expected_probabilities).max() < 1e-5
    assert np.abs(images - expected_images).max() < 1e-6
