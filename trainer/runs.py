"""One training run and its folder: the loop around `inkling.training.train`, its log, its checkpoints, the weights that it gives."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from inkling.augment import augment
from inkling.losses import softmax_cross_entropy
from inkling.model import Sequential
from inkling.settings import Settings
from inkling.training import Place, Progress, train

from .checkpoint import load_checkpoint, save_checkpoint
from .command import TrainerError
from .data import Digits, Part
from .files import atomic_file, write_json
from .parallel import in_parts

COLUMNS = ("epoch", "learning_rate", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds")
TIMED_STEPS = 9
ANNEALED = ("one-cycle", "cosine")  # schedules that end with a learning rate of next to nothing


class Run:
    """A run that stands between two epochs.

    history: a row (COLUMNS) for each epoch done; loss and accuracy are means over the epoch's own, deformed batches.
    best: the parameters with the highest validation accuracy, among equals the lowest validation loss, and best_row their row.
    """

    command = "python trainer/train.py"  # that starts one
    resumable = True
    versions: dict[str, str] = {}  # of what does the sums beside NumPy

    def __init__(self, folder: Path, settings: Settings, digits: Digits):
        self.folder, self.settings, self.digits = folder, settings, digits
        self.model, self.optimizer = settings.make_model(), settings.make_optimizer()
        self.history: list[dict] = []
        self.best: dict[str, np.ndarray] = {}
        self.best_row: dict = {}

    @classmethod
    def start(cls, folder: Path, settings: Settings, digits: Digits) -> Run:
        """A new run in a new or empty folder. Raises TrainerError if something is there already."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise TrainerError(f"{folder}: is there already. Name another folder, or go on with that run: --resume {folder}")
        write_json(folder / "settings.json", settings.to_dict())
        return cls(folder, settings, digits)

    @classmethod
    def resume(cls, folder: Path, digits: Digits) -> Run:
        """A run as it stood after its last whole epoch. Raises TrainerError if the folder has none, or was made with other data."""
        run = cls(folder, read_settings(folder / "settings.json"), digits)
        path = folder / "checkpoint.npz"
        if not path.exists():
            return run  # stopped within its first epoch
        groups, facts = load_checkpoint(path)
        try:
            if facts["files"] != digits.files or facts.get("drawings", {}) != digits.drawings:
                raise TrainerError(f"{folder}: that run was trained on other data. Name it with --data, --drawings and --strokes as before")
            run.history, run.best_row, run.best = facts["history"], facts["best"], groups["best"]
            run.model.set_parameters(groups["model"])
            pairs = [(param, param) for param in run.model.parameters().values()]
            run.optimizer.load_state(groups["optimizer"], pairs)
        except (KeyError, ValueError) as error:
            raise TrainerError(f"{path}: does not fit settings.json beside it ({error})") from error
        return run

    @property
    def finished(self) -> bool:
        return len(self.history) == self.settings.epochs

    @property
    def kept(self) -> tuple[dict[str, np.ndarray], dict]:
        """(parameters, row of their epoch) of the network that the run gives.

        Where the learning rate has come down to nothing at the end, these are the last: an epoch before that measured better on a few
        thousand validation images was luckier, not better. The best of all epochs is given where there is no such end, where the run was
        stopped before it, and where the last loss is not finite.
        """
        if self.finished and self.settings.schedule in ANNEALED and math.isfinite(self.history[-1]["validation_loss"]):
            return self.model.parameters(), self.history[-1]
        return self.best, self.best_row

    def train(self) -> bool:
        """Trains to the end or to Ctrl-C. Returns whether it came to the end; either way `kept` is worth keeping."""
        try:
            self._epochs()
        except KeyboardInterrupt:
            if not self.best:
                self._end_epoch([], 0.0)
        return self.finished

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """The images and labels that are trained with: all, or as many of the first as the settings say."""
        images, labels = self.digits.train
        return images[:self.settings.images], labels[:self.settings.images]

    def _steps(self) -> Iterator[Progress]:
        """Trains `model`, a step at a time, from the first epoch that is not done."""
        return train(in_parts(self.model), self.optimizer, *self.data(), self.settings, augment=augment, start=Place(len(self.history)))

    def _epochs(self) -> None:
        n_images = len(self.data()[0])
        done, total = n_images * len(self.history), n_images * self.settings.epochs
        with tqdm(total=total, initial=done, unit=" images", unit_scale=True, disable=None, leave=False, smoothing=0.05) as bar:
            epoch: list[Progress] = []
            started = time.perf_counter()
            for progress in self._steps():
                epoch.append(progress)
                bar.set_postfix(_recent(epoch), refresh=False)
                bar.update(progress.n_images)
                if (progress.step + 1) * self.settings.epochs % progress.total_steps == 0:
                    bar.write(self._end_epoch(epoch, started))
                    epoch, started = [], time.perf_counter()

    def _end_epoch(self, epoch: list[Progress], started: float) -> str:
        """Measures, remembers, saves. Returns the line that says so. An empty `epoch`: stopped within the first one, nothing is saved."""
        validation_loss, validation_accuracy = measure(self.model, self.digits.validation)
        row = {"epoch": len(self.history) + 1, "validation_loss": validation_loss, "validation_accuracy": validation_accuracy}
        if not self.best or (validation_accuracy, -validation_loss) > (self.best_row["validation_accuracy"], -self.best_row["validation_loss"]):
            self.best = {key: array.copy() for key, array in self.model.parameters().items()}
            self.best_row = row
        if not epoch:
            return ""
        weights = [progress.n_images for progress in epoch]
        row |= {
            "learning_rate": epoch[-1].learning_rate,
            "loss": float(np.average([progress.loss for progress in epoch], weights=weights)),
            "accuracy": float(np.average([progress.accuracy for progress in epoch], weights=weights)),
            "seconds": round(time.perf_counter() - started, 1),
        }
        self.history.append(row)
        self._save()
        return (f"epoch {row['epoch']:{len(str(self.settings.epochs))}}/{self.settings.epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:7.2%}"
                f"  validation {validation_accuracy:7.2%}  {row['seconds']:.0f} s")

    def _save(self) -> None:
        groups = {"model": self.model.parameters(), "optimizer": self.optimizer.state(), "best": self.best}
        facts = {"history": self.history, "best": self.best_row, "files": self.digits.files, "drawings": self.digits.drawings}
        save_checkpoint(self.folder / "checkpoint.npz", groups, facts)
        self._log()

    def _log(self) -> None:
        text = io.StringIO()
        log = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        log.writeheader()
        log.writerows(self.history)
        with atomic_file(self.folder / "log.csv") as file:
            file.write(text.getvalue().encode())


def _recent(epoch: list[Progress], n: int = 50) -> dict[str, str]:
    recent = epoch[-n:]
    loss, accuracy = np.mean([(progress.loss, progress.accuracy) for progress in recent], axis=0)
    return {"epoch": recent[-1].epoch + 1, "loss": f"{loss:.3f}", "accuracy": f"{accuracy:.1%}"}


def measure(model: Sequential, part: Part) -> tuple[float, float]:
    """(loss in nats, share of right answers) on images as they are."""
    images, labels = part
    logits = model.predict_logits(images)
    loss, _ = softmax_cross_entropy(logits, labels)
    return float(loss), float((logits.argmax(axis=1) == labels).mean())


def estimate_seconds(settings: Settings, digits: Digits) -> float:
    """How long a run will take here, from a few timed steps of a network that is thrown away."""
    images, labels = (part[:settings.images] for part in digits.train)
    model = settings.make_model()
    steps = train(in_parts(model), settings.make_optimizer(), images, labels, settings, augment=augment)
    times = [time.perf_counter()]
    for _ in itertools.islice(steps, TIMED_STEPS):
        times.append(time.perf_counter())
    # The median: the first step also draws the epoch's order and warms up, and others may be disturbed.
    per_image = float(np.median(np.diff(times))) / min(settings.batch_size, len(images))
    sample = digits.validation[0][:1000]
    started = time.perf_counter()
    model.predict_logits(sample)
    measuring = (time.perf_counter() - started) / len(sample) * len(digits.validation[0])
    return settings.epochs * (per_image * len(images) + measuring)


def read_settings(path: Path) -> Settings:
    """Settings from a JSON file. Raises TrainerError if it is none."""
    try:
        return Settings.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise TrainerError(f"{path}: no such file. A run folder has it; runs lie in runs/ unless --out said otherwise") from error
    except (ValueError, RecursionError) as error:
        raise TrainerError(f"{path}: {error}") from error
