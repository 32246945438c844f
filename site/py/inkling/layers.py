"""The layers: each knows how to go forward, and how to hand the gradient of the loss back.

x (N, D) or (N, C, H, W) goes in, out comes out; `backward` takes d loss / d out and returns d loss / d x,
leaving the gradients of its own parameters in `grads`. No layer knows of losses or optimisers.
"""

from __future__ import annotations

import sys

import numpy as np

from .initializers import INITIALIZERS

# NumPy in the browser is built without BLAS: there einsum beats `@` 2x for batches and 6x for one row. It is fastest where both
# operands lie in memory along the axis that is summed over; that is worth a copy if enough rows and long enough sums share it.
HAS_BLAS = sys.platform != "emscripten"
MANY_ROWS, LONG_SUM = 12, 40


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix product (I, J) x (J, K) -> (I, K), by the fastest way on this platform."""
    if HAS_BLAS:
        return a @ b
    if len(a) >= MANY_ROWS and a.shape[1] >= LONG_SUM and a.strides[1] == a.itemsize:
        return np.einsum("ij,kj->ik", a, np.ascontiguousarray(b.T))
    return np.einsum("ij,jk->ik", a, b)


class Layer:
    """What all layers share. A layer without parameters needs nothing but `forward` and `backward`.

    shapes: name -> shape of each parameter, known from the start.
    params, grads: name -> array; `params` is empty until drawn (rng) or loaded, `grads` until `backward`.
    needs_input_grad: False for a network's first layer, which then need not compute d loss / d x.
    """

    def __init__(self, **config):
        self.config = config
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.needs_input_grad = True

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of one example of x -> that of out. Raises ValueError if the layer can't take it."""
        return shape

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """x -> out. rng is given while training only, for layers that draw."""
        raise NotImplementedError

    def backward(self, dout: np.ndarray) -> np.ndarray | None:
        """d loss / d out -> d loss / d x, for the x of the last `forward`."""
        raise NotImplementedError

    def params_and_grads(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Parameter and gradient side by side: all that an optimiser gets to see."""
        return [(self.params[name], self.grads[name]) for name in self.params]

    @staticmethod
    def _check_sizes(**sizes: int) -> None:
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"{name} is {size!r}; it must be a whole number above 0")

    def _set_up(self, fan_in: int, fan_out: int, initializer: str, rng: np.random.Generator | None) -> None:
        if initializer not in INITIALIZERS:
            raise ValueError(f"initializer {initializer!r} is unknown; there are {', '.join(INITIALIZERS)}")
        if rng is not None:
            self.params = {
                "W": INITIALIZERS[initializer](self.shapes["W"], fan_in, fan_out, rng),
                "b": np.zeros(self.shapes["b"], np.float32),
            }


class Dense(Layer):
    """Every input to every output: out = x W + b.

    n_in, n_out: sizes.   W (n_in, n_out), b (n_out,).
    rng: draws the weights; without it they have to be loaded before use.
    """

    def __init__(self, n_in: int, n_out: int, *, initializer: str = "he", rng: np.random.Generator | None = None):
        self._check_sizes(n_in=n_in, n_out=n_out)
        super().__init__(n_in=n_in, n_out=n_out, initializer=initializer)
        self.shapes = {"W": (n_in, n_out), "b": (n_out,)}
        self._set_up(n_in, n_out, initializer, rng)

    def output_shape(self, shape):
        if shape != self.shapes["W"][:1]:
            raise ValueError(f"it needs {self.shapes['W'][:1]}")
        return self.shapes["b"]

    def forward(self, x, rng=None):
        self._x = x
        out = matmul(x, self.params["W"])
        out += self.params["b"]
        return out

    def backward(self, dout):
        # out = x W + b, so dW = x^T dout, db = sum of dout over the batch, dx = dout W^T.
        self.grads["W"] = matmul(self._x.T, dout)
        self.grads["b"] = dout.sum(axis=0)
        return matmul(dout, self.params["W"].T) if self.needs_input_grad else None


class Conv2D(Layer):
    """One small filter slid over the whole picture, written as a matrix product (im2col).

    x (N, C, H, W) -> out (N, F, H', W') with H' = (H + 2 padding - k) // stride + 1; W (F, C, k, k), b (F,).

    Shapes are PyTorch's, but in memory the batch runs fastest: copying a window is then copying long
    contiguous rows, and the whole batch is a single product of (F, C k k) with (C k k, H' W' N).
    Source: Chellapilla et al. 2006, "High performance convolutional neural networks".
    """

    def __init__(self, channels_in: int, channels_out: int, kernel_size: int, *, stride: int = 1, padding: int = 0,
                 initializer: str = "he", rng: np.random.Generator | None = None):
        self._check_sizes(channels_in=channels_in, channels_out=channels_out, kernel_size=kernel_size, stride=stride)
        if type(padding) is not int or not 0 <= padding < kernel_size:
            raise ValueError(f"padding is {padding!r}; it must be a whole number from 0 to kernel_size - 1")
        super().__init__(channels_in=channels_in, channels_out=channels_out, kernel_size=kernel_size,
                         stride=stride, padding=padding, initializer=initializer)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.shapes = {"W": (channels_out, channels_in, kernel_size, kernel_size), "b": (channels_out,)}
        area = kernel_size * kernel_size
        self._set_up(channels_in * area, channels_out * area, initializer, rng)

    def output_shape(self, shape):
        n_filters, channels_in, k, _ = self.shapes["W"]
        channels, height, width = shape
        if channels != channels_in:
            raise ValueError(f"it needs {channels_in} channels")
        return n_filters, *((side + 2 * self.padding - k) // self.stride + 1 for side in (height, width))

    def forward(self, x, rng=None):
        k, s, p = self.kernel_size, self.stride, self.padding
        x = x.transpose(1, 2, 3, 0)  # (C, H, W, N)
        x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0))) if p else np.ascontiguousarray(x)
        self._x_shape = x.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::s, ::s]
        channels, height, width, n = windows.shape[:4]
        self._columns = windows.transpose(0, 4, 5, 1, 2, 3).reshape(channels * k * k, height * width * n)
        filters = self.params["W"]
        out = matmul(filters.reshape(len(filters), -1), self._columns)
        out += self.params["b"][:, None]
        return out.reshape(len(filters), height, width, n).transpose(3, 0, 1, 2)

    def backward(self, dout):
        # With columns X and filters W as matrices out = W X + b, so dW = dout X^T, dX = W^T dout;
        # dx then adds up, for every pixel, all the windows in which it was seen (col2im).
        k, s, p = self.kernel_size, self.stride, self.padding
        filters = self.params["W"]
        n, n_filters, height, width = dout.shape
        dout = dout.transpose(1, 2, 3, 0).reshape(n_filters, -1)
        self.grads["W"] = matmul(dout, self._columns.T).reshape(filters.shape)
        self.grads["b"] = dout.sum(axis=1)
        if not self.needs_input_grad:
            return None
        dcolumns = matmul(filters.reshape(n_filters, -1).T, dout).reshape(-1, k, k, height, width, n)
        dx = np.zeros(self._x_shape, dout.dtype)
        for i in range(k):
            for j in range(k):
                dx[:, i:i + s * height:s, j:j + s * width:s] += dcolumns[:, i, j]
        return dx[:, p:dx.shape[1] - p, p:dx.shape[2] - p].transpose(3, 0, 1, 2)


class MaxPool2D(Layer):
    """The largest value of each pool_size x pool_size square: x (N, C, H, W) -> (N, C, H / size, W / size).

    Rows and columns that do not fill a square are dropped. If values tie, the first one, in reading order, gets the gradient.
    """

    def __init__(self, pool_size: int = 2):
        self._check_sizes(pool_size=pool_size)
        super().__init__(pool_size=pool_size)
        self.pool_size = pool_size

    def output_shape(self, shape):
        channels, height, width = shape
        return channels, height // self.pool_size, width // self.pool_size

    def _corners(self, x: np.ndarray) -> list[np.ndarray]:
        """Views of x, one for each place in a square: all top left pixels, all their right neighbours, ..."""
        size = self.pool_size
        height, width = x.shape[2] // size * size, x.shape[3] // size * size
        return [x[:, :, i:height:size, j:width:size] for i in range(size) for j in range(size)]

    def forward(self, x, rng=None):
        first, *others = self._corners(x)
        out = first.copy(order="K")
        for corner in others:
            np.maximum(out, corner, out=out)
        self._x, self._out = x, out
        return out

    def backward(self, dout):
        dx = np.zeros_like(self._x)
        unclaimed = np.ones_like(self._out, dtype=bool)
        for corner, dcorner in zip(self._corners(self._x), self._corners(dx)):
            winner = (corner == self._out) & unclaimed
            np.multiply(dout, winner, out=dcorner)
            unclaimed ^= winner
        return dx


class ReLU(Layer):
    """max(x, 0), elementwise. Source: Nair and Hinton 2010."""

    def forward(self, x, rng=None):
        self._out = np.maximum(x, 0)
        return self._out

    def backward(self, dout):
        # The slope is 1 where x was positive and 0 elsewhere.
        return dout * (self._out > 0)


class Flatten(Layer):
    """(N, C, H, W) -> (N, C H W)."""

    def output_shape(self, shape):
        return (int(np.prod(shape)),)

    def forward(self, x, rng=None):
        self._x_shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self._x_shape)


class Dropout(Layer):
    """While training, silences each input with probability `rate` and scales up the rest; else does nothing.

    Scaling by 1 / (1 - rate) while training keeps the expected value, so predicting needs no change.
    Source: Srivastava et al. 2014 ("inverted" variant).
    """

    def __init__(self, rate: float):
        super().__init__(rate=rate)
        if not 0 <= rate < 1:
            raise ValueError(f"dropout rate is {rate}; it must lie in [0, 1)")
        self.rate = rate

    def forward(self, x, rng=None):
        self._mask = None
        if rng is None or self.rate == 0:
            return x
        kept = rng.random(x.shape, dtype=np.float32) >= self.rate
        self._mask = kept.astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * self._mask

    def backward(self, dout):
        return dout if self._mask is None else dout * self._mask


LAYERS = {layer.__name__: layer for layer in (Dense, Conv2D, MaxPool2D, ReLU, Flatten, Dropout)}
