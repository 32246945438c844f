"""From a picture, in a file, on standard input or in a data: URL, to RGBA pixels, with the limits that the page has too.

Pillow decodes; nothing is read before its size is known.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import sys
import unicodedata
import urllib.parse
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from .command import TrainerError, UsageError
from .files import shown

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # not EPS and the like, which start other programs
MAX_PIXELS = 100_000_000
MAX_SIDE = 4096  # px; larger pictures are scaled down
MAX_BYTES = 512 * 2**20  # of a picture on standard input: one of MAX_PIXELS, uncompressed
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")  # what of a folder is looked at
CONTROLS = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of what no terminal should get from a file's name
URL, STDIN = "data:", "-"


def find_pictures(sources: list[str]) -> list[str]:
    """The sources one by one, in place of a folder all pictures in it by name. Raises TrainerError if there is none."""
    if "" in sources:
        raise UsageError("a picture's name is empty; this folder is called .")  # Path("") would be it, unasked
    if sources.count(STDIN) > 1:
        raise UsageError(f"{STDIN} stands twice; standard input can be read once")
    found = []
    for source in sources:
        folder = Path(source)
        if source == STDIN or source.startswith(URL) or not folder.is_dir():
            found.append(source)
            continue
        inside = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
        if not inside:
            raise TrainerError(f"{title(source)}: is a folder without a picture in it ({', '.join(SUFFIXES)})")
        found += inside
    return found


def title(source: str) -> str:
    """What a source is called in answers and errors."""
    return "standard input" if source == STDIN else "data: URL" if source.startswith(URL) else _escaped(str(shown(Path(source))))


def _escaped(name: str) -> str:
    """A file's name on one line: a line break or another control character in it as Python writes it, \\n."""
    return "".join(repr(sign)[1:-1] if unicodedata.category(sign) in CONTROLS else sign for sign in name)


def open_source(source: str) -> np.ndarray:
    """The picture in a file, on standard input ("-") or in a data: URL, as `read_picture` gives it. Raises TrainerError."""
    if source == STDIN:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise TrainerError(f"{title(source)}: has more than {MAX_BYTES:,} bytes, the most that is read")
        return _read(io.BytesIO(data), title(source))
    if source.startswith(URL):
        return _read(io.BytesIO(_data_url(source)), title(source))
    return read_picture(Path(source))


def _data_url(url: str) -> bytes:
    """The bytes in "data:[type][;base64],...". Source: RFC 2397."""
    head, comma, body = url.partition(",")
    try:
        if not comma:
            raise ValueError("it has no comma")
        data = urllib.parse.unquote_to_bytes(body)
        return base64.b64decode(data, validate=True) if head.endswith(";base64") else data
    except (ValueError, binascii.Error) as error:
        raise TrainerError(f"data: URL: can't be decoded ({error}). It looks like data:image/png;base64,...") from error


def read_picture(path: Path) -> np.ndarray:
    """The first picture in a file, upright, as (H, W, 4) uint8, at most MAX_SIDE px a side.

    Raises TrainerError if there is no such file, if it is no picture, or if it has more than MAX_PIXELS.
    """
    if not path.is_file():
        raise TrainerError(f"{title(str(path))}: no such file")
    return _read(path, title(str(path)))


def _read(file: Path | BinaryIO, name: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is ours
            with Image.open(file, formats=FORMATS) as picture:
                _check_size(name, *picture.size)
                return _decode(picture)
    except Image.DecompressionBombError as error:
        raise TrainerError(f"{name}: has more than {MAX_PIXELS:,} pixels, the most that is read. Scale it down first") from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, OverflowError) as error:
        said = "not a picture of a known kind" if isinstance(error, Image.UnidentifiedImageError) else f"can't be decoded ({error})"
        raise TrainerError(f"{name}: {said}. PNG, JPEG, WebP, GIF, BMP and TIFF are read") from error


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise TrainerError(f"{name}: has {width} x {height} pixels; at most {MAX_PIXELS:,} are read. Scale it down first")


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
