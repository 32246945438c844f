"""What a front end calls: bytes and arrays in, plain dicts out. It owns the live model.

The web worker and the command line both answer through here, so both give the same fields.
"""

from __future__ import annotations

import hashlib
import math
import platform
import sys
import time

import numpy as np

from . import __version__, weights
from .losses import softmax
from .model import Sequential
from .numbers import Digits, is_several
from .preprocess import picture_to_ink, preprocess

MAX_PIXELS = 100_000_000
MOST_PIECES = 6  # of one digit; a scribble can have many
WIDEST = 1.6  # width per height; whatever is wider, and can be cut, is not one digit
TOO_SMALL = 0.1  # of the ink's shorter side; 28 px on the pad is more than a tap of the pen (20 px) and less than any digit drawn with it


class Session:
    """A model that is ready to answer."""

    def __init__(self):
        self._model: Sequential | None = None
        self._name = self._sha256 = ""
        self._shipped: tuple[Sequential | None, str, str] = (None, "", "")

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
        weights.check_is_digit_reader(model, name)
        self._model, self._name, self._sha256 = model, name, found
        if sha256 is not None:
            self._shipped = model, name, found
        return self._summary()

    def put(self, model: Sequential, name: str, sha256: str = "") -> None:
        """Answers with a live network from now on, which may go on changing: one that is being trained."""
        self._model, self._name, self._sha256 = model, name, sha256

    def weights(self) -> dict:
        """{name, npz} of the network that answers, as it is now; exact: float32."""
        return {"name": self._name, "npz": weights.dumps(self._live())}

    def reset(self) -> dict:
        """Answers with the model that was last loaded by its card again. Returns what `use_model` did."""
        self._model, self._name, self._sha256 = self._shipped
        return self._summary()

    @property
    def live(self) -> tuple[Sequential, str, str]:
        """The network that answers, its name and its sha256, "" if it comes from no file."""
        return self._live(), self._name, self._sha256

    def lessons(self):
        """The learning side of this session, an `inkling.lessons.Lessons`."""
        from .lessons import Lessons  # only here: the page needs it, and numpy.random with it, when it learns

        return Lessons(self)

    def predict(self, pixels, width: int, height: int, channels: int = 1, numbers: bool = False, once: bool = False) -> dict:
        """Reads one drawing or picture.

        pixels: width * height * channels bytes, row by row: ink with one channel, an RGBA picture with four.
        numbers: read digits side by side, each by itself, instead of one digit.   once: without a second look at what is doubtful.
        Returns a Prediction: `digit` (the best guess; None without ink), `confidence`, `probabilities`, `accepted`, `reason` (None,
        "empty", "too-small", "several" or "not-a-digit"), `text` ("" or, within a number, "?" for what is not accepted), `digits`,
        `image` (784 float32), `found`, `model`, `ms`. Of several digits, those without their own entry are the last one's; `found` is
        about all the ink. Raises ValueError if the sizes do not fit together.
        """
        start = time.perf_counter()
        ink, _ = self._ink(pixels, width, height, channels)
        image, found = preprocess(ink)
        empty = found.pop("empty")
        readings = _readings(Digits(ink)) if numbers and not empty else []
        seen = time.perf_counter()
        read = self._most_likely(readings, once) if len(readings) > 1 else []
        if len(read) < 2:
            read = [] if empty else [(found["box"], image, self._probabilities(image[None], once)[0])]
        done = time.perf_counter()

        digits = []
        answer, reason = {"digit": None, "confidence": 0.0, "probabilities": [0.1] * 10, "accepted": False}, "empty"
        for box, _, probabilities in read:
            reason = self._reason(ink, box, probabilities, numbers)
            digit = int(probabilities.argmax())
            answer = {"digit": digit, "confidence": float(probabilities[digit]), "probabilities": probabilities.tolist(), "accepted": reason is None}
            digits.append({**answer, "box": box})
        unread = "?" if len(digits) > 1 else ""
        return {
            **answer,
            "reason": reason,
            "text": "".join(str(entry["digit"]) if entry["accepted"] else unread for entry in digits),
            "digits": digits,
            "image": (read[-1][1] if read else image).ravel(),
            "found": found,
            "model": self._name,
            "ms": {"preprocess": 1e3 * (seen - start), "forward": 1e3 * (done - seen), "total": 1e3 * (time.perf_counter() - start)},
        }

    def _probabilities(self, images: np.ndarray, once: bool) -> np.ndarray:
        """images (N, 28, 28) -> (N, 10) float64."""
        model = self._live()
        return softmax(model.predict_logits(images, once=once).astype(np.float64) / model.temperature)

    def _most_likely(self, readings: list[dict], once: bool) -> list[tuple]:
        """Of all ways to read the pieces, some as one digit together, the one of which the network is surest.

        Returns (box, image, probabilities) of each digit, in reading order.
        """
        probabilities = self._probabilities(np.stack([reading["image"] for reading in readings]), once)
        ways = {0: (0.0, [])}  # end -> the best way to read the pieces before it, with the log of the probability that all of it is right
        for reading, row in zip(readings, probabilities):  # in order of `end`: what one goes on from is settled
            sure, read = ways[reading["start"]]
            way = sure + math.log(max(row.max(), 1e-9)), [*read, (reading["box"], reading["image"], row)]
            ways[reading["end"]] = max(ways.get(reading["end"], way), way, key=lambda way: way[0])
        return ways[max(ways)][1]

    def _reason(self, ink: np.ndarray, box: list[int], probabilities: np.ndarray, numbers: bool) -> str | None:
        """Why a digit is not accepted, or None."""
        if max(box[2:]) < TOO_SMALL * min(ink.shape):
            return "too-small"
        if not numbers and is_several(ink, box):
            return "several"
        if not probabilities.max() >= self._live().threshold:  # what is not a number, while a training diverges, is no answer either
            return "not-a-digit"
        return None

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

    def self_test(self, side: int = 56) -> dict:
        """Computes things whose result is known: a matrix product, and a 1 and a 0 drawn on a square of so many px, small as every start waits for it.

        Returns {ok, and each check}.
        """
        a, b = np.arange(12.0).reshape(3, 4), np.arange(8.0).reshape(4, 2)
        product = (a @ b).tolist() == np.einsum("ij,jk->ik", a, b).tolist() == [[28.0, 34.0], [76.0, 98.0], [124.0, 162.0]]
        x = np.arange(side) / side - 0.5
        y = x[:, None]
        one = (abs(x) < 0.04) & (abs(y) < 0.36)
        zero = abs((x / 0.25) ** 2 + (y / 0.36) ** 2 - 1) < 0.3
        digits = [self.predict(ink * np.uint8(255), side, side)["digit"] for ink in (one, zero)] == [1, 0]
        return {"ok": product and digits, "product": product, "digits": digits}

    def wake(self) -> bool:
        """After the process was restored from a snapshot of its memory: draws new randomness, and returns whether known sums come out right.

        The seed of Python's string hashes stays that of the snapshot: all dicts in it are laid out by it.
        """
        if "random" in sys.modules:
            sys.modules["random"].seed()
        return self.self_test()["ok"]

    def _live(self) -> Sequential:
        if self._model is None:
            raise ValueError("no model is loaded; call use_model first")
        return self._model

    def _summary(self) -> dict:
        return {**self._identity(), "spec": self._live().spec()}

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


def _readings(digits: Digits) -> list[dict]:
    """All that may be a digit: of each group's pieces any that stand in a row, unless together they are too wide.

    Returns [{start, end, box, image}] in order of `end`; start and end count the pieces of all groups. Nothing if there is but one piece.
    """
    if sum(map(len, digits.groups)) < 2:
        return []
    readings, before = [], 0
    for pieces in digits.groups:
        for end in range(1, len(pieces) + 1):
            for start in range(max(0, end - MOST_PIECES), end):
                piece = sum(pieces[start:end], [])
                left, top, width, height = digits.box(piece)
                if end - start == 1 or width <= WIDEST * height:
                    image, found = preprocess(np.pad(digits.ink(piece), 1))  # paper around it: no edge has cut anything off here
                    x, y, *size = found["box"]
                    readings.append({"start": before + start, "end": before + end, "box": [left + x - 1, top + y - 1, *size], "image": image})
        before += len(pieces)
    return readings
