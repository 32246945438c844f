"""Augmentation: reproducible, in range, strong enough to matter and never so strong that a digit leaves the field."""

import numpy as np
import pytest

from tiny_mnist import tiny_mnist
from inkling.augment import SIZE, augment, change_thickness, gather_bilinear, sampling_coordinates


@pytest.fixture(scope="module")
def images():
    return tiny_mnist()["train_images"][:400].astype(np.float32) / 255


def identity(n):
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    return np.tile(x.ravel(), (n, 1)), np.tile(y.ravel(), (n, 1))


def centres(images):
    """(N, 2): the centre of mass of each image, in px."""
    pixel = np.arange(SIZE)
    total = images.sum(axis=(1, 2))
    return np.stack([images.sum(axis=1) @ pixel / total, images.sum(axis=2) @ pixel / total], axis=1)


def test_the_same_generator_state_gives_the_same_images(images):
    first, second, other = (augment(images, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first == second).all()
    assert (first != other).any(axis=(1, 2)).all()


def test_shape_type_and_range_stay_and_the_input_is_left_alone(images):
    before = images.copy()
    result = augment(images, np.random.default_rng(0))
    assert result.shape == images.shape and result.dtype == np.float32
    assert result.min() >= 0 and result.max() <= 1 + 1e-6
    assert (images == before).all()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_any_batch_size_works(n, images):
    assert augment(images[:n], np.random.default_rng(0)).shape == (n, 28, 28)


def test_blank_paper_stays_blank():
    assert not augment(np.zeros((20, 28, 28), np.float32), np.random.default_rng(0)).any()


def test_every_image_is_deformed_and_none_differs_beyond_recognition(images):
    result = augment(images, np.random.default_rng(1))
    moved = np.linalg.norm(centres(result) - centres(images), axis=1)
    assert 0.8 < moved.mean() < 2.5 and moved.max() < 6  # px
    share = result.sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    assert 0.85 < share.mean() < 1.2 and share.min() > 0.25 and share.max() < 3


def test_sampling_at_each_pixels_own_place_changes_nothing(images):
    assert np.allclose(gather_bilinear(images, *identity(len(images))), images, atol=1e-6)


def test_sampling_one_pixel_further_right_moves_the_digit_left(images):
    x, y = identity(len(images))
    result = gather_bilinear(images, x + 1, y)
    assert np.allclose(result[:, :, :-1], images[:, :, 1:], atol=1e-6)
    assert not result[:, :, -1].any()


def test_sampling_half_way_between_pixels_is_their_mean(images):
    x, y = identity(len(images))
    result = gather_bilinear(images, x, y + np.float32(0.5))
    assert np.allclose(result[:, :-1], (images[:, :-1] + images[:, 1:]) / 2, atol=1e-5)


def test_far_outside_the_field_there_is_paper(images):
    x, y = identity(len(images))
    assert not gather_bilinear(images, x + 1000, y - 1000).any()


def test_deformations_are_centred_on_no_deformation():
    x, y = sampling_coordinates(4000, np.random.default_rng(2))
    plain_x, plain_y = identity(1)
    assert abs((x - plain_x).mean()) < 0.15 and abs((y - plain_y).mean()) < 0.15  # px


def test_some_pens_become_broader_some_finer_and_half_stay(images):
    change = (change_thickness(images, np.random.default_rng(3)) - images).sum(axis=(1, 2))
    broader, finer = (change > 0).mean(), (change < 0).mean()
    assert 0.15 < broader < 0.35 and 0.15 < finer < 0.35
