"""Our parameters under PyTorch's names and in its layouts, and back.

A layer "3" has "3.weight" and "3.bias", just as in the state_dict of a `torch.nn.Sequential` of the same layers. A Linear's weight
is (n_out, n_in), ours (n_in, n_out); a Conv2d's is (F, C, k, k) on both sides, and so is the order in which pictures are flattened.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from inkling.layers import Dense
from inkling.model import Sequential

from . import ExchangeError

MAX_PARAMETERS = 16 * 2**20  # numbers; the largest shipped model has 0.24 million
NAME = re.compile(r"(?:(?P<layer>.*)\.)?(?P<kind>weight|bias)")


class Block(NamedTuple):
    """The parameters of one layer as PyTorch keeps them. bias is None where the layer has none."""

    name: str
    weight: np.ndarray
    bias: np.ndarray | None

    @property
    def tensor(self) -> str:
        """The weight's name, for errors."""
        return f"{self.name}.weight" if self.name else "weight"


def to_torch(model: Sequential) -> dict[str, np.ndarray]:
    """"<layer>.weight" and "<layer>.bias" -> float32 arrays in PyTorch's layouts, contiguous."""
    tensors = {}
    for i, layer in enumerate(model.layers):
        if layer.params:
            weight = layer.params["W"]
            tensors[f"{i}.weight"] = np.ascontiguousarray(weight.T if isinstance(layer, Dense) else weight)
            tensors[f"{i}.bias"] = layer.params["b"].copy()
    return tensors


def blocks(tensors: dict[str, np.ndarray], file: str) -> list[Block]:
    """The layers that have parameters, in the order in which the file lists them.

    Raises ExchangeError, naming the tensor, on one that is no weight or bias of a Linear or Conv2d, and if there are too many numbers.
    """
    n = sum(array.size for array in tensors.values())
    if n > MAX_PARAMETERS:
        raise ExchangeError(f"{file}: its tensors stand for {n:,} numbers; at most {MAX_PARAMETERS:,} are read")
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, array in tensors.items():
        match = NAME.fullmatch(name)
        if not match:
            raise ExchangeError(f"{file}: '{name}' is no weight or bias; networks here are made of Linear, Conv2d, MaxPool2d, ReLU and Flatten")
        if array.dtype.kind != "f":
            raise ExchangeError(f"{file}: '{name}' is {array.dtype}; it must hold floating-point numbers")
        if not np.isfinite(array).all():
            raise ExchangeError(f"{file}: '{name}' has values that are not finite numbers")
        layers.setdefault(match["layer"] or "", {})[match["kind"]] = array
    return [_block(name, found, file) for name, found in layers.items()]


def _block(name: str, found: dict[str, np.ndarray], file: str) -> Block:
    weight, bias = found.get("weight"), found.get("bias")
    if weight is None:
        raise ExchangeError(f"{file}: '{name}.bias' has no '{name}.weight' beside it")
    block = Block(name, weight, bias)
    if weight.ndim not in (2, 4) or not weight.size:
        raise ExchangeError(f"{file}: '{block.tensor}' is {weight.shape}; a Linear's has two axes, a Conv2d's four, and other layers are not known here")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ExchangeError(f"{file}: '{name}.bias' is {bias.shape}; '{block.tensor}', {weight.shape}, needs {weight.shape[:1]}")
    return block


def build(spec: dict, found: list[Block], file: str) -> Sequential:
    """The network of this spec with these parameters; a layer without bias gets one of zeros, which is the same.

    Each layer takes the first block, in the file's order, of its shape. Raises ExchangeError that names the tensor, the shape found
    and the one expected.
    """
    try:
        model = Sequential.from_spec(spec)
    except ValueError as error:
        raise ExchangeError(f"{file}: {error}") from error
    left, parameters = list(found), {}
    for i, layer in enumerate(model.layers):
        if not layer.shapes:
            continue
        ours = layer.shapes["W"]
        shape = ours[::-1] if isinstance(layer, Dense) else ours
        if not left:
            raise ExchangeError(f"{file}: layer {i}, {type(layer).__name__}, needs a weight {shape}; the file has no more. State the layers with --arch")
        block = next((block for block in left if block.weight.shape == shape), None)
        if block is None:
            raise ExchangeError(f"{file}: '{left[0].tensor}' is {left[0].weight.shape}; layer {i}, {type(layer).__name__}, needs {shape}. "
                                "State the layers with --arch")
        left = [other for other in left if other is not block]
        parameters[f"{i}.W"] = block.weight.T if isinstance(layer, Dense) else block.weight
        parameters[f"{i}.b"] = np.zeros(layer.shapes["b"], np.float32) if block.bias is None else block.bias
    if left:
        raise ExchangeError(f"{file}: '{left[0].tensor}', {left[0].weight.shape}, belongs to no layer of the network. State the layers with --arch")
    model.set_parameters(parameters)
    return model


def fold_normalization(model: Sequential, mean: float, std: float, file: str) -> None:
    """Changes the first layer so that it takes images in 0..1 as it took (image - mean) / std: W / std, and b - mean / std * sum of W.

    Raises ExchangeError if that layer pads: zeros beside the picture would then stand for another grey.
    """
    layer = next((layer for layer in model.layers if layer.params), None)
    if layer is None or layer.config.get("padding"):
        raise ExchangeError(f"{file}: its first layer pads the picture, so that --normalized can't be folded into it. Train without Normalize")
    scaled = layer.params["W"].astype(np.float64) / std
    axes = 0 if isinstance(layer, Dense) else (1, 2, 3)
    layer.params["b"] = (layer.params["b"] - mean * scaled.sum(axis=axes)).astype(np.float32)
    layer.params["W"] = scaled.astype(np.float32)
