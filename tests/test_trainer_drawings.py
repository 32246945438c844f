"""Drawings: read, deformed, rendered, made, laid on the pad, and measured."""

import gzip
import json

import numpy as np
import pytest

from inkling.preprocess import preprocess
from trainer.command import TrainerError
from trainer.drawings import blend, pool, recorded, strange
from trainer.drawings import digits as made
from trainer.drawings.benchmark import CONDITIONS, FORMS_FILE, MADE_FORMS, STRANGE, TOUCHING, number_ink
from trainer.drawings.blend import Blender
from trainer.drawings.deform import deform, deform_whole, resample, smooth
from trainer.drawings.fonts import Glyph
from trainer.drawings.render import SIDE, extent, fill, lay, render

UNIPEN = """.VERSION 1.0
.SEGMENT DIGIT 0-1 ? "7"
.COMMENT 7 12 1
.PEN_DOWN
 100 400
 300 400
 200 100
.PEN_UP
.DT 100
.PEN_DOWN
 150 250
 250 250
.PEN_UP
.SEGMENT DIGIT 2 ? "1"
.COMMENT 1 3 2
.PEN_DOWN
 250 450
 250 50
.PEN_UP
"""


SQUARE = np.array([[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]])
HOLE = (SQUARE[::-1] - 0.5) / 2 + 0.5
GLYPHS = [Glyph(0, [SQUARE, HOLE]), Glyph(8, [SQUARE])]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


# Recorded strokes


def test_unipen_text_gives_strokes_in_sides_of_the_pad_with_y_down():
    digits = recorded.read_unipen(UNIPEN.encode(), "test")
    assert digits.labels.tolist() == [7, 1] and digits.writers.tolist() == [12, 3] and len(digits) == 2
    np.testing.assert_allclose(digits.drawings[0][0], [[0.2, 0.2], [0.6, 0.2], [0.4, 0.8]])
    assert [len(drawing) for drawing in digits.drawings] == [2, 1]
    (one,) = digits.by([3]).drawings
    np.testing.assert_allclose(one[0], [[0.5, 0.1], [0.5, 0.9]])
    assert digits.by([3]).ids.tolist() == [1]


@pytest.mark.parametrize("text, said", [
    ("", "holds no digits"), ("nothing of the kind", "holds no digits"),
    (UNIPEN.replace('"1"', '"x"'), "digit 1 has no label"), (UNIPEN.replace(" 250 450\n 250 50\n", ""), "digit 1 has no label, writer or points"),
    (UNIPEN.replace("250 50\n", "250 fifty\n"), "digit 1"), (UNIPEN.replace("250 50\n", "250\n"), "digit 1"),
])
def test_what_is_no_unipen_text_is_refused_with_its_place(text, said):
    with pytest.raises(TrainerError, match=f"strokes.tra: .*{said}"):
        recorded.read_unipen(text.encode(), "strokes.tra")


def test_a_file_is_read_plain_and_gzipped_and_a_damaged_one_named(tmp_path):
    plain, packed, cut = (tmp_path / name for name in ("a.tra", "b.gz", "c.gz"))
    plain.write_text(UNIPEN, encoding="ascii")
    packed.write_bytes(gzip.compress(UNIPEN.encode()))
    cut.write_bytes(gzip.compress(UNIPEN.encode())[:-20])
    assert recorded.load_pen_digits(plain).sha256 == recorded.load_pen_digits(packed).sha256
    for path in (cut, tmp_path / "missing.gz"):
        with pytest.raises(TrainerError):
            recorded.load_pen_digits(path)


def test_strokes_that_cannot_be_fetched_name_the_source_and_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path))
    monkeypatch.setattr(recorded, "URL", "http://127.0.0.1:9/pen.zip")
    with pytest.raises(TrainerError, match=r"127\.0\.0\.1:9/pen\.zip.*[\s\S]*--strokes"):
        recorded.load_pen_digits()


def test_strokes_in_the_cache_need_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path))
    monkeypatch.setattr(recorded, "URL", "http://127.0.0.1:9/pen.zip")
    monkeypatch.setattr(recorded, "SHA256", recorded.sha256(UNIPEN.encode()))
    (tmp_path / "pendigits").mkdir()
    (tmp_path / "pendigits" / "pendigits-orig.tra").write_text(UNIPEN, encoding="ascii")
    assert len(recorded.load_pen_digits()) == 2


def test_nobody_trains_and_measures():
    digits = recorded.PenDigits([], np.array([]), np.arange(1, 31), np.arange(30), "")
    writers = recorded.training_writers(digits)
    assert len(writers) == 22 and len({*writers, *recorded.TUNING, *recorded.HELD_OUT}) == 30


# Ink


def test_a_line_becomes_ink_as_broad_as_the_pen_with_round_ends():
    ink = render([np.array([[0.25, 0.5], [0.75, 0.5]])], pen=20)
    assert ink.shape == (SIDE, SIDE) and ink.dtype == np.uint8
    assert ink.sum() / 255 == pytest.approx(140 * 20 + np.pi * 10**2, rel=0.02)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert abs(rows[0] - 130) <= 1 and abs(rows[-1] - 149) <= 1 and abs(columns[0] - 60) <= 1 and abs(columns[-1] - 219) <= 1
    assert ink[131, 61] == 0 and ink[140, 140] == 255


def test_a_point_is_a_dot_and_what_leaves_the_pad_is_cut_off():
    dot = render([np.array([[0.5, 0.5]])], pen=20)
    assert dot.sum() / 255 == pytest.approx(np.pi * 100, rel=0.05)
    outside = render([np.array([[0.5, 0.5], [3.0, 0.5]])])
    assert outside[140, -1] == 255 and outside[0].max() == 0


@pytest.mark.parametrize("place, corner", [((0, 0), (0, 0)), ((1, 1), (1, 1)), ((0.5, 0.5), (0.5, 0.5))])
def test_a_drawing_is_laid_in_its_place_at_its_size(place, corner):
    square = [np.array([[3.0, 3], [5, 3], [5, 5], [3, 5]])]
    least, greatest = extent(lay(square, 0.4, place))
    np.testing.assert_allclose(greatest - least, 0.4)
    np.testing.assert_allclose((least + greatest) / 2, 0.2 + 0.6 * np.array(corner))


def test_a_tilt_turns_clockwise_and_keeps_the_size():
    (turned,) = lay([np.array([[0.0, 1], [0, 0]])], 0.5, tilt=np.deg2rad(90))
    np.testing.assert_allclose(turned[1] - turned[0], [0.5, 0], atol=1e-9)  # what pointed up points to the right


def test_outlines_are_filled_but_for_their_holes_and_a_pen_makes_them_broader():
    ink = fill([SQUARE, HOLE], pen=0)
    assert ink.shape == (SIDE, SIDE) and ink.dtype == np.uint8 and ink[140, 140] == 0 and ink[70, 140] == 255
    assert ink.sum() / 255 == pytest.approx((0.36 - 0.09) * SIDE**2, rel=0.02)
    overlapping = fill([SQUARE, HOLE[::-1]], pen=0)  # the other way round it is no hole, but drawn twice
    assert overlapping[140, 140] == 255
    broader = fill([SQUARE, HOLE], pen=10)
    assert broader.sum() / 255 == pytest.approx((0.36 - 0.09) * SIDE**2 + 5 * 4 * 0.9 * SIDE, rel=0.05)


# Deforming


def test_no_strength_leaves_the_line_as_it_is(rng):
    line = np.array([[0.1, 0.1], [0.9, 0.7]])
    (points,) = deform([line], rng, 0.0)
    along = (points - line[0]) @ (line[1] - line[0]) / ((line[1] - line[0]) ** 2).sum()
    np.testing.assert_allclose(line[0] + along[:, None] * (line[1] - line[0]), points, atol=1e-9)
    np.testing.assert_allclose([along.min(), along.max()], [0, 1], atol=0.08)


def test_deforming_changes_every_time_and_repeats_with_the_seed():
    drawing = made.draw_digit(3, np.random.default_rng(1))
    first, again, other = (np.concatenate(deform(drawing, np.random.default_rng(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.allclose(first, other)


def test_outlines_are_deformed_together_so_that_what_touches_still_does():
    ring, inner = deform_whole([SQUARE, SQUARE[::-1]], np.random.default_rng(5))
    np.testing.assert_allclose(ring, inner[::-1])
    assert not np.allclose(ring, SQUARE, atol=0.01) and ring.shape == SQUARE.shape


def test_points_are_spaced_evenly_and_a_curve_goes_through_its_points():
    points = resample(np.array([[0.0, 0], [1, 0], [1, 1]]), 0.1)
    assert np.hypot(*np.diff(points, axis=0).T).max() < 0.11
    given = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    curve = smooth(given)
    assert all(np.abs(curve - point).sum(axis=1).min() < 1e-9 for point in given)


@pytest.mark.parametrize("drawing", [[np.array([[0.5, 0.5]])], [np.array([[0.5, 0.5], [0.5, 0.5]])], [np.array([[0.0, 0], [1, 1]])] * 3], ids=["dot", "still", "twice"])
def test_odd_drawings_survive_everything(drawing, rng):
    for _ in range(50):
        assert np.isfinite(np.concatenate(deform(drawing, rng, 1.5))).all()
        assert pool.draw_anyhow(drawing, rng).max() > 0


# Made digits, and what is none


def test_every_form_of_every_digit_can_be_drawn(rng):
    for label, forms in made.FORMS.items():
        assert set(forms) and made.draw_digit(label, rng)
        for form in forms:
            ink = render(lay(deform(form(rng), rng), 0.7))
            assert 0.01 < (ink > 127).mean() < 0.4, form.__name__


def test_every_kind_of_strange_thing_can_be_drawn(rng):
    for kind in dict.fromkeys(strange.KINDS):
        for _ in range(5):
            ink = render(lay(deform(kind(rng), rng), 0.7), 8)
            assert (ink > 127).mean() > 0.003, kind.__name__


def test_letters_like_digits_are_not_called_strange():
    assert not set(strange.LETTERS) & strange.LIKE_DIGITS and not set(strange.LETTERS) & set("0123456789")
    assert strange.FONT_KEPT_BACK not in strange.FONTS


# Blended hands


def hands(*written) -> recorded.PenDigits:
    """Digits given as (label, writer, strokes)."""
    labels, writers, drawings = zip(*written)
    strokes = [[np.array(stroke, float) for stroke in drawing] for drawing in drawings]
    return recorded.PenDigits(strokes, np.array(labels), np.array(writers), np.arange(len(labels)), "")


UPRIGHT, SLANTED = [[(0.5, 0), (0.5, 1)]], [[(0.6, 0), (0.4, 1)]]


def test_a_blend_lies_on_the_line_through_two_peoples_digits_and_not_far_beyond(rng):
    blender = Blender(hands((1, 1, UPRIGHT), (1, 2, SLANTED)))
    blends = [blender.blend(0, rng) for _ in range(200)]
    assert all(len(strokes) == 1 and strokes[0].shape == (blend.POINTS, 2) for strokes in blends)
    tops = np.array([strokes[0][0] for strokes in blends])
    least, greatest = blend.SHARE
    share = tops[:, 0] / 0.1  # around its middle an upright one begins at x = 0, the other at 0.1
    assert least <= share.min() < 0 < 0.9 < share.max() <= greatest and np.allclose(tops[:, 1], -0.5)
    assert not np.allclose(blends[0][0][-1], -blends[0][0][0])  # the share is another one at the other end


def test_only_what_another_writer_wrote_in_the_same_way_is_blended(rng):
    two_strokes, upside_down = [[(0.5, 0), (0.5, 0.5)], [(0.5, 0.5), (0.5, 1)]], [UPRIGHT[0][::-1]]
    blender = Blender(hands((1, 1, UPRIGHT), (1, 1, SLANTED), (1, 2, two_strokes), (1, 2, upside_down), (7, 2, UPRIGHT)))
    assert [blender.blend(i, rng) for i in range(5)] == [None] * 5


def test_a_dot_can_be_blended(rng):
    dotted = [*UPRIGHT, [(0.7, 0.5)]]
    (line, dot) = Blender(hands((0, 1, dotted), (0, 2, dotted))).blend(0, rng)
    assert np.allclose(dot, dot[0]) and np.isfinite(line).all()


# The pool


def _amounts(blended: float) -> pool.Amounts:
    return pool.Amounts(per_recorded=4, of_fonts=0, made=0, strange=0, blended=blended)


def test_the_share_of_recorded_digits_that_is_wanted_is_blended():
    digits = hands(*[(1, writer, strokes) for writer in range(50) for strokes in (UPRIGHT, SLANTED)])
    for share, least, most in ((0.0, 0, 0), (0.5, 0.4, 0.6), (1.0, 1, 1)):
        drawings = pool._recorded(digits, _amounts(blended=share), seed=1)
        blended = np.mean([all(drawing is not own for own in digits.drawings) for drawing in drawings])
        assert len(drawings) == 400 and least <= blended <= most
    again, other = (pool._recorded(digits, _amounts(blended=0.5), seed) for seed in (1, 2))
    first = pool._recorded(digits, _amounts(blended=0.5), 1)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again)) and not all(np.array_equal(a[0], b[0]) for a, b in zip(first, other))


@pytest.fixture(scope="module")
def little_pool():
    digits = recorded.read_unipen(UNIPEN.encode(), "test")
    return digits, pool.make_pool(digits, GLYPHS, pool.Amounts(per_recorded=3, of_fonts=4, made=20, strange=10), seed=4, workers=1)


def test_a_pool_has_what_was_asked_for(little_pool):
    _, (images, labels) = little_pool
    assert images.shape == (40, 28, 28) and images.dtype == np.uint8 and images.max(axis=(1, 2)).min() > 100
    assert labels.tolist() == [7, 1] * 3 + [0, 8, 0, 8] + [i % 10 for i in range(20)] + [-1] * 10


def test_the_same_seed_makes_the_same_pool_with_any_number_of_processes(little_pool):
    digits, (images, labels) = little_pool
    again = pool.make_pool(digits, GLYPHS, pool.Amounts(per_recorded=3, of_fonts=4, made=20, strange=10), seed=4, workers=2)
    other = pool.make_pool(digits, GLYPHS, pool.Amounts(per_recorded=3, of_fonts=4, made=20, strange=10), seed=5, workers=1)
    np.testing.assert_array_equal(again[0], images)
    assert (other[0] != images).any()


def test_blends_are_in_the_pool_the_same_with_any_number_of_processes():
    digits = hands((1, 1, UPRIGHT), (1, 2, SLANTED))
    blended, again = (pool.make_pool(digits, [], _amounts(blended=1.0), seed=4, workers=n) for n in (1, 2))
    plain = pool.make_pool(digits, [], _amounts(blended=0.0), seed=4, workers=1)
    np.testing.assert_array_equal(blended[0], again[0])
    assert (blended[0] != plain[0]).any(axis=(1, 2)).all() and blended[1].tolist() == plain[1].tolist() == [1] * 8


def test_pool_images_come_from_the_products_own_preprocessing(rng):
    image, found = preprocess(pool.draw_anyhow(made.draw_digit(5, rng), rng))
    assert image.shape == (28, 28) and not found["empty"]


# The benchmark's drawings


def test_conditions_are_what_they_say(rng):
    digit = made.draw_digit(2, rng)

    def box(name):
        rows, columns = (np.flatnonzero(CONDITIONS[name].ink(digit, rng).any(axis=axis)) for axis in (1, 0))
        return rows[0], rows[-1], columns[0], columns[-1]

    top, bottom, left, right = box("tiny (25 % of the pad)")
    assert max(bottom - top, right - left) == pytest.approx(0.25 * SIDE + 20, abs=4)
    top, bottom, left, right = box("huge (90 %)")
    assert max(bottom - top, right - left) >= 0.9 * SIDE
    top, bottom, left, right = box("in a corner")
    assert min(top, SIDE - 1 - bottom) <= 1 and min(left, SIDE - 1 - right) <= 1
    assert CONDITIONS["thick pen (30 px)"].ink(digit, rng).sum() > 2 * CONDITIONS["thin pen (10 px)"].ink(digit, rng).sum()


def test_a_number_lies_on_the_pad_with_its_digits_apart(rng):
    for _ in range(20):
        ink = number_ink([made.draw_digit(int(label), rng) for label in (2, 0, 2, 6)], rng)
        columns = ink.any(axis=0)
        assert not columns[0] and not columns[-1] and np.diff(columns.astype(int)).clip(0).sum() == 4


def test_digits_of_a_number_touch_if_that_is_wanted(rng):
    square = [0.8 * np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])]
    ink = number_ink([square] * 4, rng, TOUCHING)
    columns = ink.any(axis=0)
    assert np.diff(columns.astype(int)).clip(0).sum() == 1


def test_the_lists_of_forms_are_whole():
    forms = json.loads(FORMS_FILE.read_text(encoding="utf-8"))
    assert set(forms) == set(MADE_FORMS) and all(len(set(ids)) == len(ids) > 10 for ids in forms.values())
    assert len(STRANGE) == 4
