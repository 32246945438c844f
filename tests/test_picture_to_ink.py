"""Pictures as ink: dark on light and light on dark, transparent, faint, noisy, and of every unhelpful kind."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from inkling.preprocess import picture_to_ink, preprocess

# A busy machine must not fail a test: no time limits.
quick = settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def picture(grey, alpha=255):
    """A grey RGBA picture."""
    grey = np.asarray(grey, np.uint8)
    return np.dstack([grey, grey, grey, np.broadcast_to(np.uint8(alpha), grey.shape)])


def stroke(paper=255, pen=0):
    """Grey levels of an upright stroke with soft edges, 60 x 40 px."""
    profile = np.zeros(40)
    profile[16:24] = [0.2, 0.6, 1, 1, 1, 1, 0.6, 0.2]
    coverage = np.zeros((60, 40))
    coverage[10:50] = profile
    return np.round(paper + (pen - paper) * coverage).astype(np.uint8)


def test_dark_on_light_is_ink_where_it_is_dark():
    ink, inverted = picture_to_ink(picture(stroke()))
    assert inverted is True
    assert ink.shape == (60, 40) and ink.dtype == np.uint8
    assert (ink[10:50, 18:22] == 255).all() and not ink[:10].any() and not ink[50:].any() and not ink[:, :15].any() and not ink[:, 25:].any()
    assert (0 < ink[30, 17]).all() and ink[30, 17] < 255  # a soft edge stays soft


@pytest.mark.parametrize("paper, pen", [(255, 0), (0, 255), (230, 40), (40, 230), (200, 140), (90, 200), (100, 10), (160, 250)])
def test_light_on_dark_is_the_same_ink_as_dark_on_light(paper, pen):
    ink, inverted = picture_to_ink(picture(stroke(paper, pen)))
    expected, _ = picture_to_ink(picture(stroke()))
    assert inverted is (pen < paper)
    np.testing.assert_allclose(ink.astype(int), expected, atol=8)  # grey levels are whole numbers: fewer of them, coarser edges
    np.testing.assert_allclose(preprocess(ink)[0], preprocess(expected)[0], atol=0.02)


@quick
@given(st_numpy.arrays(np.uint8, (9, 11), elements=st.integers(0, 255)), st.integers(0, 255))
def test_a_negative_has_the_same_ink(grey, paper):
    grey = np.pad(grey, 3, constant_values=paper)
    assume(paper - int(grey.min()) != int(grey.max()) - paper)  # otherwise both are equally far from the paper
    ink, inverted = picture_to_ink(picture(grey))
    negative, negative_inverted = picture_to_ink(picture(255 - grey))
    assert (ink == negative).all()
    assert inverted is not negative_inverted


@pytest.mark.parametrize("pen, paper", [
    ((200, 0, 0), (255, 255, 220)), ((0, 0, 160), (255, 255, 255)), ((0, 90, 0), (240, 200, 200)), ((255, 240, 0), (0, 60, 40))])
def test_coloured_pens_on_coloured_paper_are_ink(pen, paper):
    rgba = np.full((60, 40, 4), 255, np.uint8)
    rgba[..., :3] = paper
    rgba[10:50, 16:24, :3] = pen
    ink, inverted = picture_to_ink(rgba)
    assert (ink[10:50, 16:24] == 255).all() and ink.sum() == 255 * 40 * 8
    assert inverted is (sum(pen) < sum(paper))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_what_is_transparent_is_paper(grey):
    ink, _ = picture_to_ink(picture(np.full((30, 30), grey), alpha=0))
    assert not ink.any()


def test_black_on_a_transparent_ground_is_dark_on_light():
    alpha = 255 - stroke()
    ink, inverted = picture_to_ink(picture(np.zeros((60, 40)), alpha))
    assert inverted is True
    assert (ink == picture_to_ink(picture(stroke()))[0]).all()


def test_white_on_a_transparent_ground_cannot_be_seen():
    ink, _ = picture_to_ink(picture(np.full((60, 40), 255), 255 - stroke()))
    assert not ink.any()


@quick
@given(st.tuples(*[st.integers(0, 255)] * 4), st.integers(1, 30), st.integers(1, 30))
def test_a_picture_of_one_colour_has_no_ink(rgba, height, width):
    ink, _ = picture_to_ink(np.full((height, width, 4), rgba, np.uint8))
    assert ink.shape == (height, width) and ink.dtype == np.uint8 and not ink.any()
    assert preprocess(ink)[1]["empty"]


@pytest.mark.parametrize("paper, pen, seen", [(200, 180, False), (200, 169, False), (200, 160, True), (30, 60, False), (30, 70, True)])
def test_little_contrast_is_an_empty_sheet(paper, pen, seen):
    ink, _ = picture_to_ink(picture(stroke(paper, pen)))
    assert bool(ink.any()) is seen
    assert ink.max() == (255 if seen else 0)


def test_a_few_stray_pixels_are_no_drawing():
    grey = np.full((280, 280), 200)
    grey[[3, 77, 140], [9, 200, 141]] = 0
    assert not picture_to_ink(picture(grey))[0].any()


@pytest.mark.parametrize("paper, pen", [(235, 40), (60, 220), (210, 120)])
def test_the_noise_of_a_photograph_is_no_ink(paper, pen):
    rng = np.random.default_rng(5)
    large = np.kron(stroke(paper, pen), np.ones((4, 4), int))
    blocks = np.kron(rng.normal(0, 3, (30, 20)), np.ones((8, 8)))  # JPEG works in blocks of 8 x 8
    noisy = np.clip(large + blocks + rng.normal(0, 4, large.shape), 0, 255)
    ink, _ = picture_to_ink(picture(noisy))
    clean, _ = picture_to_ink(picture(large))
    paper_only = np.kron(stroke(), np.ones((4, 4), int)) == 255
    assert paper_only.sum() > 20_000 and not ink[paper_only].any()
    np.testing.assert_allclose(preprocess(ink)[0], preprocess(clean)[0], atol=0.15)


def test_a_shadow_across_the_paper_is_no_ink():
    shadow = np.linspace(0, 70, 40)
    ink, _ = picture_to_ink(picture(np.maximum(stroke() - shadow, 0)))
    assert not ink[:, :15].any() and not ink[:, 25:].any()
    assert (ink[10:50, 18:22] == 255).all()


def test_a_picture_taller_than_wide_is_read_as_the_same_picture_lying():
    tall = np.kron(stroke(), np.ones((12, 3), np.uint8))
    rgba = picture(tall, np.random.default_rng(0).integers(200, 256, tall.shape))
    ink, inverted = picture_to_ink(rgba)
    lying, lying_inverted = picture_to_ink(rgba.transpose(1, 0, 2))
    assert (ink == lying.T).all() and inverted is lying_inverted


@quick
@given(st_numpy.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4)), elements=st.integers(0, 255)))
def test_any_picture_becomes_ink_of_its_size(rgba):
    before = rgba.copy()
    ink, inverted = picture_to_ink(rgba)
    assert ink.shape == rgba.shape[:2] and ink.dtype == np.uint8 and type(inverted) is bool
    assert (rgba == before).all()
    assert preprocess(ink)[0].max() <= 1
