"""What a front end calls: bytes and arrays in, plain dicts out. It owns the live model.

The web worker and the command line both answer through here, so both give the same fields.
"""

from __future__ import annotations

import hashlib
import math
import platform
import time

import numpy as np

from . import __version__, weights
from .losses import softmax
from .model import Sequential
from .preprocess import picture_to_ink, preprocess

MAX_PIXELS = 100_000_000


class Session:
    """A model that is ready to answer."""

    def __init__(self):
        self._model: Sequential | None = None
        self._name = self._sha256 = ""

    def use_model(self, name: str, npz: bytes, sha256: str | None = None) -> dict:
        """Loads a weights file and answers with it from now on. If it is damaged, the model before stays.

        sha256: what the file must have, in hex, if that is known.
        Returns {name, sha256, parameters, spec}. Raises WeightsError.
        """
        npz = bytes(npz)
        found = hashlib.sha256(npz).hexdigest()
        if sha256 is not None and found != sha256:
            raise weights.WeightsError(f"{name}: sha256 is {found[:16]}..., its model card says {sha256[:16]}.... Reload, or fetch it again")
        model = weights.load(npz, name)
        if math.prod(model.input_shape) != 784 or model.output_shapes[-1] != (10,):
            raise weights.WeightsError(f"{name}: turns {model.input_shape} into {model.output_shapes[-1]}; "
                                       "a digit recogniser turns 784 pixels into ten numbers")
        self._model, self._name, self._sha256 = model, name, found
        return {**self._identity(), "spec": model.spec()}

    def predict(self, pixels, width: int, height: int, channels: int = 1) -> dict:
        """Reads one drawing or picture.

        pixels: width * height * channels bytes, row by row: ink with one channel, an RGBA picture with four.
        Returns a Prediction: `digit` (None without ink), `confidence`, `probabilities`, `accepted`, `reason`, `text`, `digits`,
        `image` (784 float32), `found`, `model`, `ms`. Raises ValueError if the sizes do not fit together.
        """
        start = time.perf_counter()
        ink, _ = self._ink(pixels, width, height, channels)
        image, found = preprocess(ink)
        seen = time.perf_counter()
        empty = found.pop("empty")
        if empty:
            answer = {"digit": None, "confidence": 0.0, "probabilities": [0.1] * 10, "accepted": False}
        else:
            probabilities = softmax(self._live().predict_logits(image[None])[0].astype(np.float64))
            digit = int(probabilities.argmax())
            answer = {"digit": digit, "confidence": float(probabilities[digit]), "probabilities": probabilities.tolist(), "accepted": True}
        done = time.perf_counter()
        return {
            **answer,
            "reason": "empty" if empty else None,
            "text": "" if empty else str(answer["digit"]),
            "digits": [] if empty else [{**answer, "box": found["box"]}],
            "image": image.ravel(),
            "found": found,
            "model": self._name,
            "ms": {"preprocess": 1e3 * (seen - start), "forward": 1e3 * (done - seen), "total": 1e3 * (done - start)},
        }

    def debug(self, pixels, width: int, height: int, channels: int = 1) -> dict:
        """What preprocessing makes of a drawing, with the statistics of the 28 x 28 image. Arguments as for `predict`.

        Returns {image, width, height, box, centre_of_mass, min, max, mean, inverted}; width and height are the source's.
        """
        ink, inverted = self._ink(pixels, width, height, channels)
        image, found = preprocess(ink)
        return {
            "image": image.ravel(), "width": width, "height": height, "box": found["box"], "centre_of_mass": found["centre_of_mass"],
            "min": float(image.min()), "max": float(image.max()), "mean": float(image.mean()), "inverted": inverted,
        }

    def health(self) -> dict:
        """Versions, the model in use, and whether known sums come out right."""
        return {
            "versions": {"inkling": __version__, "python": platform.python_version(), "numpy": np.__version__},
            "model": self._identity(),
            "self_test": self.self_test(),
        }

    def self_test(self) -> dict:
        """Computes things whose result is known: a matrix product, and a drawn 1 and 0. Returns {ok, and each check}."""
        a, b = np.arange(12.0).reshape(3, 4), np.arange(8.0).reshape(4, 2)
        product = (a @ b).tolist() == np.einsum("ij,jk->ik", a, b).tolist() == [[28.0, 34.0], [76.0, 98.0], [124.0, 162.0]]
        y, x = np.mgrid[:280, :280] - 140
        one = np.where((abs(x) < 12) & (abs(y) < 100), 255, 0).astype(np.uint8)
        zero = np.where(abs(np.hypot(x / 70, y / 100) - 1) < 0.15, 255, 0).astype(np.uint8)
        digits = [self.predict(ink, 280, 280)["digit"] for ink in (one, zero)] == [1, 0]
        return {"ok": product and digits, "product": product, "digits": digits}

    def _live(self) -> Sequential:
        if self._model is None:
            raise ValueError("no model is loaded; call use_model first")
        return self._model

    def _identity(self) -> dict:
        return {"name": self._name, "sha256": self._sha256, "parameters": self._live().n_parameters}

    @staticmethod
    def _ink(pixels, width: int, height: int, channels: int) -> tuple[np.ndarray, bool]:
        """The request's pixels as (ink, inverted)."""
        array = np.frombuffer(pixels, np.uint8)
        if channels not in (1, 4) or width < 1 or height < 1 or array.size != width * height * channels:
            raise ValueError(f"{array.size} bytes are no {width} x {height} picture of {channels} channels (1 is ink, 4 is RGBA)")
        if width * height > MAX_PIXELS:
            raise ValueError(f"the picture has {width * height} pixels; at most {MAX_PIXELS} are read")
        if channels == 1:
            return array.reshape(height, width), False
        return picture_to_ink(array.reshape(height, width, 4))
