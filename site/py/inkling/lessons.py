"""What the worker calls for all that has to do with learning: data sets, runs, measuring.

It belongs to a Session, whose network answers meanwhile; imported only when somebody learns.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np

from . import weights
from .finetuning import FineTuning, Rehearsal
from .learning import Part, Run, images_at_once, read_checkpoint
from .losses import softmax, softmax_cross_entropy
from .model import Sequential, architecture
from .settings import Settings
from .training import as_float

MAX_BATCH = 4096  # images: a batch is deformed at once, in some ten arrays of its size
REHEARSAL = "rehearsal"
HELD_OUT = 10  # one in so many images is kept for validation where a data set has none of its own
MINE = " + mine"  # after the name of a network that has learnt from somebody's drawings


class Lessons:
    """The learning side of a session, of which it uses `live` and `put`."""

    def __init__(self, session):
        self._session = session
        self._data: dict[str, dict[str, np.ndarray]] = {}
        self._rehearsal: Rehearsal | None = None  # the latest

    def add_data(self, name: str, npz: bytes) -> None:
        """Takes a data set of ours: images (N, 28, 28) uint8 and labels (N,), for some validation_images and validation_labels, for the rehearsal hardest."""
        with np.load(io.BytesIO(bytes(npz)), allow_pickle=False) as arrays:
            data = {key: arrays[key] for key in arrays.files}
        self._data[name] = {key: array.astype(np.int64) if key.endswith("labels") else array for key, array in data.items()}

    def has_data(self, name: str) -> bool:
        """Whether that data set is there."""
        return name in self._data

    def check(self, settings: str) -> dict:
        """{settings: with all defaults, parameters} of settings in JSON. Raises ValueError on nonsense, and on what is too large for a page."""
        checked = Settings.from_dict(json.loads(settings))
        model = Sequential.from_spec(architecture(checked.arch, checked.dropout))
        if (work := weights.work(model)) > weights.MAX_WORK:
            raise ValueError(f"setting 'arch' is {checked.arch!r}, with {work} multiplications for one image; it must be at most {weights.MAX_WORK}")
        if checked.batch_size > MAX_BATCH:
            raise ValueError(f"setting 'batch_size' is {checked.batch_size}; it must be at most {MAX_BATCH}")
        return {"settings": checked.to_dict(), "parameters": model.n_parameters}

    def rehearsal(self) -> Rehearsal:
        """That of the network that answers, for the next fine-tuning; the same one for as long as its weights are the same.

        Whoever has time to spare before then advances it.
        """
        model = self._session.live[0]
        if self._rehearsal is None or not self._rehearsal.is_of(model):
            self._rehearsal = Rehearsal(model, self._part(REHEARSAL), self._data[REHEARSAL]["hardest"])
        return self._rehearsal

    def start(self, request: str, images=None, labels=None) -> Run:
        """A new run; if it is live its network answers from now on.

        request: JSON {mode: "scratch" or "fine-tune", settings, data: name of a data set or null, live}.
        images: without a name, N * 784 bytes, white strokes on black; labels: N int8.   Raises ValueError on nonsense.
        """
        asked = json.loads(request)
        facts = {"mode": asked["mode"], "data": asked["data"]}
        if asked["mode"] == "fine-tune":
            run: Run = FineTuning(own_images(images, labels), self.rehearsal(), asked["settings"], facts)
            name = self._session.live[1].removesuffix(MINE) + MINE
        else:
            settings = Settings.from_dict(self.check(json.dumps(asked["settings"]))["settings"])
            run, name = Run(settings, *self._parts(asked["data"], images, labels, settings.images), facts=facts), settings.arch
        return self._begun(run, name, asked["live"])

    def resume(self, checkpoint: bytes, live: bool, images=None, labels=None) -> Run:
        """A run as its checkpoint has it; images and labels as for `start`, if it had no data set by name. Raises ValueError if it is none."""
        facts, groups = read_checkpoint(bytes(checkpoint))
        settings = Settings.from_dict(facts["settings"])
        run = Run.resume(facts, groups, *self._parts(facts["own"]["data"], images, labels, settings.images))
        return self._begun(run, settings.arch, live)

    def _begun(self, run: Run, name: str, live: bool) -> Run:
        if live:
            run.before = self._session.live
            self._session.put(run.model, name)
        return run

    def data_of(self, checkpoint: bytes) -> str | None:
        """Name of the data set that a checkpoint's run learns from. Raises ValueError if it is no checkpoint."""
        return read_checkpoint(bytes(checkpoint))[0]["own"]["data"]

    def take_back(self, run: Run) -> None:
        """If the run's network is the one that answers, the one from before the run answers again."""
        if self._session.live[0] is run.model:
            self._session.put(*run.before)

    def examine(self, name: str | None, images=None, labels=None, mistakes: int = 24) -> Examination:
        """Measures the network that answers, on a data set or on images and labels as for `start`."""
        return Examination(self._session.live[0], self._part(name) if name else own_images(images, labels), mistakes)

    def _part(self, name: str) -> Part:
        return self._data[name]["images"], self._data[name]["labels"]

    def _parts(self, name: str | None, images, labels, n_images: int | None) -> tuple[Part, Part]:
        """What to train on, the first n_images of it, and what to validate with."""
        images, labels = self._part(name) if name else own_images(images, labels)
        digits = labels >= 0  # the rehearsal set has other things, too
        images, labels = images[digits], labels[digits]
        if name and "validation_images" in self._data[name]:
            validation = self._data[name]["validation_images"], self._data[name]["validation_labels"]
        else:
            held_out = max(len(images) // HELD_OUT, 1)
            validation, images, labels = (images[:held_out], labels[:held_out]), images[held_out:], labels[held_out:]
        if not len(images):
            raise ValueError("there are too few images to learn from; give at least two")
        return (images[:n_images], labels[:n_images]), validation


def own_images(images, labels) -> Part:
    """Somebody's images, N * 784 bytes, and labels, N int8, as arrays. Raises ValueError if they do not fit together."""
    pixels, digits = np.frombuffer(images, np.uint8), np.frombuffer(labels, np.int8).astype(np.int64)
    if not len(digits) or pixels.size != 784 * len(digits) or digits.min() < 0 or digits.max() > 9:
        raise ValueError(f"{pixels.size} bytes and {len(digits)} labels; it must be 784 bytes an image, and as many labels from 0 to 9, at least one")
    return pixels.reshape(-1, 28, 28), digits


class Examination:
    """A network measured on many images, some at a time."""

    def __init__(self, model: Sequential, part: Part, mistakes: int):
        self.model, (self.images, self.labels), self.n_mistakes = model, part, mistakes
        self.done = 0
        self._logits = np.empty((len(self.images), 10), np.float32)
        self._work = self._slices()

    @property
    def total(self) -> int:
        """Of images."""
        return len(self.images)

    def advance(self) -> bool:
        """Works on one slice. Returns whether there is more."""
        next(self._work, None)
        return self.done < self.total

    def _slices(self) -> Iterator[None]:
        at_once = 3 * images_at_once(self.model)  # only forwards
        for begin in range(0, self.total, at_once):
            self._logits[begin:begin + at_once] = self.model.predict_logits(as_float(self.images[begin:begin + at_once]))
            self.done = min(begin + at_once, self.total)
            yield

    def result(self) -> dict:
        """{n, right, accuracy, accepted, loss, confusion (10 lists of ten counts, rows the truth), mistakes}, once all is done.

        mistakes: the wrong answers that the network was surest of, the surest first: {index, label, answer, confidence, image (784 uint8)}.
        """
        answers = self._logits.argmax(axis=1)
        sure = softmax(self._logits.astype(np.float64) / self.model.temperature).max(axis=1)
        confusion = np.zeros((10, 10), int)
        np.add.at(confusion, (self.labels, answers), 1)
        wrong = np.flatnonzero(answers != self.labels)
        worst = wrong[np.argsort(-sure[wrong], kind="stable")][:self.n_mistakes]
        right = self.total - len(wrong)
        return {
            "n": self.total, "right": right, "accuracy": right / self.total, "accepted": int((sure >= self.model.threshold).sum()),
            "loss": softmax_cross_entropy(self._logits, self.labels)[0], "confusion": confusion.tolist(),
            "mistakes": [{"index": int(i), "label": int(self.labels[i]), "answer": int(answers[i]), "confidence": float(sure[i]),
                          "image": self.images[i].ravel()} for i in worst],
        }
