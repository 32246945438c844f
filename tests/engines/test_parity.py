"""The same two hundred inks have the same answers in every engine as on the desktop, whichever way the page has started."""

import numpy as np
import pytest
from parity import drawings, hand_over, in_browser, on_desktop

from engines.reports import reporting


@pytest.fixture(scope="module")
def inks():
    return drawings()


@pytest.fixture(scope="module")
def expected(inks):
    return on_desktop(inks, "convnet")


@pytest.mark.parametrize("path", ["snapshot", "slim"])
def test_two_hundred_inks_are_read_as_on_the_desktop(visit, dist, inks, expected, path):
    with reporting(dist) as server:
        tab = visit(server.url).open("?boot=slim" if path == "slim" else "").ready()
        assert tab.health()["boot"]["path"] == path
        hand_over(tab, inks)
        digits, probabilities, images, models = in_browser(tab, inks)
    expected_digits, expected_probabilities, expected_images = expected
    assert models == ["convnet"]
    assert digits == expected_digits
    assert len(set(digits)) == 10  # every digit was among the answers
    assert np.abs(probabilities - expected_probabilities).max() < 1e-5
    assert np.abs(images - expected_images).max() < 1e-6
