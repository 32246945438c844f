"""What network a set of tensors belongs to. Names and shapes tell the layers with parameters; the rest is assumed, and said.

Between layers there is a ReLU; convolutions have stride 1. Padding and pooling are those with which the last picture has as many
pixels as the first Linear takes: the most regular way that fits, none if there are several.
"""

from __future__ import annotations

import itertools

from inkling.model import architecture

from . import ExchangeError
from .names import Block

PIXELS, SIDE = 784, 28
MOST_CONVOLUTIONS = 5  # 4 ways each
POOL = 2


def infer_spec(found: list[Block], file: str) -> tuple[dict, str]:
    """(spec, what was assumed). Raises ExchangeError that names the tensor which fits nowhere."""
    convolutions = [block for block in found if block.weight.ndim == 4]
    dense = found[len(convolutions):]
    if not dense or any(block.weight.ndim == 4 for block in dense):
        raise ExchangeError(f"{file}: has {len(found)} layers with weights, of which the last {'is a Conv2d' if found else 'is missing'}; "
                            "Conv2d come first and at least one Linear last")
    if not convolutions:
        sizes = _sizes(dense, PIXELS, file)
        return architecture("-".join(map(str, sizes))), "assumed: ReLU between the layers, the image's 784 pixels row by row"
    _check_channels(convolutions, file)
    way = _way_to(convolutions, dense[0], file)
    layers = []
    for block, (padding, pooled) in zip(convolutions, way):
        n_filters, channels, kernel_size, _ = block.weight.shape
        layers += [{"type": "Conv2D", "channels_in": channels, "channels_out": n_filters, "kernel_size": kernel_size, "padding": padding}, {"type": "ReLU"}]
        layers += [{"type": "MaxPool2D", "pool_size": POOL}] if pooled else []
    sizes = _sizes(dense, dense[0].weight.shape[1], file)
    layers.append({"type": "Flatten"})
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [{"type": "Dense", "n_in": n_in, "n_out": n_out}, {"type": "ReLU"}]
    told = ", ".join(f"'{block.name}' with padding {padding} {'then' if pooled else 'without'} MaxPool2d({POOL})"
                     for block, (padding, pooled) in zip(convolutions, way))
    return {"input_shape": [1, SIDE, SIDE], "layers": layers[:-1]}, f"assumed: ReLU between the layers, stride 1, {told}. Otherwise: --arch FILE"


def _sizes(dense: list[Block], n_in: int, file: str) -> list[int]:
    """The sizes of a row of Linear layers, the first of which has n_in inputs and the last ten outputs."""
    sizes = [n_in]
    for block in dense:
        n_out, n_in = block.weight.shape
        if n_in != sizes[-1]:
            raise ExchangeError(f"{file}: '{block.tensor}' is {block.weight.shape}; after {sizes[-1]} numbers it must be ({n_out}, {sizes[-1]}). "
                                "If the layers have another order, state it with --arch")
        sizes.append(n_out)
    if sizes[-1] != 10:
        raise ExchangeError(f"{file}: '{dense[-1].tensor}' is {dense[-1].weight.shape}; the last layer must be (10, {sizes[-2]}), a number for each digit")
    if len(sizes) > 20 or max(sizes) > 9999:
        raise ExchangeError(f"{file}: has {len(dense)} Linear layers of up to {max(sizes)} numbers; at most 19 of 9,999 are read")
    return sizes


def _check_channels(convolutions: list[Block], file: str) -> None:
    channels = 1
    for block in convolutions:
        n_filters, channels_in, height, width = block.weight.shape
        if channels_in != channels or height != width:
            raise ExchangeError(f"{file}: '{block.tensor}' is {block.weight.shape}; after {channels} channels it must be ({n_filters}, {channels}, k, k)")
        channels = n_filters


def _way_to(convolutions: list[Block], first: Block, file: str) -> list[tuple[int, bool]]:
    """(padding, whether a pool follows) of each convolution, so that the picture flattens to what the first Linear takes."""
    n, n_filters, n_in = len(convolutions), convolutions[-1].weight.shape[0], first.weight.shape[1]
    kernels = [block.weight.shape[2] for block in convolutions]
    if n > MOST_CONVOLUTIONS:
        raise ExchangeError(f"{file}: has {n} Conv2d; how {MOST_CONVOLUTIONS + 1} or more are padded and pooled must be stated with --arch")
    regular, others = [], []
    for padded, pooled in itertools.product(itertools.product((False, True), repeat=n), repeat=2):
        way = [(k // 2 if pad else 0, pool) for k, pad, pool in zip(kernels, padded, pooled)]
        if _side(kernels, way) ** 2 * n_filters == n_in:
            uniform = len(set(padded)) == 1 and (len(set(pooled)) == 1 or not any(pooled[:-1]))
            (regular if uniform else others).append(way)
    ways = _different(regular) or _different(others)
    if len(ways) != 1:
        raise ExchangeError(f"{file}: '{first.tensor}' is {first.weight.shape}; {len(ways) or 'no'} ways to pad and pool the {n} Conv2d before it lead to "
                            f"{n_in} numbers. State the layers with --arch")
    return ways[0]


def _different(ways: list[list[tuple[int, bool]]]) -> list[list[tuple[int, bool]]]:
    """Without those that say the same: a 1 x 1 kernel has no padding either way."""
    return [way for i, way in enumerate(ways) if way not in ways[:i]]


def _side(kernels: list[int], way: list[tuple[int, bool]]) -> int:
    """Of the picture after all convolutions; 0 if nothing is left."""
    side = SIDE
    for k, (padding, pooled) in zip(kernels, way):
        side = max(side + 2 * padding - k + 1, 0) // (POOL if pooled else 1)
    return side
