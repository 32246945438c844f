"""A training run for a front end that is busy with other things too: it goes on for some milliseconds at a time.

Between two calls of `advance` the network may answer: its weights change whole steps at a time. It can be paused, led step by step,
stopped, written down and taken up again; a run whose loss is no longer a number ends with the last weights that were good.
"""

from __future__ import annotations

import io
import json
import math
import time
import zipfile
from collections.abc import Iterator

import numpy as np

from . import weights
from .augment import augment
from .losses import softmax_cross_entropy
from .model import Sequential
from .settings import Settings
from .training import Place, Progress, as_float, steps_per_epoch, train

WORK_AT_ONCE = 5_000_000  # multiplications of a forward pass between two turns: with the way back some 15 ms in a browser
VALIDATIONS = 2  # an epoch, and one before the first step
NOTED = ("n_steps", "n_images", "seconds", "latest", "latest_validation", "_scale")  # of a run, in its checkpoint, as they are
MAX_CHECKPOINT = 3 * weights.MAX_BYTES  # the weights, and twice as much that Adam remembers

Part = tuple[np.ndarray, np.ndarray]  # images (N, 28, 28) uint8 or float32, labels (N,) int


def images_at_once(model: Sequential) -> int:
    """How many images go through the network between two turns. It depends on the network alone: the same run has the same rounding."""
    return max(WORK_AT_ONCE // weights.work(model), 1)


class Run:
    """Training that stands between two steps, or within one.

    settings, data, validation (may be None): what it learns from.   model: to go on from; None draws one from the seed.
    trained: the network that the data go through, the model or the end of it.   facts: anything JSON can say; they come with checkpoints.
    state: "running", "paused", "finished", "stopped" or "diverged"; message: for the last, what to do about it.
    """

    def __init__(self, settings: Settings, data: Part, validation: Part | None = None, model: Sequential | None = None, facts: dict | None = None):
        self.settings, self.data, self.validation, self.facts = settings, data, validation, facts or {}
        self.model = self.trained = model or settings.make_model()
        self.optimizer = settings.make_optimizer()
        self.total_steps = steps_per_epoch(len(data[0]), settings) * settings.epochs
        self.state, self.message = "running", None
        self.before: tuple | None = None  # what answered before this run's network did
        self.n_steps = self.n_images = 0
        self.seconds = 0.0
        self.latest: dict = {"step": 0, "epoch": 0, "loss": None, "accuracy": None, "learning_rate": settings.learning_rate}
        self.latest_validation: dict | None = None
        self._steps: list[dict] = []
        self._validations: list[dict] = []
        self._place = Place()
        self._scale = 1.0  # of the schedule: what somebody has made of the learning rate
        self._single = False
        self._schedule = settings.make_schedule(self.total_steps)
        self._keep_as_good()
        self._work = self._slices()

    def advance(self, milliseconds: float) -> bool:
        """Works for about so long, at least one slice. Returns whether there is more to do without being asked."""
        start = now = time.perf_counter()
        with np.errstate(all="ignore"):  # a loss that overflows is seen, and told
            while self.state == "running" and now < start + milliseconds / 1e3:
                next(self._work, None)
                now = time.perf_counter()
        self.seconds += now - start
        return self.state == "running"

    def steer(self, action: str) -> None:
        """Does "pause", "resume", "step" (one, then a pause) or "stop"; on a run that has ended nothing. Raises ValueError if it is none of these."""
        if action not in ("pause", "resume", "step", "stop"):
            raise ValueError(f"action is {action!r}; it must be pause, resume, step or stop")
        if self.state in ("running", "paused"):
            self.state = {"pause": "paused", "stop": "stopped"}.get(action, "running")
            self._single = action == "step"

    def set_learning_rate(self, learning_rate: float) -> None:
        """The new peak: from now on the schedule is scaled by it. Raises ValueError unless it is above 0."""
        Settings(learning_rate=learning_rate)  # refuses what is none
        self._scale = learning_rate / self.settings.learning_rate

    def report(self) -> dict:
        """What is new since the last report, JSON-ready."""
        steps, self._steps = self._steps, []
        validations, self._validations = self._validations, []
        per_second = self.n_images / self.seconds if self.seconds else 0.0
        left = (self.total_steps - self.n_steps) * self.seconds / self.n_steps if self.n_steps else None
        return {
            "stage": "training", "state": self.state, "step": self.n_steps, "total_steps": self.total_steps, "epoch": self.latest["epoch"],
            "epochs": self.settings.epochs, "seconds": self.seconds, "seconds_left": left, "images_per_second": per_second,
            "learning_rate": self.latest["learning_rate"], "steps": steps, "validations": validations,
        }

    def result(self) -> dict:
        """What came of it, JSON-ready but for the weights, an .npz."""
        return {
            "state": self.state, "message": self.message, "step": self.n_steps, "total_steps": self.total_steps, "seconds": self.seconds,
            "images": self.n_images, "loss": self.latest["loss"], "accuracy": self.latest["accuracy"], "validation": self.latest_validation,
            "validation_images": len(self.validation[1]) if self.validation else 0,
            "settings": self.settings.to_dict(), "parameters": self.model.n_parameters, "spec": self.model.spec(),
            "weights": weights.dumps(self.model),
        }

    def _slices(self) -> Iterator[None]:
        """All the work; None after each slice of it."""
        at_once = images_at_once(self.trained)
        an_epoch = self.total_steps // self.settings.epochs
        measured_at = {-(-an_epoch * part // VALIDATIONS) % an_epoch for part in range(VALIDATIONS)}  # steps within an epoch
        steps = train(self.trained, self.optimizer, *self.data, self.settings, augment=augment, start=self._place, part=at_once,
                      schedule=lambda step: self._scale * self._schedule(step))
        if self.n_steps == 0:
            yield from self._validate(at_once)
        for progress in steps:
            if progress is not None and not self._take(progress):
                return
            if progress is not None and self.n_steps % an_epoch in measured_at:
                yield from self._validate(at_once)
            yield
        if all(np.isfinite(array).all() for array in self.model.parameters().values()):
            self.state = "finished"
        else:
            self._diverge()

    def _take(self, progress: Progress) -> bool:
        """Notes what a step did. Returns False if the run can't go on."""
        finite = math.isfinite(progress.loss)
        self.n_steps, self._place = progress.step + 1, progress.next
        self.n_images += progress.n_images
        self.latest = {"step": self.n_steps, "epoch": progress.epoch, "loss": progress.loss if finite else None, "accuracy": progress.accuracy,
                       "learning_rate": progress.learning_rate}
        self._steps.append(self.latest)
        if not finite:
            self._diverge()
        elif self._single:
            self.state = "paused"
        return finite

    def _validate(self, at_once: int) -> Iterator[None]:
        """Measures the network on the validation images, in slices, and remembers the weights if they are good."""
        if self.validation is None:
            return
        images, labels = self.validation
        loss = right = 0.0
        for begin in range(0, len(images), 3 * at_once):  # only forwards
            now = slice(begin, begin + 3 * at_once)
            logits = self.model.forward(as_float(images[now]))
            loss += softmax_cross_entropy(logits, labels[now])[0] * len(logits)
            right += float((logits.argmax(axis=1) == labels[now]).sum())
            yield
        loss /= len(images)
        self.latest_validation = {"step": self.n_steps, "epoch": self.latest["epoch"], "loss": loss if math.isfinite(loss) else None,
                                  "accuracy": right / len(images)}
        self._validations.append(self.latest_validation)
        if math.isfinite(loss):
            self._keep_as_good()

    def _keep_as_good(self) -> None:
        self._good = self.n_steps, {key: array.copy() for key, array in self.model.parameters().items()}

    def _diverge(self) -> None:
        step, good = self._good
        self.model.set_parameters(good)
        self.state = "diverged"
        rate = self.latest["learning_rate"]
        self.message = (f"The loss is no longer a number after step {self.n_steps}, at a learning rate of {rate:.3g}: the steps were too large. Lower the "
                        f"learning rate, for instance to {rate / 10:.1g}, or set clip_norm to 1. The weights after step {step} are back.")

    def checkpoint(self) -> bytes:
        """The run as it stands after its last whole step: weights, optimiser, place. `resume` goes on from there to the same result."""
        noted = {name: getattr(self, name) for name in NOTED}
        facts = {"settings": self.settings.to_dict(), "spec": self.model.spec(), "place": vars(self._place), "own": self.facts, **noted}
        file = io.BytesIO()
        np.savez(file, facts=np.array(json.dumps(facts)), **{f"model/{key}": array for key, array in self.model.parameters().items()},
                 **{f"optimizer/{key}": array for key, array in self.optimizer.state().items()})
        return file.getvalue()

    @classmethod
    def resume(cls, facts: dict, groups: dict[str, dict[str, np.ndarray]], data: Part, validation: Part | None = None) -> Run:
        """A run as it stood. facts, groups: from `read_checkpoint`; data, validation: as they were then. Raises ValueError if it does not fit together."""
        try:
            model = Sequential.from_spec(facts["spec"])
            model.set_parameters(groups["model"])
            run = cls(Settings.from_dict(facts["settings"]), data, validation, model, facts["own"])
            run.optimizer.load_state(groups["optimizer"], [(param, param) for param in model.parameters().values()])
            for name in NOTED:
                setattr(run, name, facts[name])
            run._place = Place(**facts["place"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the checkpoint does not fit together ({error}); start the run again") from error
        run._keep_as_good()
        return run


def read_checkpoint(npz: bytes) -> tuple[dict, dict[str, dict[str, np.ndarray]]]:
    """(facts, arrays by group and key) of what `Run.checkpoint` wrote. Raises ValueError if it is something else."""
    groups: dict[str, dict[str, np.ndarray]] = {"model": {}, "optimizer": {}}
    try:
        with zipfile.ZipFile(io.BytesIO(npz)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_CHECKPOINT:
                raise ValueError(f"more than {MAX_CHECKPOINT} bytes")
        with np.load(io.BytesIO(npz), allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            for name in arrays.files:
                group, _, key = name.partition("/")
                if key:
                    groups[group][key] = arrays[name]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"this is no checkpoint of a training run ({error}); start the run again") from error
    return facts, groups
