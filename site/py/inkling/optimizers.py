"""Optimisers, simplest first: each turns gradients into a step downhill.

An optimiser sees (param, grad) pairs, never layers, and changes each param in place. What it remembers
between steps is one array per parameter and name, in `memory`. Defaults are PyTorch's.
Below them the learning-rate schedules: functions from a step to a learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Pairs = list[tuple[np.ndarray, np.ndarray]]


class SGD:
    """param -= learning_rate * grad. Source: Robbins and Monro 1951."""

    remembers: tuple[str, ...] = ()

    def __init__(self, learning_rate: float = 0.01):
        self.learning_rate = learning_rate
        self.n_steps = 0
        self.memory: list[dict[str, np.ndarray]] = []

    def step(self, pairs: Pairs) -> None:
        """Moves every parameter once. pairs: (param, grad) of equal shapes, in the same order at each call."""
        if not self.memory:
            self.memory = [{name: np.zeros_like(param) for name in self.remembers} for param, _ in pairs]
        self.n_steps += 1
        for (param, grad), memory in zip(pairs, self.memory, strict=True):
            self._update(param, grad, **memory)

    def _update(self, param: np.ndarray, grad: np.ndarray, **memory: np.ndarray) -> None:
        param -= self.learning_rate * grad

    def state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on later, as arrays: the number of steps and the memory."""
        state = {f"{i}.{name}": array for i, memory in enumerate(self.memory) for name, array in memory.items()}
        return {"n_steps": np.array(self.n_steps), **state}

    def load_state(self, state: dict[str, np.ndarray], pairs: Pairs) -> None:
        """Takes back what `state` gave. pairs: as for `step`, to check the shapes against."""
        self.n_steps = int(state["n_steps"])
        # Before its first step an optimiser remembers nothing.
        self.memory = [{name: state[f"{i}.{name}"].copy() for name in self.remembers} for i in range(len(pairs))] if self.n_steps else []
        for i, (memory, (param, _)) in enumerate(zip(self.memory, pairs)):
            for name, array in memory.items():
                if array.shape != param.shape:
                    raise ValueError(f"optimiser state '{i}.{name}' is {array.shape}; the parameter is {param.shape}")


class Momentum(SGD):
    """A ball that rolls: the velocity adds up past gradients and fades by `momentum` a step.

    velocity = momentum * velocity + grad;  param -= learning_rate * velocity. Source: Polyak 1964.
    """

    remembers = ("velocity",)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9):
        super().__init__(learning_rate)
        self.momentum = momentum

    def _update(self, param, grad, velocity):
        velocity *= self.momentum
        velocity += grad
        param -= self.learning_rate * velocity


class Nesterov(Momentum):
    """Momentum that looks ahead: steps along grad + momentum * velocity.

    Source: Nesterov 1983, in the form of Sutskever et al. 2013 as PyTorch has it (velocity not scaled by the learning rate).
    """

    def _update(self, param, grad, velocity):
        velocity *= self.momentum
        velocity += grad
        param -= self.learning_rate * (grad + self.momentum * velocity)


class Adagrad(SGD):
    """Each weight has its own pace: smaller the more gradient it has ever seen.

    Epsilon is added outside the root. Source: Duchi et al. 2011.
    """

    remembers = ("sum_of_squares",)

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-10):
        super().__init__(learning_rate)
        self.epsilon = epsilon

    def _update(self, param, grad, sum_of_squares):
        sum_of_squares += grad * grad
        param -= self.learning_rate * grad / (np.sqrt(sum_of_squares) + self.epsilon)


class RMSprop(SGD):
    """Adagrad that forgets: divides by the root of a running mean of squared gradients.

    Epsilon is added outside the root. Source: Tieleman and Hinton 2012, lecture 6.5.
    """

    remembers = ("mean_square",)

    def __init__(self, learning_rate: float = 0.01, decay: float = 0.99, epsilon: float = 1e-8):
        super().__init__(learning_rate)
        self.decay, self.epsilon = decay, epsilon

    def _update(self, param, grad, mean_square):
        mean_square *= self.decay
        mean_square += (1 - self.decay) * (grad * grad)
        param -= self.learning_rate * grad / (np.sqrt(mean_square) + self.epsilon)


class Adam(SGD):
    """Momentum and RMSprop together, both corrected for having started at zero.

    param -= learning_rate * mean' / (sqrt(mean_square') + epsilon), with x' = x / (1 - beta ** n_steps); epsilon outside the root.
    Source: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1.
    """

    remembers = ("mean", "mean_square")

    def __init__(self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8):
        super().__init__(learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _update(self, param, grad, mean, mean_square):
        mean *= self.beta1
        mean += (1 - self.beta1) * grad
        mean_square *= self.beta2
        mean_square += (1 - self.beta2) * (grad * grad)
        # The corrections are two numbers, so they go into the step size and the root: one pass less over the arrays.
        correction1, correction2 = 1 - self.beta1**self.n_steps, 1 - self.beta2**self.n_steps
        denominator = np.sqrt(mean_square)
        denominator *= correction2**-0.5
        denominator += self.epsilon
        np.divide(mean, denominator, out=denominator)
        denominator *= self.learning_rate / correction1
        param -= denominator


class AdamW(Adam):
    """Adam, with weight decay applied to the weights themselves and not through the gradient.

    param *= 1 - learning_rate * weight_decay, then Adam's step. Decays every parameter, biases too, as PyTorch does.
    Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2.
    """

    def __init__(self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
                 weight_decay: float = 0.01):
        super().__init__(learning_rate, beta1, beta2, epsilon)
        self.weight_decay = weight_decay

    def _update(self, param, grad, mean, mean_square):
        param *= 1 - self.learning_rate * self.weight_decay
        super()._update(param, grad, mean, mean_square)


OPTIMIZERS: dict[str, type[SGD]] = {
    "sgd": SGD, "momentum": Momentum, "nesterov": Nesterov, "adagrad": Adagrad, "rmsprop": RMSprop, "adam": Adam, "adamw": AdamW,
}


def add_l2(pairs: Pairs, l2: float) -> None:
    """Adds the gradient of the penalty l2 / 2 * sum of squares to every gradient of a weight (not of a bias: ndim 1)."""
    for param, grad in pairs:
        if param.ndim > 1:
            grad += l2 * param


def clip_gradients(pairs: Pairs, max_norm: float) -> float:
    """Scales all gradients down together if their joint Euclidean norm exceeds max_norm. Returns the norm before.

    Source: Pascanu et al. 2013, algorithm 1.
    """
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for _, grad in pairs))
    if norm > max_norm:
        for _, grad in pairs:
            grad *= max_norm / norm
    return norm


Schedule = Callable[[int], float]


def constant(peak: float, total_steps: int) -> Schedule:
    """The same learning rate throughout."""
    return lambda step: peak


def step_decay(peak: float, total_steps: int, n_drops: int = 3, factor: float = 0.3) -> Schedule:
    """`factor` times less after each of n_drops + 1 equal stretches."""
    return lambda step: peak * factor ** (step * (n_drops + 1) // total_steps)


def cosine(peak: float, total_steps: int) -> Schedule:
    """From peak to zero along half a cosine. Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5."""
    return lambda step: peak * 0.5 * (1 + math.cos(math.pi * min(step / total_steps, 1)))


def one_cycle(peak: float, total_steps: int, warmup: float = 0.15, start_factor: float = 25, end_factor: float = 1e4) -> Schedule:
    """Up to peak along a cosine during the first `warmup` share of the steps, then down to almost nothing.

    Starts at peak / start_factor, ends at peak / start_factor / end_factor.
    Source: Smith and Topin 2018, https://arxiv.org/abs/1708.07120; cosine flanks as in PyTorch. Momentum is left alone.
    """
    start, end = peak / start_factor, peak / start_factor / end_factor
    turn = max(warmup * total_steps, 1)

    def learning_rate(step: int) -> float:
        if step < turn:
            return peak + (start - peak) * 0.5 * (1 + math.cos(math.pi * step / turn))
        fall = min((step - turn) / max(total_steps - 1 - turn, 1), 1)
        return end + (peak - end) * 0.5 * (1 + math.cos(math.pi * fall))

    return learning_rate


SCHEDULES = {"constant": constant, "step": step_decay, "cosine": cosine, "one-cycle": one_cycle}
