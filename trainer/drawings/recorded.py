"""Digits that people wrote with a pen on a tablet: UCI's "Pen-Based Recognition of Handwritten Digits" (dataset 81), original form.

Source: Alpaydin and Alimoglu 1998, licence CC BY 4.0. Its training part: 7,494 digits by 30 writers.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..command import TrainerError
from ..download import FetchError, fetch
from ..files import atomic_file, cache_directory, sha256
from . import Drawing

URL = "https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip"
MEMBER = "pendigits-orig.tra.Z"  # in the archive; compressed with LZW
SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"  # of the text in it
MAX_BYTES = 32 << 20
TABLET = 500  # tablet units to the side; y runs up

# Writers that no training, no choice and no calibration ever sees: they measure. 28 is the one who slashes zeros, 25 gives ones feet.
HELD_OUT = (5, 10, 15, 20, 25, 28)
TUNING = (4, 18)  # writers for measuring each epoch and for calibrating

_HEAD = re.compile(r'[^"]*"(\d)"\s+\.COMMENT\s+\d+\s+(\d+)')


@dataclass
class PenDigits:
    """Recorded digits. drawings, and for each its label, its writer and its number in the file, (N,) int; sha256: of the file's text."""

    drawings: list[Drawing]
    labels: np.ndarray
    writers: np.ndarray
    ids: np.ndarray
    sha256: str

    def by(self, writers) -> PenDigits:
        """Those of some writers."""
        chosen = np.flatnonzero(np.isin(self.writers, writers))
        return PenDigits([self.drawings[i] for i in chosen], self.labels[chosen], self.writers[chosen], self.ids[chosen], self.sha256)

    def __len__(self) -> int:
        return len(self.drawings)


def training_writers(digits: PenDigits) -> list[int]:
    """The writers to train with: all but those kept for tuning and for measuring."""
    return sorted({int(writer) for writer in digits.writers} - {*HELD_OUT, *TUNING})


def load_pen_digits(path: Path | None = None) -> PenDigits:
    """The digits of a file in UNIPEN text (plain, .gz or .Z), or, without a path, UCI's, fetched once into the cache.

    Raises TrainerError if there is no such file, it is damaged, or it cannot be fetched.
    """
    if path is None:
        return read_unipen(_cached_or_fetched(), URL)
    try:
        return read_unipen(_unpack(path.read_bytes(), path.suffix), str(path))
    except OSError as error:
        raise TrainerError(f"{path}: {error.strerror or error}") from error


def read_unipen(data: bytes, name: str) -> PenDigits:
    """Digits out of UNIPEN text.

    `.SEGMENT DIGIT <components> ? "<label>"`, `.COMMENT <label> <writer> <number>`, then for each stroke `.PEN_DOWN`, lines
    of `x y`, `.PEN_UP`. Raises TrainerError where it is not so.
    """
    drawings, labels, writers = [], [], []
    for segment in data.decode("ascii", "replace").split(".SEGMENT DIGIT")[1:]:
        head = _HEAD.match(segment)
        try:
            strokes = [_points(part.partition(".PEN_UP")[0]) for part in segment.split(".PEN_DOWN")[1:]]
        except ValueError:
            strokes = []
        if not head or not strokes:
            raise TrainerError(f"{name}: digit {len(drawings)} has no label, writer or points: {' '.join(segment.split())[:60]!r}")
        drawings.append(strokes)
        labels.append(int(head[1]))
        writers.append(int(head[2]))
    if not drawings:
        raise TrainerError(f"{name}: holds no digits in UNIPEN text")
    return PenDigits(drawings, np.array(labels), np.array(writers), np.arange(len(drawings)), sha256(data))


def _points(lines: str) -> np.ndarray:
    points = np.array([line.split() for line in lines.split("\n") if line.strip()], float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError("a stroke without points")
    return np.column_stack((points[:, 0], TABLET - points[:, 1])) / TABLET


def _cached_or_fetched() -> bytes:
    file = cache_directory() / "pendigits" / "pendigits-orig.tra"
    if file.is_file() and sha256(data := file.read_bytes()) == SHA256:
        return data
    print(f"Fetching recorded pen strokes from {URL}", flush=True)
    try:
        with zipfile.ZipFile(io.BytesIO(fetch(URL, MAX_BYTES))) as archive:
            data = _unpack(archive.read(MEMBER), ".Z")
        if sha256(data) != SHA256:
            raise FetchError(f"other content than expected (sha256 {sha256(data)[:12]}...)")
    except (FetchError, TrainerError, KeyError, zipfile.BadZipFile) as error:
        raise TrainerError(
            f"could not fetch the recorded pen strokes.\n  Tried:\n    {URL}: {error}\n  Run the command again with a network, or name "
            f"the file {MEMBER.removesuffix('.Z')} (plain, .gz or .Z) with --strokes"
        ) from error
    with atomic_file(file) as out:
        out.write(data)
    return data


def _unpack(data: bytes, suffix: str) -> bytes:
    try:
        if suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                return file.read(MAX_BYTES)
        if suffix == ".Z":
            import unlzw3  # only here: nothing but UCI's own file is packed in this old way

            return unlzw3.unlzw(data)
    except ImportError as error:
        raise TrainerError("a .Z file needs unlzw3. Install with: python -m pip install unlzw3") from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise TrainerError(f"cannot be unpacked ({error})") from error
    return data
