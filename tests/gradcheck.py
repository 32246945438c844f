"""Checks a gradient against finite differences along random directions.

One direction tests all elements at once: the slope of the loss along it must be the gradient's projection on it.
Everything runs in float64, where the difference of two losses keeps about ten good digits.
The idea of random projection is HIPS/autograd's.
"""

import numpy as np

STEP = 1e-5  # length unit of a step to either side
TOLERANCE = 1e-6  # relative to the gradient's norm; a gradient that is 0.05 % off misses it by far
DIRECTIONS = 4


def assert_gradient(loss, array, grad, rng):
    """Fails unless `grad` is the gradient of loss() with respect to `array`.

    loss: () -> float, which depends on `array`.   array: float64; moved to and fro in place, then put back.
    """
    assert grad.shape == array.shape, f"the gradient is {grad.shape}; the array is {array.shape}"
    grad, original = grad.copy(), array.copy()
    for _ in range(DIRECTIONS):
        direction = rng.standard_normal(array.shape)
        array[...] = original + STEP * direction
        above = loss()
        array[...] = original - STEP * direction
        below = loss()
        array[...] = original
        slope, expected = (above - below) / (2 * STEP), float(np.vdot(grad, direction))
        allowed = TOLERANCE * max(float(np.linalg.norm(grad)), 1e-3)
        assert abs(slope - expected) <= allowed, f"the slope along a random direction is {slope}; the gradient says {expected}"


def assert_layer_gradients(layer, x, rng, make_rng=None):
    """Fails unless `layer.backward` gives the gradients for x and for every parameter.

    The loss is a random projection of the output. The layer's parameters are replaced by random float64 ones.
    make_rng: () -> the generator for `forward`, the same each time (for Dropout).
    """
    layer.params = {name: rng.standard_normal(shape) for name, shape in layer.shapes.items()}
    draws = (lambda: None) if make_rng is None else make_rng
    projection = rng.standard_normal(layer.forward(x, draws()).shape)

    def loss():
        return float(np.vdot(layer.forward(x, draws()), projection))

    loss()
    dx = layer.backward(projection)
    grads = {name: layer.grads[name].copy() for name in layer.shapes}
    assert_gradient(loss, x, dx, rng)
    for name, grad in grads.items():
        assert_gradient(loss, layer.params[name], grad, rng)
