"""A network is a list of layers, and a spec, plain JSON, that says which.

`architecture` knows the shipped ones by name and any dense one by its sizes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np

from .layers import LAYERS, Layer
from .views import VIEWS, views

VIEWED = 16  # doubtful images at a time: each goes through the network as often as it has views


class Sequential:
    """Layers in a row: the output of each is the input of the next.

    layers: in order.   input_shape: of one example, (784,) or (1, 28, 28); batches are reshaped to it.
    output_shapes: of one example after each layer.
    temperature: logits are divided by it before the softmax, so that 90 % sure means right in nine cases of ten (Guo et al. 2017).
    threshold: the probability below which the best guess is no answer; 0 accepts everything.
    second_look: an image whose best two logits lie closer together than this is looked at from aside, too (`views`); 0 never does.
    Raises ValueError if a layer can't take what the one before gives.
    """

    def __init__(self, layers: list[Layer], input_shape: tuple[int, ...], *, temperature: float = 1.0, threshold: float = 0.0,
                 second_look: float = 0.0):
        self.layers = layers
        self.input_shape = shape = tuple(input_shape)
        self.second_look = second_look
        if not shape or not all(type(size) is int and size > 0 for size in shape):
            raise ValueError(f"input_shape is {input_shape!r}; it must be whole numbers above 0")
        self.output_shapes = []
        for i, layer in enumerate(layers):
            try:
                self.output_shapes.append(layer.output_shape(shape))
            except ValueError as error:
                raise ValueError(f"layer {i}, {type(layer).__name__}, can't take {shape}: {error}") from error
            shape = self.output_shapes[-1]
            if min(shape) < 1:
                raise ValueError(f"layer {i}, {type(layer).__name__}, leaves nothing: {shape}")
        self.layers[0].needs_input_grad = False  # nobody asks what the pixels should have been
        self.calibrate(temperature, threshold, second_look)

    def calibrate(self, temperature: float, threshold: float, second_look: float | None = None) -> None:
        """Sets them; second_look None stays as it is.

        Raises ValueError unless temperature lies in (0, 100], threshold in [0, 1] and second_look in [0, 100], and is 0 of a network that
        does not turn 784 pixels into ten numbers.
        """
        second_look = self.second_look if second_look is None else second_look
        if not all(isinstance(value, (int, float)) for value in (temperature, threshold, second_look)) or not (
                0 < temperature <= 100 and 0 <= threshold <= 1 and 0 <= second_look <= 100):
            raise ValueError(f"temperature {temperature!r} must lie in (0, 100], threshold {threshold!r} in [0, 1], second_look {second_look!r} in [0, 100]")
        if second_look and (math.prod(self.input_shape) != 784 or self.output_shapes[-1] != (10,)):
            raise ValueError(f"second_look is {second_look:g}; only a network that turns 784 pixels into ten numbers can look twice")
        self.temperature, self.threshold, self.second_look = float(temperature), float(threshold), float(second_look)

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """A batch of examples, each of input_shape or as an image -> logits (N, 10). rng: while training only."""
        x = x.reshape(len(x), *self.input_shape)
        for layer in self.layers:
            x = layer.forward(x, rng)
        return x

    def backward(self, dlogits: np.ndarray) -> None:
        """d loss / d logits (N, 10) of the last `forward` -> the gradients of all parameters, left in the layers."""
        for layer in reversed(self.layers):
            dlogits = layer.backward(dlogits)

    def params_and_grads(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The pairs of all layers, in a fixed order, after a `backward`."""
        return [pair for layer in self.layers for pair in layer.params_and_grads()]

    def predict_logits(self, images: np.ndarray, batch_size: int = 256, *, once: bool = False) -> np.ndarray:
        """images (N, 28, 28) or (N, *input_shape), any N -> logits (N, 10), in batches that fit into the caches.

        Of an image that gets a second look they are the mean over it and its views; once: none gets one.
        """
        read = self.forward if once or not self.second_look else self._look
        batches = [read(images[i:i + batch_size]) for i in range(0, len(images), batch_size)]
        return np.concatenate(batches) if batches else np.empty((0, 10), np.float32)

    def _look(self, images: np.ndarray) -> np.ndarray:
        """The logits of a batch, of which some images get a second look."""
        logits = self.forward(images)
        second, best = np.partition(logits, -2, axis=1)[:, -2:].T
        doubtful = np.flatnonzero(best - second < self.second_look)
        for begin in range(0, len(doubtful), VIEWED):
            some = doubtful[begin:begin + VIEWED]
            seen = self.forward(views(images[some])).reshape(-1, len(VIEWS), 10)
            logits[some] = (logits[some] + seen.sum(axis=1)) / np.float32(1 + len(VIEWS))
        return logits

    def _named(self) -> Iterator[tuple[str, Layer, str]]:
        for i, layer in enumerate(self.layers):
            for name in layer.shapes:
                yield f"{i}.{name}", layer, name

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """'<layer index>.<parameter>' -> shape, as in a weights file."""
        return {key: layer.shapes[name] for key, layer, name in self._named()}

    def parameters(self) -> dict[str, np.ndarray]:
        """'<layer index>.<parameter>' -> the live array. Changing it changes the network."""
        return {key: layer.params[name] for key, layer, name in self._named()}

    def set_parameters(self, arrays: dict[str, np.ndarray]) -> None:
        """Copies in one array for each name in `shapes`, as float32. Raises ValueError if a name or shape does not fit."""
        shapes = self.shapes()
        if arrays.keys() != shapes.keys():
            raise ValueError(f"parameters are {sorted(arrays)}; the model needs {sorted(shapes)}")
        for key, shape in shapes.items():
            if arrays[key].shape != shape:
                raise ValueError(f"'{key}' is {arrays[key].shape}; the model needs {shape}")
        for key, layer, name in self._named():
            layer.params[name] = np.array(arrays[key], np.float32)

    @property
    def n_parameters(self) -> int:
        """How many numbers training can change."""
        return sum(int(np.prod(shape)) for shape in self.shapes().values())

    def spec(self) -> dict:
        """The network without its weights as JSON-ready data.

        {"input_shape": [...], "layers": [{"type": "Dense", ...}, ...]}, and of a calibrated one "temperature", "threshold" and,
        if it looks twice, "second_look".
        """
        spec = {"input_shape": list(self.input_shape), "layers": [{"type": type(layer).__name__, **layer.config} for layer in self.layers]}
        if (self.temperature, self.threshold) != (1.0, 0.0):
            spec |= {"temperature": self.temperature, "threshold": self.threshold}
        if self.second_look:
            spec["second_look"] = self.second_look
        return spec

    @classmethod
    def from_spec(cls, spec: dict, rng: np.random.Generator | None = None) -> Sequential:
        """The network that `spec` describes; rng draws its weights, without it they have to be set.

        Raises ValueError if the spec names an unknown layer or option.
        """
        try:
            layers = [cls._layer(dict(entry), rng) for entry in spec["layers"]]
            return cls(layers, spec["input_shape"], temperature=spec.get("temperature", 1.0), threshold=spec.get("threshold", 0.0),
                       second_look=spec.get("second_look", 0.0))
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"not a model spec: {error}") from error

    @staticmethod
    def _layer(config: dict, rng: np.random.Generator | None) -> Layer:
        kind = config.pop("type")
        if kind not in LAYERS:
            raise ValueError(f"layer type {kind!r} is unknown; there are {', '.join(LAYERS)}")
        return LAYERS[kind](**config, **({"rng": rng} if kind in ("Dense", "Conv2D") else {}))


def architecture(name: str, dropout: float = 0.0) -> dict:
    """The spec of a network by name: "convnet", "mlp-256-128", or any of one's own sizes.

    "784-300-10" is a dense one; "convnet-8-16-64" has 8 and 16 filters of 5 x 5, a pooling after each, and dense layers, any number of
    them, of 64; "convnet" is "convnet-16-32-224".   dropout: rate before every Dense layer but an MLP's first.
    Raises ValueError if there is no such network.
    """
    if convolutions := re.fullmatch(r"convnet(?:-[1-9]\d{0,2}){2}(?:-[1-9]\d{0,3})*", "convnet-16-32-224" if name == "convnet" else name):
        first, second, *hidden = map(int, convolutions[0].split("-")[1:])
        layers = [
            {"type": "Conv2D", "channels_in": 1, "channels_out": first, "kernel_size": 5}, {"type": "ReLU"}, {"type": "MaxPool2D"},
            {"type": "Conv2D", "channels_in": first, "channels_out": second, "kernel_size": 5}, {"type": "ReLU"}, {"type": "MaxPool2D"},
            {"type": "Flatten"}, *_dense([16 * second, *hidden, 10]),
        ]
        return {"input_shape": [1, 28, 28], "layers": _with_dropout(layers, dropout)}
    sizes = re.fullmatch(r"mlp((?:-[1-9]\d{0,3})+)", name) or re.fullmatch(r"784((?:-[1-9]\d{0,3})*)-10", name)
    if not sizes:
        raise ValueError(f"architecture {name!r} is unknown; there are convnet, mlp-256-128, mlp-128-64, or sizes such as 784-300-10 "
                         "and convnet-8-16-64")
    hidden = [int(size) for size in sizes[1].split("-")[1:]]
    return {"input_shape": [784], "layers": _with_dropout(_dense([784, *hidden, 10]), dropout)}


def _dense(sizes: list[int]) -> list[dict]:
    """Dense layers of the given sizes with a ReLU between each two."""
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [{"type": "Dense", "n_in": n_in, "n_out": n_out}, {"type": "ReLU"}]
    return layers[:-1]


def _with_dropout(layers: list[dict], rate: float) -> list[dict]:
    if not rate:
        return layers
    return [new for i, layer in enumerate(layers)
            for new in ([{"type": "Dropout", "rate": rate}, layer] if i and layer["type"] == "Dense" else [layer])]
