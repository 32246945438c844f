"""The views of a second look: worked examples, and the same as turning and scaling by a library."""

import numpy as np
from PIL import Image

from inkling.views import SCALE, TURN, VIEWS, views


def test_those_of_one_image_stand_in_a_row():
    images = np.random.default_rng(0).random((3, 28, 28), np.float32)
    seen = views(images)
    assert seen.shape == (12, 28, 28) and seen.dtype == np.float32
    for i, image in enumerate(images):
        np.testing.assert_array_equal(seen[4 * i:4 * i + 4], views(image[None]))


def test_paper_stays_paper_and_ink_never_is_more_than_ink():
    assert not views(np.zeros((1, 28, 28), np.float32)).any()
    seen = views(np.ones((1, 28, 28), np.float32))
    assert seen.min() == 0 and seen.max() <= 1 + 1e-6
    np.testing.assert_allclose(seen[:, 8:20, 8:20], 1, atol=1e-6)


def test_a_dot_above_the_centre_turns_about_it_and_moves_with_the_scale():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 3:5, 13:15] = 1  # ten pixels above the centre
    y, x = np.mgrid[:28, :28] - 13.5
    for seen, (turn, scale) in zip(views(image), VIEWS, strict=True):
        place = (seen * x).sum() / seen.sum(), (seen * y).sum() / seen.sum()
        np.testing.assert_allclose(place, (10 * scale * np.sin(turn), -10 * scale * np.cos(turn)), atol=0.15)


def test_they_are_what_pillow_makes_of_the_image():
    smooth = np.clip(np.random.default_rng(1).random((7, 7)), 0, 1).astype(np.float32)
    image = np.array(Image.fromarray(smooth).resize((28, 28), Image.Resampling.BICUBIC)).clip(0, 1)
    for seen, (turn, scale) in zip(views(image[None]), VIEWS, strict=True):
        cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
        corner = 14 - 14 * (cos + sin), 14 - 14 * (cos - sin)  # Pillow's centre of a pixel is at a half
        expected = np.array(Image.fromarray(image).transform(
            (28, 28), Image.Transform.AFFINE, (cos, sin, corner[0], -sin, cos, corner[1]), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(seen[5:23, 5:23], expected[5:23, 5:23], atol=1e-4)


def test_the_ranges_are_those_that_training_knows():
    from inkling.augment import ROTATION
    from inkling.augment import SCALE as TRAINED

    assert TURN <= ROTATION and SCALE <= TRAINED
