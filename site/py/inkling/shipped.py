"""The network that comes with the package, for Python programs. The page and the trainer name the files they want.

    from inkling.shipped import read
    print(read(ink)["text"])
"""

from __future__ import annotations

import functools
import json
import os

import numpy as np

from .session import Session

NAME = "convnet"
HERE = os.path.dirname(os.path.abspath(__file__))
PLACES = (os.path.join(HERE, "networks"), os.path.join(HERE, "..", "..", "..", "weights"))  # installed; in the project's own folder


@functools.cache
def load() -> Session:
    """The shipped network in a Session of its own, which is made once. Raises FileNotFoundError if the package is not whole."""
    place = next((place for place in PLACES if os.path.isfile(os.path.join(place, f"{NAME}.npz"))), None)
    if place is None:
        raise FileNotFoundError(f"{PLACES[0]}: there is no {NAME}.npz. Install the package again: the wheel that python3 build.py release makes")
    session = Session()
    with open(os.path.join(place, f"{NAME}.npz"), "rb") as file, open(os.path.join(place, f"{NAME}.json"), encoding="utf-8") as card:
        session.use_model(NAME, file.read(), json.load(card)["sha256"])
    return session


def read(picture: np.ndarray, numbers: bool = False) -> dict:
    """Reads one digit, or with `numbers` all that stand side by side. Returns a Prediction, as `Session.predict` does.

    picture: (height, width) uint8 is ink, 0 paper and 255 full stroke; (height, width, 4) uint8 is a picture, red, green, blue and opacity,
    dark on light or light on dark. Raises ValueError for anything else.
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 4)):
        raise ValueError(f"{picture.dtype} {picture.shape} is neither ink, uint8 (height, width), nor a picture, uint8 (height, width, 4)")
    height, width = picture.shape[:2]
    return load().predict(np.ascontiguousarray(picture), width, height, 1 if picture.ndim == 2 else 4, numbers)
