"""Deforms whole batches of digits as hands do: tilt, slant, size, place, wobble and pen width.

A deformation is linear in a few random coefficients, so that one matrix product turns them into the sampling
coordinates of every pixel of every image, and one bilinear gather does the rest.
"""

from __future__ import annotations

import numpy as np

SIZE = 28  # px, the side of an image
ROTATION = np.deg2rad(12.0)  # radians, either way
SHEAR = 0.15  # px sideways per px of height
SCALE = 0.15  # the side becomes 0.85 .. 1.15 of itself
ASPECT = 0.10  # width over height changes by up to this factor, either way
SHIFT = 2.0  # px, either way, in x and in y
ELASTIC = 0.9  # px, standard deviation at the knots of the displacement field
KNOTS = 5  # knots a side: the displacement varies over about a quarter of the image
THICKNESS = 0.5  # the share, at most, of the 3 x 3 maximum or minimum that is mixed in
THICKENED = 0.25  # share of the images whose pen becomes broader; as many become finer
PAD = 1  # px of paper around the image, so that the gather never leaves it
CHUNK = 64  # images gathered at a time: their arrays stay in the processor's cache


def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A randomly deformed copy of each image; labels stay valid.

    images: (N, 28, 28) float32, 0..1.   rng: np.random.Generator; the same state gives the same result.
    Returns (N, 28, 28) float32, 0..1.
    Sources: Simard et al. 2003 (affine and elastic distortions); the ranges are the project's own.
    """
    images = change_thickness(images, rng)
    x, y = sampling_coordinates(len(images), rng)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        images[part] = gather_bilinear(images[part], x[part], y[part])
    return images


def change_thickness(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Makes some pens broader and as many finer by mixing in the 3 x 3 maximum or minimum.

    images: (N, 28, 28) float32.   Returns an array of the same shape; `images` is left as it is.
    """
    chosen = rng.random(len(images))
    mix = rng.uniform(0.0, THICKNESS, (len(images), 1, 1)).astype(np.float32)
    result = images.copy()
    for rows, extremum in (
        (np.flatnonzero(chosen < THICKENED), np.maximum),
        (np.flatnonzero(chosen > 1.0 - THICKENED), np.minimum),
    ):
        before = images[rows]
        after = _filter_3x3(before, extremum)
        after -= before
        after *= mix[rows]
        after += before
        result[rows] = after
    return result


def _filter_3x3(images: np.ndarray, extremum: np.ufunc) -> np.ndarray:
    """The extremum over each pixel's 3 x 3 neighbourhood; along the edges over what there is of it."""
    rows = images.copy()
    extremum(rows[:, 1:], images[:, :-1], out=rows[:, 1:])
    extremum(rows[:, :-1], images[:, 1:], out=rows[:, :-1])
    result = rows.copy()
    extremum(result[:, :, 1:], rows[:, :, :-1], out=result[:, :, 1:])
    extremum(result[:, :, :-1], rows[:, :, 1:], out=result[:, :, :-1])
    return result


def sampling_coordinates(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of n deformed images takes its value from.

    Returns (x, y), each (n, 784) float32, in px of the source image.
    """
    angle = rng.uniform(-ROTATION, ROTATION, n)
    shear = rng.uniform(-SHEAR, SHEAR, n)
    scale = rng.uniform(1.0 - SCALE, 1.0 + SCALE, n)
    aspect = np.exp(rng.uniform(-np.log1p(ASPECT), np.log1p(ASPECT), n) / 2)
    shift = rng.uniform(-SHIFT, SHIFT, (2, n))
    wobble = rng.normal(0.0, ELASTIC, (2, n, KNOTS * KNOTS))
    # Output to source is the inverse map: dividing by the scale enlarges the digit.
    x_scale, y_scale = 1.0 / (scale * aspect), aspect / scale
    cos, sin = np.cos(angle), np.sin(angle)
    x_row = (cos * x_scale, sin * x_scale + shear, shift[0])
    y_row = (-sin * y_scale, cos * y_scale, shift[1])
    x = np.column_stack((*x_row, wobble[0])).astype(np.float32) @ _BASIS
    y = np.column_stack((*y_row, wobble[1])).astype(np.float32) @ _BASIS
    centre = np.float32((SIZE - 1) / 2)
    x += centre
    y += centre
    return x, y


def gather_bilinear(images: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Samples each image at (x, y); outside it there is paper.

    images: (N, 28, 28) float32.   x, y: (N, 784) float32, in px, overwritten.   Returns (N, 28, 28) float32.
    """
    n = len(images)
    side = SIZE + 2 * PAD
    padded = np.zeros((n, side, side), np.float32)
    padded[:, PAD:-PAD, PAD:-PAD] = images
    for coordinate in (x, y):
        coordinate += np.float32(PAD)
        # Strictly below the last column, so that a right-hand and a lower neighbour always exist.
        np.clip(coordinate, 0.0, np.float32(side - 1.001), out=coordinate)
    left, top = np.floor(x), np.floor(y)
    x -= left
    y -= top
    top *= np.float32(side)
    top += left  # below 900, so exact in float32
    index = top.astype(np.intp)
    index += np.arange(n)[:, None] * (side * side)
    pixels = padded.ravel()
    upper = _between(pixels, index, x)
    index += side
    lower = _between(pixels, index, x)
    lower -= upper
    lower *= y
    lower += upper
    return lower.reshape(n, SIZE, SIZE)


def _between(pixels: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Linear interpolation between pixels[index] and the pixel to the right of it."""
    start = pixels.take(index, mode="clip")
    result = pixels[1:].take(index, mode="clip")
    result -= start
    result *= weight
    result += start
    return result


def _make_basis() -> np.ndarray:
    """(3 + KNOTS**2, 784) float32: x, y and 1 for the affine part, then a smooth bump for every knot.

    The bumps are products of Gaussians, divided by their sum: a displacement equal at all knots is a plain shift.
    """
    pixel = np.arange(SIZE) - (SIZE - 1) / 2
    knots = np.linspace(pixel[0], pixel[-1], KNOTS)
    width = 0.7 * (knots[1] - knots[0])
    bump = np.exp(-0.5 * ((pixel[None, :] - knots[:, None]) / width) ** 2)
    bump /= bump.sum(axis=0)
    y, x = np.meshgrid(pixel, pixel, indexing="ij")
    bumps = np.einsum("iy,jx->ijyx", bump, bump).reshape(KNOTS * KNOTS, -1)
    affine = np.stack((x.ravel(), y.ravel(), np.ones(SIZE * SIZE)))
    return np.concatenate((affine, bumps)).astype(np.float32)


_BASIS = _make_basis()
