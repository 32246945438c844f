"""Everything that decides what a training run does, as one JSON document, which the command line and the page share."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np

from .model import Sequential, architecture
from .optimizers import OPTIMIZERS, SCHEDULES, SGD, Schedule


@dataclass
class Settings:
    """Everything that decides what a training run does, apart from the data.

    weight_decay belongs to AdamW, momentum to Momentum and Nesterov, beta1 and beta2 to Adam and AdamW, decay to RMSprop, warmup (share
    of all steps) to one-cycle; l2 is the factor of a penalty on the loss; clip_norm None clips nothing; images None takes all there are.
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
    beta1: float = 0.9
    beta2: float = 0.999
    decay: float = 0.99
    images: int | None = None

    def __post_init__(self):
        for name, least in (("batch_size", 1), ("epochs", 1), ("seed", 0)):
            self._check(name, _is_whole(getattr(self, name), least), f"a whole number from {least} up")
        self._check("images", self.images is None or _is_whole(self.images, 1), "a whole number from 1 up, or null")
        for name in ("weight_decay", "l2"):
            self._check(name, _is_number(getattr(self, name)) and 0 <= getattr(self, name) < float("inf"), "0 or more")
        for name in ("momentum", "beta1", "beta2", "decay", "warmup", "label_smoothing", "dropout"):
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
        own = {"momentum": ("momentum",), "nesterov": ("momentum",), "rmsprop": ("decay",), "adam": ("beta1", "beta2"),
               "adamw": ("beta1", "beta2", "weight_decay")}
        return OPTIMIZERS[self.optimizer](self.learning_rate, **{name: getattr(self, name) for name in own.get(self.optimizer, ())})

    def make_schedule(self, total_steps: int) -> Schedule:
        """step -> learning rate, for a run of total_steps."""
        options = {"warmup": self.warmup} if self.schedule == "one-cycle" else {}
        return SCHEDULES[self.schedule](self.learning_rate, total_steps, **options)


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
