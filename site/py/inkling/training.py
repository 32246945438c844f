"""The training loop, as a generator: one step of gradient descent for each `next`.

The caller decides what to do in between (draw a curve, answer a prediction) and when to stop; nothing here
prints, saves or waits. Settings are one JSON document, which the command line and the page share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields

import numpy as np

from .losses import softmax_cross_entropy
from .model import Sequential, architecture
from .optimizers import OPTIMIZERS, SCHEDULES, SGD, Schedule, add_l2, clip_gradients

Augment = Callable[[np.ndarray, "np.random.Generator"], np.ndarray]  # quoted: the browser loads numpy.random only when it trains


@dataclass
class Settings:
    """Everything that decides what a training run does, apart from the data.

    weight_decay belongs to AdamW, momentum to Momentum and Nesterov, warmup (share of all steps) to one-cycle;
    l2 is the factor of a penalty on the loss; clip_norm None clips nothing.
    Raises ValueError, naming the key, if a value makes no sense.
    """

    arch: str = "convnet"
    optimizer: str = "adamw"
    learning_rate: float = 0.004
    schedule: str = "one-cycle"
    batch_size: int = 256
    epochs: int = 20
    seed: int = 0
    augment: bool = True
    weight_decay: float = 0.01
    momentum: float = 0.9
    warmup: float = 0.15
    l2: float = 0.0
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    dropout: float = 0.0

    def __post_init__(self):
        for name, least in (("batch_size", 1), ("epochs", 1), ("seed", 0)):
            value = getattr(self, name)
            self._check(name, isinstance(value, int) and _is_number(value) and value >= least, f"a whole number from {least} up")
        for name in ("weight_decay", "l2"):
            self._check(name, _is_number(getattr(self, name)) and 0 <= getattr(self, name) < float("inf"), "0 or more")
        for name in ("momentum", "warmup", "label_smoothing", "dropout"):
            self._check(name, _is_number(getattr(self, name)) and 0 <= getattr(self, name) < 1, "in [0, 1)")
        self._check("learning_rate", _is_number(self.learning_rate) and 0 < self.learning_rate < float("inf"), "above 0")
        self._check("clip_norm", self.clip_norm is None or _is_number(self.clip_norm) and self.clip_norm > 0, "above 0, or null")
        self._check("augment", isinstance(self.augment, bool), "true or false")
        self._check("optimizer", self.optimizer in list(OPTIMIZERS), "one of " + ", ".join(OPTIMIZERS))
        self._check("schedule", self.schedule in list(SCHEDULES), "one of " + ", ".join(SCHEDULES))
        self._check("arch", isinstance(self.arch, str), "a name")
        try:
            architecture(self.arch)
        except ValueError as error:
            raise ValueError(f"setting 'arch': {error}") from error

    def _check(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ValueError(f"setting '{name}' is {getattr(self, name)!r}; it must be {expected}")

    @classmethod
    def from_dict(cls, values: dict) -> Settings:
        """From a JSON document. Raises ValueError on a key that is no setting."""
        if not isinstance(values, dict):
            raise ValueError(f"settings are {values!r}; they must be a JSON object")
        unknown = values.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        return cls(**values)

    def to_dict(self) -> dict:
        """As a JSON document."""
        return asdict(self)

    def make_model(self) -> Sequential:
        """The network, its weights drawn from the seed."""
        return Sequential.from_spec(architecture(self.arch, self.dropout), np.random.default_rng(self.seed))

    def make_optimizer(self) -> SGD:
        """The optimiser, before its first step."""
        options = {"adamw": {"weight_decay": self.weight_decay},
                   "momentum": {"momentum": self.momentum}, "nesterov": {"momentum": self.momentum}}
        return OPTIMIZERS[self.optimizer](self.learning_rate, **options.get(self.optimizer, {}))

    def make_schedule(self, total_steps: int) -> Schedule:
        """step -> learning rate, for a run of total_steps."""
        options = {"warmup": self.warmup} if self.schedule == "one-cycle" else {}
        return SCHEDULES[self.schedule](self.learning_rate, total_steps, **options)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass
class Progress:
    """What one step did. epoch and step count from 0; loss (nats) and accuracy are those of the step's own batch."""

    epoch: int
    step: int
    total_steps: int
    loss: float
    accuracy: float
    learning_rate: float
    n_images: int


def train(model: Sequential, optimizer: SGD, images: np.ndarray, labels: np.ndarray, settings: Settings, *,
          augment: Augment | None = None, start_epoch: int = 0) -> Iterator[Progress]:
    """Trains `model` in place, a step for each item that the caller takes.

    images: (N, 28, 28) float32, 0..1, or uint8, 0..255.   labels: (N,) int, -1 for what is no digit.
    augment: (batch, 28, 28), rng -> the same shape; applied to every batch if settings.augment.
    start_epoch: goes on with a run whose model and optimiser are as they were after that many epochs.

    Each epoch draws from a generator of its own, seeded with (seed, epoch): the same seed gives the same run,
    and going on at an epoch's start needs no random state to be kept.
    """
    steps_per_epoch = -(-len(images) // settings.batch_size)
    total_steps = steps_per_epoch * settings.epochs
    schedule = settings.make_schedule(total_steps)
    for epoch in range(start_epoch, settings.epochs):
        rng = np.random.default_rng([settings.seed, epoch])
        order = rng.permutation(len(images))
        for i in range(steps_per_epoch):
            step = epoch * steps_per_epoch + i
            chosen = order[i * settings.batch_size:(i + 1) * settings.batch_size]
            batch = as_float(images[chosen])
            if augment is not None and settings.augment:
                batch = augment(batch, rng)
            optimizer.learning_rate = schedule(step)
            loss, accuracy = train_step(model, optimizer, batch, labels[chosen], settings, rng)
            yield Progress(epoch, step, total_steps, loss, accuracy, optimizer.learning_rate, len(chosen))


def as_float(images: np.ndarray) -> np.ndarray:
    """Images as the network takes them: uint8, 0..255, a quarter of the memory, becomes float32, 0..1."""
    return images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images


def train_step(model: Sequential, optimizer: SGD, batch: np.ndarray, labels: np.ndarray, settings: Settings,
               rng: np.random.Generator) -> tuple[float, float]:
    """Forward, loss, backward, update: one batch. Returns (loss, accuracy) as they were before the update; accuracy is that of the digits."""
    logits = model.forward(batch, rng)
    loss, dlogits = softmax_cross_entropy(logits, labels, settings.label_smoothing)
    model.backward(dlogits)
    pairs = model.params_and_grads()
    if settings.l2:
        add_l2(pairs, settings.l2)
    if settings.clip_norm is not None:
        clip_gradients(pairs, settings.clip_norm)
    optimizer.step(pairs)
    return loss, float((logits.argmax(axis=1) == labels).sum() / max((labels >= 0).sum(), 1))


def evaluate(model: Sequential, images: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Share of right answers, and the confusion matrix: (10, 10) counts, rows the truth, columns the answer."""
    answers = model.predict_logits(images).argmax(axis=1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, answers), 1)
    return float((answers == labels).mean()), confusion
