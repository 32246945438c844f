"""Learning a hand from a few corrected drawings, without forgetting the rest.

What the network has learnt before is rehearsed: images of a stored set, MNIST's digits, pen drawings and things that are no digit, go
through it together with deformed copies of the corrected drawings. Convolutions stay as they are: what they see in all those images is
computed once, and only the dense layers behind them go on learning, which is what makes it a matter of a second or two.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .augment import augment
from .layers import Dense
from .learning import Part, Run, images_at_once
from .model import Sequential
from .settings import Settings
from .training import as_float

COPIES = 240  # deformed copies of the samples, all together; of each as many as of the others
REHEARSED = 600  # images of the stored set
RECIPE = {"optimizer": "adam", "learning_rate": 0.001, "schedule": "cosine", "batch_size": 64, "epochs": 12, "augment": False}


class FineTuning(Run):
    """A run that goes on from a trained network, of which it takes a copy.

    samples: corrected drawings (N, 28, 28) uint8 and their digits.   rehearsal: the stored set, label -1 for what is no digit.
    changed: settings other than RECIPE's.
    """

    def __init__(self, model: Sequential, samples: Part, rehearsal: Part, changed: dict | None = None, facts: dict | None = None):
        settings = Settings.from_dict(RECIPE | (changed or {}))
        rng = np.random.default_rng(settings.seed)
        images, labels = self._mix(samples, rehearsal, rng)
        copy = Sequential.from_spec(model.spec())
        copy.set_parameters(model.parameters())
        n_frozen = next(i for i, layer in enumerate(copy.layers) if isinstance(layer, Dense))
        shape = copy.output_shapes[n_frozen - 1] if n_frozen else copy.input_shape
        self._images, self._frozen = images, copy.layers[:n_frozen]
        super().__init__(settings, (np.empty((len(images), *shape), np.float32), labels), None, copy, facts)
        self.trained = Sequential(copy.layers[n_frozen:], shape)

    @staticmethod
    def _mix(samples: Part, rehearsal: Part, rng: np.random.Generator) -> Part:
        """The samples, deformed copies of them, and as much of the stored set as there is time for."""
        images, labels = as_float(samples[0]), samples[1]
        copies = np.resize(np.arange(len(images)), max(COPIES, len(images)))
        chosen = rng.permutation(len(rehearsal[0]))[:REHEARSED]
        return (np.concatenate((images, augment(images[copies], rng), as_float(rehearsal[0][chosen]))),
                np.concatenate((labels, labels[copies], rehearsal[1][chosen])))

    def _slices(self) -> Iterator[None]:
        at_once = 3 * images_at_once(self.model)  # only forwards
        for begin in range(0, len(self._images), at_once):
            x = self._images[begin:begin + at_once].reshape(-1, *self.model.input_shape)
            for layer in self._frozen:
                x = layer.forward(x)
            self.data[0][begin:begin + at_once] = x
            yield
        yield from super()._slices()
