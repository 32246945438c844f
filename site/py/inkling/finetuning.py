"""Learning a hand from a few corrected drawings, without forgetting the rest.

Only the last two dense layers learn: what those before them make of each image is computed once. Together with the drawings goes a
stored set of MNIST's digits, pen drawings and things that are no digit, most of them such as the default network easily loses. Each is
to be answered as the network answers it now, which holds on to more than the right labels would (Li and Hoiem 2016,
https://arxiv.org/abs/1606.09282). It ends after the first epoch in which the drawings are known: signs that are easily learnt cost little
time, and little is forgotten for them. In the end the network takes most of the way, not all of it, from its old weights to the new ones
(Wortsman et al. 2022, https://arxiv.org/abs/2109.01903).

The figures below were found by trial, on TUNING_GLYPHS, which the shipped models read wrong; others measure them: `python build.py bench learning`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .augment import augment
from .layers import Dense, Layer
from .learning import Part, Run, images_at_once
from .losses import softmax
from .model import Sequential
from .settings import Settings
from .training import Progress, as_float

LEARNING = 2  # dense layers, the last ones
COPIES = 80  # deformed copies of the drawings, all together
DIGITS, STRANGE = 600, 300  # images of the stored set
WEIGHT = 1.0  # of a drawing or its copy in the loss; one of the stored set has 1, too
KNOWN, SHARE = 0.8, 0.95  # it ends once so large a share of drawings and copies has at least this probability of its digit
WAY = 0.75  # from the old weights to the new ones
RECIPE = {"optimizer": "adam", "learning_rate": 0.002, "schedule": "constant", "batch_size": 64, "epochs": 9, "augment": False}


class Rehearsal:
    """The stored set as the learning layers see it, and what the network answers to it: the part of fine-tuning that no drawing is needed for.

    model: of which it takes a copy.   stored: images and labels, -1 for what is no digit.   hardest: indices of those to be taken first.
    It can be computed ahead, a slice at a time; a run goes on with it from wherever it is.
    """

    def __init__(self, model: Sequential, stored: Part, hardest: np.ndarray):
        self.model = copied(model)
        self._frozen, self._learning = split(self.model)
        images, labels = stored
        self._images = images[rehearsed(labels, hardest)]
        self.features = np.empty((self.total, *self._learning.input_shape), np.float32)
        self.targets = np.empty((self.total, 10), np.float32)
        self.done = 0
        self._at_once = 3 * images_at_once(model)  # only forwards

    @property
    def total(self) -> int:
        """Of images."""
        return len(self._images)

    def is_of(self, model: Sequential) -> bool:
        """Whether that network has the same layers, with the same weights, as this one."""
        ours, theirs = self.model.parameters(), model.parameters()
        return self.model.spec() == model.spec() and all(np.array_equal(array, theirs[key]) for key, array in ours.items())

    def advance(self) -> bool:
        """Works on one slice. Returns whether there is more."""
        now = slice(self.done, self.done + self._at_once)
        if self.done < self.total:
            self.features[now] = self.see(as_float(self._images[now]))
            self.targets[now] = softmax(self._learning.forward(self.features[now]))
            self.done = min(now.stop, self.total)
        return self.done < self.total

    def see(self, images: np.ndarray) -> np.ndarray:
        """What the frozen layers make of images (N, 28, 28) float32: the input of the learning ones."""
        x = images.reshape(-1, *self.model.input_shape)
        for layer in self._frozen:
            x = layer.forward(x)
        return x


class FineTuning(Run):
    """A run that goes on from a trained network, the one of the rehearsal, of which it takes a copy.

    samples: corrected drawings (N, 28, 28) uint8 and their digits.   changed: settings other than RECIPE's.
    """

    def __init__(self, samples: Part, rehearsal: Rehearsal, changed: dict | None = None, facts: dict | None = None):
        settings = Settings.from_dict(RECIPE | (changed or {}))
        self._images, self._labels = self._with_copies(samples, np.random.default_rng(settings.seed))
        self._rehearsal = rehearsal
        model = copied(rehearsal.model)
        _, learning = split(model)
        n = len(self._images) + rehearsal.total
        super().__init__(settings, (np.empty((n, *learning.input_shape), np.float32), np.empty((n, 10), np.float32)), None, model, facts)
        self.trained = learning

    @staticmethod
    def _with_copies(samples: Part, rng: np.random.Generator) -> Part:
        images, labels = as_float(samples[0]), samples[1]
        copies = np.resize(np.arange(len(images)), max(COPIES, len(images)))
        return np.concatenate((images, augment(images[copies], rng))), np.concatenate((labels, labels[copies]))

    def _slices(self) -> Iterator[None]:
        yield from self._prepare()
        yield from super()._slices()
        if self.state == "finished":
            for key, new in self.model.parameters().items():
                old = self._good[1][key]
                new[...] = old + np.float32(WAY) * (new - old)

    def _take(self, progress: Progress) -> bool:
        goes_on = super()._take(progress)
        if goes_on and progress.next.i == 0 and self._is_known():
            self.state, goes_on = "finished", False
        return goes_on

    def _is_known(self) -> bool:
        """Whether the network has learnt the drawings and their copies; of very many it looks at some."""
        n = len(self._labels)
        some = slice(0, n, -(-n // (3 * images_at_once(self.trained))))
        probabilities = softmax(self.trained.forward(self.data[0][some]))
        labels = self._labels[some]
        return bool((probabilities[np.arange(len(labels)), labels] >= KNOWN).mean() >= SHARE)

    def _prepare(self) -> Iterator[None]:
        """Fills in what the learning layers see of each image, and the target: its digit, or the answer that it gets now."""
        while self._rehearsal.advance():
            yield
        n, (features, targets) = len(self._images), self.data
        features[n:], targets[n:] = self._rehearsal.features, self._rehearsal.targets
        targets[:n] = WEIGHT * (self._labels[:, None] == np.arange(10))
        at_once = 3 * images_at_once(self.model)
        for begin in range(0, n, at_once):
            features[begin:min(begin + at_once, n)] = self._rehearsal.see(self._images[begin:begin + at_once])
            yield


def rehearsed(labels: np.ndarray, hardest: np.ndarray) -> np.ndarray:
    """Indices of the stored images that are rehearsed: as many as there is time for, the hardest and then the first of the others."""
    order = np.concatenate((hardest, np.setdiff1d(np.arange(len(labels)), hardest)))
    return np.concatenate((order[labels[order] >= 0][:DIGITS], order[labels[order] < 0][:STRANGE]))


def copied(model: Sequential) -> Sequential:
    """The same network, with weights of its own."""
    copy = Sequential.from_spec(model.spec())
    copy.set_parameters(model.parameters())
    return copy


def split(model: Sequential) -> tuple[list[Layer], Sequential]:
    """The layers that stay as they are, and those that learn as a network of their own: the last LEARNING dense ones. Raises ValueError without any."""
    dense = [i for i, layer in enumerate(model.layers) if isinstance(layer, Dense)]
    if not dense:
        raise ValueError("the network has no Dense layer; learning from drawings changes the last of them")
    first = dense[-LEARNING:][0]
    return model.layers[:first], Sequential(model.layers[first:], model.output_shapes[first - 1] if first else model.input_shape)
