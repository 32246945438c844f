"""Preprocessing: worked examples, and what it must not depend on.

The arrays in the worked examples were worked out on paper: the middle of the field is 14.5 px from its edge, and a digit is 20 px long.
"""

from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from inkling.preprocess import picture_to_ink, preprocess

# A busy machine must not fail a test: no time limits.
quick = settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
inks = st_numpy.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 255))


def has_ink(ink):
    return bool((ink >= 32).any())


def field(rows, columns):
    """An image that is the product of two profiles, each {(first, last): value}."""
    profiles = np.zeros((2, 28))
    for profile, runs in zip(profiles, (rows, columns)):
        for (first, last), value in runs.items():
            profile[first:last + 1] = value
    return np.outer(*profiles)


# 20 px around 14.5 reach from 4.5 to 24.5: half of pixel 4, all of 5 to 23, half of 24.
TWENTY = {(4, 4): 0.5, (5, 23): 1, (24, 24): 0.5}


# Worked examples


@pytest.mark.parametrize("ink", [
    np.full((1, 1), 255), np.full((20, 20), 255), np.full((280, 280), 255), np.pad(np.full((3, 3), 255), ((5, 70), (9, 1))),
], ids=["one pixel", "20 px", "a whole black sheet", "in a corner"])
def test_a_black_square_becomes_a_square_of_20_px_in_the_middle(ink):
    image, found = preprocess(ink.astype(np.uint8))
    np.testing.assert_allclose(image, field(TWENTY, TWENTY), atol=1e-6)
    assert not found["empty"]


def test_a_grey_pixel_stays_as_grey_as_it_is():
    image, _ = preprocess(np.array([[0, 0], [153, 0]], np.uint8))
    np.testing.assert_allclose(image, 0.6 * field(TWENTY, TWENTY), atol=1e-6)


def test_a_heavy_and_a_light_pixel_side_by_side():
    # Mass 255 at 0.5 and 85 at 1.5: the centre lies at 0.75, so the border between the two lies 2.5 px right of it, at 17.
    image, found = preprocess(np.array([[255, 85]], np.uint8))
    np.testing.assert_allclose(image, field({(9, 9): 0.5, (10, 18): 1, (19, 19): 0.5}, {(7, 16): 1, (17, 26): 1 / 3}), atol=1e-6)
    assert found == {"empty": False, "box": [0, 0, 2, 1], "centre_of_mass": pytest.approx([0.75, 0.5]), "ink_fraction": pytest.approx(2 / 3)}


def test_what_the_centre_of_mass_pushes_out_of_the_field_is_cut_off():
    # Four pixels of 5 px each, mass 200 at 0.5 and 50 at 3.5: the centre lies at 1.1, the top at 14.5 - 5.5 = 9, the bottom at 29.
    image, _ = preprocess(np.array([[200], [0], [0], [50]], np.uint8))
    np.testing.assert_allclose(image, field({(9, 13): 200 / 255, (24, 27): 50 / 255}, {(12, 16): 1}), atol=1e-6)


def test_shrinking_averages_over_the_area():
    # 40 px checks of 255 and 51 shrink by two: every pixel of the image covers two of each, so all become (255 + 51) / 2 / 255 = 0.6.
    checks = np.where(np.add.outer(np.arange(40), np.arange(40)) % 2 == 0, 255, 51).astype(np.uint8)
    image, _ = preprocess(checks)
    np.testing.assert_allclose(image[5:24, 5:24], 0.6, atol=1e-6)
    np.testing.assert_allclose(image[4, 5:24], 0.3, atol=1e-6)
    np.testing.assert_allclose([image[4, 4], image[4, 24], image[24, 4], image[24, 24]], [0.25, 0.05, 0.05, 0.25], atol=1e-6)
    assert not image[:4].any() and not image[25:].any()


def test_the_longer_side_becomes_20_px_and_the_aspect_is_kept():
    # 100 x 50 becomes 20 x 10, around 14.5 from 9.5 to 19.5.
    image, _ = preprocess(np.full((50, 100), 255, np.uint8))
    np.testing.assert_allclose(image, field({(9, 9): 0.5, (10, 18): 1, (19, 19): 0.5}, TWENTY), atol=1e-6)


def test_a_picture_of_six_million_pixels():
    # 3000 x 2000, all ink: 20 px high, 13 1/3 wide, from 7 5/6 to 21 1/6.
    image, found = preprocess(np.full((3000, 2000), 255, np.uint8))
    np.testing.assert_allclose(image, field(TWENTY, {(7, 7): 1 / 6, (8, 20): 1, (21, 21): 1 / 6}), atol=1e-4)
    assert found["box"] == [0, 0, 2000, 3000] and found["centre_of_mass"] == pytest.approx([1000, 1500], abs=0.01)
    assert found["ink_fraction"] == pytest.approx(1)


def test_says_where_the_ink_is():
    ink = np.zeros((10, 20), np.uint8)
    ink[2:4, 5:9] = 255
    _, found = preprocess(ink)
    assert found == {"empty": False, "box": [5, 2, 4, 2], "centre_of_mass": [7, 3], "ink_fraction": pytest.approx(0.04)}
    assert all(type(number) is int for number in found["box"]) and all(type(number) is float for number in found["centre_of_mass"])


@pytest.mark.parametrize("ink", [np.zeros((280, 280)), np.zeros((1, 1)), np.zeros((0, 5)), np.zeros((5, 0)), np.full((50, 50), 31)],
                         ids=["blank", "one blank pixel", "no rows", "no columns", "faint"])
def test_without_ink_the_image_is_zero(ink):
    image, found = preprocess(ink.astype(np.uint8))
    assert image.shape == (28, 28) and image.dtype == np.float32 and not image.any()
    assert found == {"empty": True, "box": None, "centre_of_mass": None, "ink_fraction": 0.0}


# What it forgives


def square(side=20, size=100):
    """A black square in the middle of a sheet."""
    ink = np.zeros((size, size), np.uint8)
    start = (size - side) // 2
    ink[start:start + side, start:start + side] = 255
    return ink


def test_dust_does_not_stretch_the_box():
    ink = square()
    clean, _ = preprocess(ink)
    ink[3, 3] = ink[95, 80] = 31
    dusty, found = preprocess(ink)
    assert found["box"] == [40, 40, 20, 20]
    assert (dusty == clean).all()


@pytest.mark.parametrize("places", [
    [(50, 3)], [(50, 95)], [(2, 50)], [(90, 50)], [(2, 2)], [(96, 1), (1, 96)],
    [(45, 3), (55, 10), (2, 44), (20, 90), (97, 97)],
    [(3, 50), (3, 97)],  # once the first is gone with its row, nothing else holds the second
], ids=["left", "right", "above", "below", "in a corner", "in two corners", "all around", "one beside the other"])
def test_specks_do_not_change_the_image(places):
    ink = square()
    clean, _ = preprocess(ink)
    for y, x in places:
        ink[y:y + 2, x:x + 2] = 255  # 4 px: 1 % of the square
    image, found = preprocess(ink)
    assert (image == clean).all()
    assert found["box"] == [40, 40, 20, 20] and found["centre_of_mass"] == [50, 50] and found["ink_fraction"] == pytest.approx(0.04)


def test_a_faint_smudge_does_not_change_the_image():
    ink = square()
    clean, _ = preprocess(ink)
    ink[5:15, 60:70] = 40  # 100 px, but only 3.8 % of the ink
    image, found = preprocess(ink)
    assert found["box"] == [40, 40, 20, 20] and (image == clean).all()


@pytest.mark.parametrize("n, box", [(16, [40, 40, 20, 20]), (17, [40, 10, 20, 50])])
def test_a_speck_is_less_than_four_hundredths_of_the_ink(n, box):
    ink = square()
    ink[10, 42:42 + n] = 255  # 16 px of 416 are 3.8 %, 17 of 417 are 4.1 %
    assert preprocess(ink)[1]["box"] == box


@pytest.mark.parametrize("gap", [1, 12])
def test_the_bar_of_a_five_drawn_apart_belongs_to_it(gap):
    ink = np.zeros((280, 280), np.uint8)
    ink[60:70, 150:180] = 255  # 300 px of 4,500: a short bar
    ink[70 + gap:210 + gap, 120:150] = 255
    assert preprocess(ink)[1]["box"] == [120, 60, 60, 150 + gap]


def test_where_all_are_specks_all_of_them_count():
    ink = np.zeros((280, 280), np.uint8)
    ink[4::28, 5::28] = 255  # ten by ten dots
    assert preprocess(ink)[1]["box"] == [5, 4, 253, 253]


def test_a_speck_among_the_strokes_is_left_alone():
    ink = square(60)
    ink[30:70, 30:70] = 0  # a ring
    ink[50:52, 50:52] = 255
    image, found = preprocess(ink)
    assert found["box"] == [20, 20, 60, 60]
    assert image[14, 14] > 0


@pytest.mark.parametrize("turns", range(4))
def test_at_one_edge_of_the_sheet_what_the_pen_lost_is_made_up_for(turns):
    # 35 x 80 of a bar along the left edge; 280 / 56 = 5 columns more make 40 x 80 of it: 10 x 20 px, as anywhere else.
    ink = np.zeros((280, 280), np.uint8)
    ink[100:180, 0:35] = 255
    image, found = preprocess(np.ascontiguousarray(np.rot90(ink, turns)))
    upright = field(TWENTY, {(9, 9): 0.5, (10, 18): 1, (19, 19): 0.5})
    np.testing.assert_allclose(image, upright if turns % 2 == 0 else upright.T, atol=1e-6)
    assert found["box"] == [[0, 100, 35, 80], [100, 245, 80, 35], [245, 100, 35, 80], [100, 0, 80, 35]][turns]  # what there is
    assert found["ink_fraction"] == pytest.approx(35 * 80 / 280**2)


def test_only_the_edge_itself_is_repeated():
    # A pen along the upper edge of which 5 of 20 px are left, and a stroke down from it: 5 px more of the first, none of the second.
    ink = np.zeros((280, 280), np.uint8)
    ink[0:5, 100:160] = ink[0:95, 120:140] = 255
    whole = np.zeros((280, 280), np.uint8)
    whole[100:110, 100:160] = whole[100:200, 120:140] = 255
    np.testing.assert_allclose(preprocess(ink)[0], preprocess(whole)[0], atol=1e-6)


def test_what_reaches_from_edge_to_edge_was_cropped_and_lost_nothing():
    bar = np.full((100, 50), 255, np.uint8)
    np.testing.assert_allclose(preprocess(bar)[0], preprocess(np.pad(bar, 90))[0], atol=1e-6)


# A profile of 20 px, spread by 1 2 1: at its ends a quarter of 0.5, then (2 * 0.5 + 1) / 4, then (0.5 + 2 + 1) / 4.
SPREAD = {(3, 3): 0.125, (4, 4): 0.5, (5, 5): 0.875, (6, 22): 1, (23, 23): 0.875, (24, 24): 0.5, (25, 25): 0.125}


def test_a_pen_too_thin_to_be_seen_is_made_stronger():
    # A pixel of 280 becomes 1/14 of a pixel. Spread by 1 2 1 and brought to 1, it is as wide as a pen on MNIST.
    ink = np.zeros((280, 280), np.uint8)
    ink[:, 33] = 255
    image, found = preprocess(ink)
    np.testing.assert_allclose(image, field(SPREAD, {(13, 13): 0.5, (14, 14): 1, (15, 15): 0.5}), atol=1e-6)
    assert found["box"] == [33, 0, 1, 280]
    across, _ = preprocess(ink.T)
    np.testing.assert_allclose(across, image.T, atol=1e-6)


def test_pale_ink_is_made_stronger():
    image, _ = preprocess(np.array([[0, 0], [51, 0]], np.uint8))
    np.testing.assert_allclose(image, field(SPREAD, SPREAD), atol=1e-6)


def test_the_thinnest_pen_on_the_largest_digit_is_left_as_it_is():
    # 10 px wide and 252 high: 10 / 12.6 of column 14.
    ink = np.zeros((280, 280), np.uint8)
    ink[14:266, 100:110] = 255
    np.testing.assert_allclose(preprocess(ink)[0], field(TWENTY, {(14, 14): 10 / 12.6}), atol=1e-6)


def test_a_thick_pen_on_a_small_digit_is_left_as_it_is():
    # A ring of 60 px drawn with 20: the pen is a third of it, so the hole is too, 6 2/3 px from 11 1/6 to 17 5/6.
    ink = square(60, 280)
    ink[130:150, 130:150] = 0
    image, _ = preprocess(ink)
    assert image[8, 14] == pytest.approx(1) and image[14, 14] == pytest.approx(0, abs=1e-6)
    assert image[11, 14] == pytest.approx(1 / 6) and image[17, 14] == pytest.approx(1 / 6) and image[14, 11] == pytest.approx(1 / 6)


# Uneven light


def seven(size=280):
    """The share of each pixel that a written 7 covers, (size, size), with soft edges."""
    y, x = np.mgrid[:size, :size] * (280 / size)
    bar = np.maximum(abs(x - 130) - 60, abs(y - 70) - 8)
    stem = np.maximum(abs(x - 190 + 0.45 * (y - 70)) - 9, abs(y - 145) - 75)
    return np.clip(0.5 - np.minimum(bar, stem), 0, 1)


def photograph(light, paper=230, pen=50, size=280, grain=0.0):
    """A sheet with a 7 under light, a function of y and x in 0..1 that gives the share of the full light: RGBA."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    grey = (paper + (pen - paper) * seven(size)) * light(y, x) + grain * np.random.default_rng(3).normal(0, 1, (size, size))
    grey = grey.round().clip(0, 255).astype(np.uint8)
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


LIGHTS = {
    "from the left": lambda y, x: 1 - 0.5 * x,
    "from below": lambda y, x: 0.5 + 0.5 * y,
    "from a corner": lambda y, x: 1 - 0.3 * x - 0.3 * y,
    "of a flash": lambda y, x: 1 - 0.9 * ((x - 0.5) ** 2 + (y - 0.5) ** 2),
    "of a lamp": lambda y, x: 1 / (1 + (x - 0.2) ** 2 + (y + 0.3) ** 2),
}


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
@pytest.mark.parametrize("paper, pen", [(230, 50), (215, 130), (60, 200)], ids=["ballpoint", "pencil", "chalk"])
def test_a_shaded_photograph_gives_the_ink_of_an_evenly_lit_one(light, paper, pen):
    expected, _ = picture_to_ink(photograph(lambda y, x: 1, paper, pen))
    ink, inverted = picture_to_ink(photograph(light, paper, pen, grain=3))
    assert inverted is (pen < paper)
    assert (ink[expected == 0] > 32).sum() < 20  # of 73,000 pixels: a few at the strokes' soft edges
    np.testing.assert_allclose(preprocess(ink)[0], preprocess(expected)[0], atol=0.15)


def test_a_large_shaded_photograph_too():
    expected, _ = picture_to_ink(photograph(lambda y, x: 1, size=1400))
    ink, _ = picture_to_ink(photograph(LIGHTS["from a corner"], size=1400, grain=3))
    np.testing.assert_allclose(preprocess(ink)[0], preprocess(expected)[0], atol=0.05)


def test_a_stroke_over_the_edge_of_a_shaded_photograph_is_no_shade():
    picture = photograph(LIGHTS["from the left"])
    picture[120:150, :, :3] = (picture[120:150, :, :3] * 0.2).astype(np.uint8)  # a line across the whole sheet
    ink, _ = picture_to_ink(picture)
    assert (ink[125:145] == 255).all() and not ink[230:].any() and not ink[:50].any()


@pytest.mark.parametrize("paper, pen", [(230, 50), (60, 200)])
@pytest.mark.parametrize("light", [lambda y, x: 1, lambda y, x: 1 - 0.04 * x], ids=["even", "hardly uneven"])
def test_in_even_light_every_grey_level_has_one_ink(light, paper, pen):
    picture = photograph(light, paper, pen, grain=3)
    ink, _ = picture_to_ink(picture)
    for level in np.unique(picture[..., 0]):
        assert len(np.unique(ink[picture[..., 0] == level])) == 1


def test_a_sheet_on_a_dark_table_is_no_shade():
    # Half of the border is table: no surface fits, the picture is taken as it is.
    picture = photograph(lambda y, x: 1)
    picture[:, :140, :3] = 40
    ink, _ = picture_to_ink(picture)
    assert len(np.unique(ink[:, :140])) == 1


# Properties


@quick
@given(inks)
def test_an_image_is_28_by_28_float32_between_0_and_1(ink):
    image, found = preprocess(ink)
    assert image.shape == (28, 28) and image.dtype == np.float32
    assert 0 <= image.min() and image.max() <= 1
    assert found["empty"] is not has_ink(ink) and bool(image.any()) is has_ink(ink)
    assert 0 <= found["ink_fraction"] <= 1


@quick
@given(inks, st.tuples(*[st.integers(0, 40)] * 4))
def test_where_the_drawing_stands_does_not_matter(ink, margins):
    assume(has_ink(ink))
    top, bottom, left, right = margins
    ink = np.pad(ink, 1)  # where an edge cuts something off, it does matter
    image, found = preprocess(ink)
    moved_image, moved = preprocess(np.pad(ink, ((top, bottom), (left, right))))
    np.testing.assert_allclose(moved_image, image, atol=1e-6)
    x, y, width, height = found["box"]
    assert moved["box"] == [x + left, y + top, width, height]
    assert moved["centre_of_mass"] == pytest.approx([found["centre_of_mass"][0] + left, found["centre_of_mass"][1] + top])


@quick
@given(inks, st.integers(2, 15))
def test_how_large_the_drawing_is_does_not_matter(ink, factor):
    assume(has_ink(ink))
    ink = np.pad(ink, 1)
    image, found = preprocess(ink)
    larger_image, larger = preprocess(np.kron(ink, np.ones((factor, factor), np.uint8)))
    np.testing.assert_allclose(larger_image, image, atol=1e-5)
    assert larger["box"] == [factor * number for number in found["box"]]
    assert larger["ink_fraction"] == pytest.approx(found["ink_fraction"], rel=1e-5)


@quick
@given(inks)
def test_rows_and_columns_are_treated_alike(ink):
    np.testing.assert_allclose(preprocess(ink.T)[0], preprocess(ink)[0].T, atol=1e-6)


@quick
@given(inks)
@example(np.array([[32, 0, 0, 0, 91]], np.uint8))
def test_the_centre_of_mass_lies_in_the_middle_of_pixel_14(ink):
    assume(has_ink(ink))
    with mock.patch("inkling.preprocess.FAINT", 0):  # what is faint is spread after that, over the edge, too
        image, found = preprocess(ink)
    (left, top, width, height), (x, y) = found["box"], found["centre_of_mass"]
    px = 20 / max(width, height)
    assume(max(left + width - x, top + height - y) * px <= 13.5 and max(x - left, y - top) * px <= 14.5)  # else something is cut off
    # A pixel that a border crosses counts as if its mass lay in its middle: for ink pixels of 20/12 px and more this is
    # an error of at most 1/8 / (20/12) = 0.075 px.
    index, mass = np.arange(28), image.sum(dtype=float)
    assert (image.sum(axis=1) @ index) / mass == pytest.approx(14, abs=0.076)
    assert (image.sum(axis=0) @ index) / mass == pytest.approx(14, abs=0.076)


def test_the_centre_of_mass_of_a_drawing_lies_at_14_14():
    y, x = np.mgrid[:280, :280]
    seven = ((abs(y - 60) < 10) & (abs(x - 150) < 70)) | ((abs(x - 215 + (y - 60) / 2) < 12) & (y > 55) & (y < 250))
    image, found = preprocess(np.where(seven, 255, 0).astype(np.uint8))
    index = np.arange(28)
    assert found["centre_of_mass"] != pytest.approx([140, 140], abs=10)  # it is drawn off the middle
    assert (image.sum(axis=1) @ index) / image.sum() == pytest.approx(14, abs=0.01)
    assert (image.sum(axis=0) @ index) / image.sum() == pytest.approx(14, abs=0.01)


@quick
@given(st_numpy.arrays(np.uint8, (6, 4), elements=st.sampled_from([0, 0, 64, 100, 200, 252])))
def test_three_quarters_of_the_ink_give_three_quarters_of_the_image(ink):
    image, _ = preprocess(ink)
    paler, _ = preprocess(ink // 4 * 3)
    assume(0.5 <= paler.max() < 1)  # otherwise it was made stronger
    np.testing.assert_allclose(paler, 0.75 * image, atol=1e-6)


def test_the_ink_is_left_as_it_is_and_may_be_read_only():
    ink = np.full((5, 5), 200, np.uint8)
    ink.setflags(write=False)
    assert preprocess(ink[::2, ::-1])[0].any()
