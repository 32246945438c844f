"""Cutting ink into digits: worked drawings of strokes that are apart, above one another, or touch."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from inkling import numbers
from inkling.numbers import Digits, is_several
from inkling.preprocess import preprocess

# A busy machine must not fail a test: no time limits.
quick = settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
inks = st_numpy.arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.sampled_from([0, 0, 0, 20, 32, 255]))

ONE = [(0, 0, 0, 100)]
SEVEN = [(0, 0, 60, 0), (60, 0, 20, 100)]
FOUR = [(30, 0, 0, 60), (0, 60, 60, 60), (40, 20, 40, 100)]
ZERO = [(0, 0, 50, 0), (50, 0, 50, 100), (50, 100, 0, 100), (0, 100, 0, 0)]
FIVE_APART = [(0, 20, 0, 50), (0, 50, 50, 50), (50, 50, 50, 100), (50, 100, 0, 100), (0, -2, 50, -2)]  # the bar is 22 above the body, the pen 10


def draw(*strokes, width=280, height=280, pen=10):
    """Ink of straight strokes (x0, y0, x1, y1), round ends, soft edges."""
    y, x = np.mgrid[:height, :width] + 0.5
    coverage = np.zeros((height, width))
    for x0, y0, x1, y1 in strokes:
        along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-9), 0, 1)
        coverage = np.maximum(coverage, pen / 2 + 0.5 - np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)))
    return (255 * coverage.clip(0, 1)).round().astype(np.uint8)


def at(digit, x, y=80):
    return [(x0 + x, y0 + y, x1 + x, y1 + y) for x0, y0, x1, y1 in digit]


def boxes(ink):
    """Of each group, the boxes of its pieces."""
    digits = Digits(ink)
    return [[digits.box(piece) for piece in group] for group in digits.groups]


# Apart


def test_one_digit_is_one_piece_that_has_all_the_ink():
    ink = draw(*at(ZERO, 100))
    digits = Digits(ink)
    ((piece,),) = digits.groups
    assert digits.box(piece) == preprocess(ink)[1]["box"] == [95, 75, 60, 110]
    assert (digits.ink(piece) == ink[75:185, 95:155]).all()
    assert digits.n_apart() == 1


def test_digits_apart_come_from_left_to_right():
    ink = draw(*at(SEVEN, 200, 60), *at(ZERO, 40, 90), *at(ONE, 130, 70))
    assert boxes(ink) == [[[35, 85, 60, 110]], [[125, 65, 10, 110]], [[195, 55, 70, 110]]]
    assert Digits(ink).n_apart() == 3


def test_a_gap_of_one_pixel_is_enough():
    ink = np.zeros((40, 40), np.uint8)
    ink[5:35, 5:12] = ink[5:35, 13:20] = 255
    assert boxes(ink) == [[[5, 5, 7, 30]], [[13, 5, 7, 30]]]


def test_pixels_that_meet_at_a_corner_are_connected():
    assert boxes(np.eye(30, dtype=np.uint8)[:, ::-1] * 255) == [[[0, 0, 30, 30]]]


def test_a_long_spiral_is_one_stroke():
    radius = np.arange(10, 130, 12)
    turns = [(140 - r, 140 - r, 140 + r, 140 - r, 140 + r, 140 + r, 140 - r, 140 + r, 140 - r, 140 - r + 12) for r in radius]
    path = [point for turn in turns[::-1] for point in zip(turn[::2], turn[1::2])]
    ink = draw(*[(*a, *b) for a, b in zip(path, path[1:])], pen=4)
    labels, found = numbers._strokes(ink >= 32)
    assert len(found) == 1 and ((labels == 0) == (ink >= 32)).all()


def test_at_the_edges_of_the_ink():
    ink = np.zeros((50, 90), np.uint8)
    ink[:, :8] = ink[:, -8:] = ink[3:, 40:50] = 255
    assert boxes(ink) == [[[0, 0, 8, 50]], [[40, 3, 10, 47]], [[82, 0, 8, 50]]]


@pytest.mark.parametrize("ink", [np.zeros((280, 280)), np.full((20, 20), 31), np.zeros((1, 1)), np.zeros((0, 3)), np.zeros((3, 0))],
                         ids=["blank", "faint", "one pixel", "no rows", "no columns"])
def test_without_ink_there_is_no_digit(ink):
    assert Digits(ink.astype(np.uint8)).groups == []
    assert Digits(ink.astype(np.uint8)).n_apart() == 0


# Parts and specks


def test_a_five_and_its_bar_are_one_digit():
    ink = draw(*at(FIVE_APART, 100))
    digits = Digits(ink)
    ((piece,),) = digits.groups
    assert len(piece) == 2 and digits.box(piece) == [95, 73, 60, 112]
    assert (digits.ink(piece) == ink[73:185, 95:155]).all()


def test_the_bar_goes_to_the_five_that_it_stands_above():
    ink = draw(*at(ONE, 20), *at(FIVE_APART, 50), *at(ONE, 130))
    assert boxes(ink) == [[[15, 75, 10, 110]], [[45, 73, 60, 112]], [[125, 75, 10, 110]]]


def test_a_dot_within_a_zero_belongs_to_it():
    ink = draw(*at(ZERO, 100), (125, 130, 125, 131))
    assert boxes(ink) == [[[95, 75, 60, 110]]]
    assert Digits(ink).ink(Digits(ink).groups[0][0])[50:60].any(axis=0)[25:35].all()


def test_the_slash_of_a_zero_belongs_to_it_even_if_it_touches_nothing():
    assert boxes(draw(*at(ZERO, 100), (140, 95, 110, 165))) == [[[95, 75, 60, 110]]]


@pytest.mark.parametrize("x", [15, 150, 265])
def test_specks_beside_digits_are_left_out(x):
    ink = draw(*at(SEVEN, 50), *at(ONE, 200), (x, 180, x, 181))
    assert boxes(ink) == [[[45, 75, 70, 110]], [[195, 75, 10, 110]]]


def test_a_dash_is_no_speck():
    ink = draw(*at(SEVEN, 20), (110, 130, 150, 130), *at(ONE, 180))
    assert boxes(ink) == [[[15, 75, 70, 110]], [[105, 125, 50, 10]], [[175, 75, 10, 110]]]
    assert Digits(ink).n_apart() == 2


# Over one another, and touching


def test_slanted_neighbours_that_share_columns_are_two_digits_each_with_its_own_ink():
    left, right = at([(40, 0, 0, 100)], 60), at([(40, 0, 0, 100)], 90)
    ink = draw(*left, *right)
    digits = Digits(ink)
    assert [[digits.box(piece) for piece in group] for group in digits.groups] == [[[55, 75, 50, 110]], [[85, 75, 50, 110]]]
    for ((piece,), strokes) in zip(digits.groups, (left, right)):
        alone = draw(*strokes)
        # What was left over of the neighbour's soft rim is too faint to be ink.
        difference = abs(digits.ink(piece).astype(int) - alone[75:185, digits.box(piece)[0]:][:, :50])
        assert difference.max() < 32 and (difference > 0).sum() < 60
        np.testing.assert_allclose(preprocess(digits.ink(piece))[0], preprocess(alone)[0], atol=0.02)


def test_a_one_under_the_arm_of_a_seven_may_be_a_part_of_it():
    ink = draw((50, 80, 150, 80), (50, 80, 50, 180), *at(ONE, 140, 95))
    ((left, right),) = Digits(ink).groups
    digits = Digits(ink)
    assert [digits.box(left), digits.box(right), digits.box(left + right)] == [[45, 75, 110, 110], [135, 90, 10, 110], [45, 75, 110, 125]]


def test_touching_digits_are_cut_where_there_is_least_ink():
    ink = draw(*at(ZERO, 60), (110, 130, 150, 130), *at(ZERO, 150))
    ((*pieces,),) = Digits(ink).groups
    digits = Digits(ink)
    assert digits.box(sum(digits.groups[0], [])) == [55, 75, 150, 110]
    left = [digits.box(piece) for piece in digits.groups[0]]
    assert [box[0] for box in left] == sorted(box[0] for box in left)
    # One cut lies within the bridge between the zeros, which reaches from 115 to 145.
    assert any(115 <= box[0] <= 145 for box in left[1:])


def test_pieces_together_have_all_the_ink_and_none_twice():
    ink = draw(*at(ZERO, 60), (110, 130, 150, 130), *at(ZERO, 150))
    digits = Digits(ink)
    (pieces,) = digits.groups
    assert len(pieces) > 1
    assert sum(int((digits.ink(piece) >= 32).sum()) for piece in pieces) == int((ink >= 32).sum())
    assert (digits.ink(sum(pieces, [])) == ink[75:185, 55:205]).all()


@pytest.mark.parametrize("digit", [ONE, SEVEN, FOUR, ZERO, FIVE_APART])
def test_a_digit_of_usual_width_is_not_cut(digit):
    assert len(boxes(draw(*at(digit, 100)))[0]) == 1


def test_a_level_line_is_not_cut():
    assert boxes(draw((20, 140, 260, 140))) == [[[15, 135, 250, 10]]]


# Several


@pytest.mark.parametrize("strokes, several", [
    (at(ZERO, 100), False), (at(FIVE_APART, 100), False), (at(FOUR, 100), False),
    (at(ONE, 60) + at(ONE, 75), True), (at(SEVEN, 20) + at(ZERO, 150), True), (at(SEVEN, 20, 20) + at(ZERO, 150, 120), True),
    (at(ZERO, 20) + [(150, 150, 150, 151)], False),  # a dot
    (at(ZERO, 20) + [(100, 130, 160, 130)], False),  # a dash
    (at([(40, 0, 0, 100)], 60) + at([(40, 0, 0, 100)], 85), False),  # no empty column between them: not clear
], ids=["zero", "five and bar", "four", "eleven", "seventy", "two lines", "dot", "dash", "slanted eleven"])
def test_several_are_tall_strokes_with_empty_columns_between_them(strokes, several):
    ink = draw(*strokes)
    assert is_several(ink, preprocess(ink)[1]["box"]) is several


def test_a_thin_level_stroke_between_the_rows_looked_at_first_fills_its_columns_too():
    ink = np.zeros((60, 60), np.uint8)
    ink[10:50, 5:8] = ink[10:50, 50:53] = 255
    assert is_several(ink, [5, 10, 48, 40])
    ink[11, 5:53] = 255
    assert not is_several(ink, [5, 10, 48, 40])


# Any size, anything


@pytest.mark.parametrize("factor", [2, 7])
def test_large_ink_has_the_same_digits(factor):
    small = draw(*at(SEVEN, 20), *at(FIVE_APART, 110), *at(ONE, 200), height=200)
    large = small.repeat(factor, axis=0).repeat(factor, axis=1)
    found = boxes(large)
    cell = Digits(large)._cell
    assert len(found) == 3 and (cell == 1 if factor == 2 else cell > 1)
    for (box,), (expected,) in zip(found, boxes(small)):
        np.testing.assert_allclose(box, factor * np.array(expected), atol=cell)
    digits = Digits(large)
    for (piece,), (expected,) in zip(digits.groups, Digits(small).groups):
        np.testing.assert_allclose(preprocess(digits.ink(piece))[0], preprocess(Digits(small).ink(expected))[0], atol=1e-4)


def test_a_wide_sheet():
    ink = draw(*at(SEVEN, 1900, 400), *at(ZERO, 60, 300), width=2000, height=700)
    assert boxes(ink) == [[[55, 295, 60, 110]], [[1895, 395, 70, 110]]]


@quick
@given(inks)
def test_strokes_are_what_can_be_reached_by_single_steps(ink):
    visible = ink >= 32
    labels, found = numbers._strokes(visible)
    assert ((labels >= 0) == visible).all()
    assert sorted(set(labels[visible].tolist())) == list(range(len(found)))
    for label, (left, top, right, bottom) in enumerate(found):
        rows, columns = np.nonzero(labels == label)
        assert [left, top, right, bottom] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        reached = {(rows[0], columns[0])}
        while new := {(y + dy, x + dx) for y, x in reached for dy in (-1, 0, 1) for dx in (-1, 0, 1)
                      if 0 <= y + dy < len(ink) and 0 <= x + dx < ink.shape[1] and visible[y + dy, x + dx]} - reached:
            reached |= new
        assert reached == set(zip(rows, columns))


@quick
@given(inks)
def test_any_ink_is_cut_into_pieces_that_have_ink(ink):
    before = ink.copy()
    digits = Digits(ink)
    assert bool(digits.groups) is bool((ink >= 32).any())
    for group in digits.groups:
        for piece in [*group, sum(group, [])]:
            x, y, width, height = digits.box(piece)
            assert 0 <= x < x + width <= ink.shape[1] and 0 <= y < y + height <= ink.shape[0]
            assert digits.ink(piece).shape == (height, width) and (digits.ink(piece) >= 32).any()
            assert all(type(number) is int for number in digits.box(piece))
    assert (ink == before).all()
