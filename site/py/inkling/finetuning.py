"""Learning a hand from a few corrected drawings, without forgetting the rest.

Only the last two dense layers learn: what those before them make of each image is computed once. Together with the drawings goes a
stored set of MNIST's digits, pen drawings and things that are no digit, each to be answered as the network answers it now, which
holds on to more than the right labels would (Li and Hoiem 2016, https://arxiv.org/abs/1606.09282). In the end the network takes most
of the way, not all of it, from its old weights to the new ones (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903).

The figures below were found by trial, on glyphs that the shipped models read wrong: `python build.py bench learning` measures them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .augment import augment
from .layers import Dense
from .learning import Part, Run, images_at_once
from .losses import softmax
from .model import Sequential
from .settings import Settings
from .training import as_float

LEARNING = 2  # dense layers, the last ones
COPIES = 60  # deformed copies of the drawings, all together
DIGITS, STRANGE = 800, 400  # images of the stored set
WEIGHT = 0.5  # of a drawing or its copy in the loss; one of the stored set has 1
WAY = 0.8  # from the old weights to the new ones
RECIPE = {"optimizer": "adam", "learning_rate": 0.003, "schedule": "cosine", "batch_size": 64, "epochs": 10, "augment": False}


class FineTuning(Run):
    """A run that goes on from a trained network, of which it takes a copy.

    samples: corrected drawings (N, 28, 28) uint8 and their digits.   rehearsal: the stored set, label -1 for what is no digit.
    changed: settings other than RECIPE's.
    """

    def __init__(self, model: Sequential, samples: Part, rehearsal: Part, changed: dict | None = None, facts: dict | None = None):
        settings = Settings.from_dict(RECIPE | (changed or {}))
        self._images, self._labels = self._mix(samples, rehearsal, np.random.default_rng(settings.seed))
        copy = Sequential.from_spec(model.spec())
        copy.set_parameters(model.parameters())
        n_frozen = [i for i, layer in enumerate(copy.layers) if isinstance(layer, Dense)][-LEARNING:][0]
        shape = copy.output_shapes[n_frozen - 1] if n_frozen else copy.input_shape
        self._frozen = copy.layers[:n_frozen]
        seen = np.empty((len(self._images), *shape), np.float32), np.empty((len(self._images), 10), np.float32)
        super().__init__(settings, seen, None, copy, facts)
        self.trained = Sequential(copy.layers[n_frozen:], shape)

    @staticmethod
    def _mix(samples: Part, rehearsal: Part, rng: np.random.Generator) -> Part:
        """The samples, deformed copies of them, and, with label -1, as much of the stored set as there is time for."""
        images, labels = as_float(samples[0]), samples[1]
        copies = np.resize(np.arange(len(images)), max(COPIES, len(images)))
        stored = np.concatenate((np.flatnonzero(rehearsal[1] >= 0)[:DIGITS], np.flatnonzero(rehearsal[1] < 0)[:STRANGE]))
        return (np.concatenate((images, augment(images[copies], rng), as_float(rehearsal[0][stored]))),
                np.concatenate((labels, labels[copies], np.full(len(stored), -1))))

    def _slices(self) -> Iterator[None]:
        yield from self._prepare()
        yield from super()._slices()
        if self.state == "finished":
            for key, new in self.model.parameters().items():
                old = self._good[1][key]
                new[...] = old + np.float32(WAY) * (new - old)

    def _prepare(self) -> Iterator[None]:
        """Fills in what the learning layers see of each image, and the target: its digit, or the answer that it gets now."""
        at_once = 3 * images_at_once(self.model)  # only forwards
        for begin in range(0, len(self._images), at_once):
            now = slice(begin, begin + at_once)
            x = self._images[now].reshape(-1, *self.model.input_shape)
            for layer in self._frozen:
                x = layer.forward(x)
            labels = self._labels[now, None]
            self.data[0][now] = x
            self.data[1][now] = np.where(labels < 0, softmax(self.trained.forward(x)), WEIGHT * (labels == np.arange(10)))
            yield
