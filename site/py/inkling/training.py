"""The training loop, as a generator: one step of gradient descent for each `next`, or a part of one.

The caller decides what to do in between (draw a curve, answer a prediction) and when to stop; nothing here
prints, saves or waits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np

from .losses import softmax_cross_entropy
from .model import Sequential
from .optimizers import SGD, Schedule, add_l2, clip_gradients
from .settings import Settings

Augment = Callable[[np.ndarray, "np.random.Generator"], np.ndarray]  # quoted: the browser loads numpy.random only when it trains


@dataclass
class Place:
    """Where a run stands: it goes on with step `i` of `epoch`. random_state: of that epoch's generator; None at an epoch's start."""

    epoch: int = 0
    i: int = 0
    random_state: dict | None = None


@dataclass
class Progress:
    """What one step did. epoch and step count from 0; loss (nats) and accuracy are those of the step's own batch; next: where to go on."""

    epoch: int
    step: int
    total_steps: int
    loss: float
    accuracy: float
    learning_rate: float
    n_images: int
    next: Place


def steps_per_epoch(n_images: int, settings: Settings) -> int:
    """How many batches make an epoch; the last one may be smaller."""
    return -(-n_images // settings.batch_size)


def train(model: Sequential, optimizer: SGD, images: np.ndarray, labels: np.ndarray, settings: Settings, *, augment: Augment | None = None,
          schedule: Schedule | None = None, start: Place = Place(), part: int | None = None) -> Iterator[Progress | None]:  # noqa: B008  nobody changes it
    """Trains `model` in place, a step for each item that the caller takes.

    images: (N, 28, 28) float32, 0..1, or uint8, 0..255.   labels: (N,) int, -1 for what is no digit; or (N, 10) targets.
    augment: (batch, 28, 28), rng -> the same shape; applied to every batch if settings.augment.
    schedule: step -> learning rate; None is that of the settings.
    start: goes on with a run whose model and optimiser are as they were there.
    part: a batch goes through the network so many images at a time, their gradients added up, and None is yielded after each part but
    the last: a caller that must answer somebody soon gets a turn, and up to rounding the step stays the same (not so with dropout,
    which draws part by part).

    Each epoch draws from a generator of its own, seeded with (seed, epoch): the same seed gives the same run,
    and going on at an epoch's start needs no random state to be kept.
    """
    n_steps = steps_per_epoch(len(images), settings)
    total_steps = n_steps * settings.epochs
    schedule = schedule or settings.make_schedule(total_steps)
    for epoch in range(start.epoch, settings.epochs):
        rng = np.random.default_rng([settings.seed, epoch])
        order = rng.permutation(len(images))
        first = start.i if epoch == start.epoch else 0
        if first and start.random_state:
            rng.bit_generator.state = start.random_state
        for i in range(first, n_steps):
            step = epoch * n_steps + i
            chosen = order[i * settings.batch_size:(i + 1) * settings.batch_size]
            batch = as_float(images[chosen])
            if augment is not None and settings.augment:
                batch = augment(batch, rng)
                if part and part < len(batch):
                    yield None
            optimizer.learning_rate = schedule(step)
            loss, accuracy = yield from train_step(model, optimizer, batch, labels[chosen], settings, rng, part)
            following = Place(epoch, i + 1, rng.bit_generator.state) if i + 1 < n_steps else Place(epoch + 1)
            yield Progress(epoch, step, total_steps, loss, accuracy, optimizer.learning_rate, len(chosen), following)


def as_float(images: np.ndarray) -> np.ndarray:
    """Images as the network takes them: uint8, 0..255, a quarter of the memory, becomes float32, 0..1."""
    return images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images


def train_step(model: Sequential, optimizer: SGD, batch: np.ndarray, labels: np.ndarray, settings: Settings, rng: np.random.Generator,
               part: int | None = None) -> Generator[None, None, tuple[float, float]]:
    """Forward, loss, backward, in parts, and one update. Returns (loss, accuracy) as they were before the update; accuracy is that of the digits."""
    n, part = len(batch), part or len(batch)
    loss, n_right, pairs = 0.0, 0, []
    digits = labels if labels.ndim == 1 else labels.argmax(axis=1)
    for begin in range(0, n, part):
        if begin:
            yield None
        now = slice(begin, begin + part)
        logits = model.forward(batch[now], rng)
        share = len(logits) / n  # the loss of a part is a mean, and so is that of the batch
        part_loss, dlogits = softmax_cross_entropy(logits, labels[now], settings.label_smoothing)
        model.backward(dlogits if part >= n else dlogits * np.float32(share))
        loss += share * part_loss
        n_right += int((logits.argmax(axis=1) == digits[now]).sum())
        pairs = _added(pairs, model.params_and_grads())
    if settings.l2:
        add_l2(pairs, settings.l2)
    if settings.clip_norm is not None:
        clip_gradients(pairs, settings.clip_norm)
    optimizer.step(pairs)
    return loss, n_right / max(int((digits >= 0).sum()), 1)


def _added(pairs: list, more: list) -> list:
    """The gradients of one more part added to those so far."""
    for (_, total), (_, grad) in zip(pairs, more):
        total += grad
    return pairs or more


def evaluate(model: Sequential, images: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Share of right answers, and the confusion matrix: (10, 10) counts, rows the truth, columns the answer."""
    answers = model.predict_logits(images).argmax(axis=1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, answers), 1)
    return float((answers == labels).mean()), confusion
