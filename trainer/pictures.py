"""From a picture file to RGBA pixels, with the limits that the page has too. Pillow decodes; nothing is read before its size is known."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .command import TrainerError
from .files import shown

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # not EPS and the like, which start other programs
MAX_PIXELS = 100_000_000
MAX_SIDE = 4096  # px; larger pictures are scaled down


def read_picture(path: Path) -> np.ndarray:
    """The first picture in a file, upright, as (H, W, 4) uint8, at most MAX_SIDE px a side.

    Raises TrainerError if there is no such file, if it is no picture, or if it has more than MAX_PIXELS.
    """
    if not path.is_file():
        raise TrainerError(f"{shown(path)}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is ours
            with Image.open(path, formats=FORMATS) as picture:
                _check_size(path, *picture.size)
                return _decode(picture)
    except Image.DecompressionBombError as error:
        raise TrainerError(f"{shown(path)}: has more than {MAX_PIXELS:,} pixels, the most that is read. Scale it down first") from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, OverflowError) as error:
        said = "not a picture of a known kind" if isinstance(error, Image.UnidentifiedImageError) else f"can't be decoded ({error})"
        raise TrainerError(f"{shown(path)}: {said}. PNG, JPEG, WebP, GIF, BMP and TIFF are read") from error


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise TrainerError(f"{shown(path)}: has {width} x {height} pixels; at most {MAX_PIXELS:,} are read. Scale it down first")


def _decode(picture: Image.Image) -> np.ndarray:
    if max(picture.size) > MAX_SIDE:
        picture.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG is scaled by whole factors while it is decoded
    if picture.mode.startswith(("I", "F")):
        picture = _to_8_bits(picture)
    elif picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGBA")  # before scaling: a palette can't be averaged
    picture = ImageOps.exif_transpose(picture)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return np.asarray(picture.convert("RGBA"))


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """16 bits a pixel, or floats in 0..1 or 0..255, to the usual 8; Pillow's own conversion would cut them off at 255."""
    values = np.asarray(picture).astype(np.float32)
    white = 65535 if picture.mode.startswith("I") else 1 if values.max(initial=0) <= 1 else 255
    return Image.fromarray((np.clip(values / white, 0, 1) * 255).round().astype(np.uint8))
