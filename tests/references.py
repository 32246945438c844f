"""Compares this package with what PyTorch gave for the same input (tests/fixtures/make_torch_references.py).

A reference is a dict of input and expected output; each `assert_...` runs our code on the former and compares with the latter.
"""

import json
from pathlib import Path

import numpy as np

from inkling.layers import LAYERS
from inkling.losses import softmax, softmax_cross_entropy
from inkling.model import Sequential
from inkling.optimizers import OPTIMIZERS, SCHEDULES, add_l2, clip_gradients

FILE = Path(__file__).parent / "fixtures" / "torch_references.npz"


def load_references(kind):
    """The stored references of one kind ("layer", "loss", "optimizer", "clipping", "schedule", "network"): name -> dict."""
    with np.load(FILE, allow_pickle=False) as arrays:
        references = json.loads(str(arrays["values"]))
        for key in arrays.files:
            if key != "values":
                name, field = key.rsplit("/", 1)
                references[name][field] = arrays[key]
    return {name.split(": ")[1]: reference for name, reference in references.items() if name.startswith(kind + ": ")}


def assert_close(actual, expected, what, tolerance, least=1e-12):
    """Equal in shape, and in value to `tolerance` of the largest expected one, or of `least` if that is larger."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what} is {actual.shape}; PyTorch's is {expected.shape}"
    difference, largest = np.abs(actual - expected).max(initial=0), np.abs(expected).max(initial=0)
    assert difference <= tolerance * max(largest, least), f"{what} differs from PyTorch's by {difference} (largest value {largest})"


def assert_layer_matches(reference, tolerance=1e-12):
    """Output, gradient for the input and gradients for the parameters."""
    layer = LAYERS[reference["kind"]](**reference["options"])
    layer.params = {name: reference[name].copy() for name in layer.shapes}
    assert_close(layer.forward(reference["x"]), reference["out"], "out", tolerance)
    assert_close(layer.backward(reference["dout"]), reference["dx"], "dx", tolerance)
    for name in layer.shapes:
        assert_close(layer.grads[name], reference["d" + name], "d" + name, tolerance)


def assert_loss_matches(reference, tolerance=1e-12):
    """Probabilities, loss and gradient."""
    loss, grad = softmax_cross_entropy(reference["logits"], reference["labels"], reference["label_smoothing"])
    assert_close(softmax(reference["logits"]), reference["probabilities"], "probabilities", tolerance)
    assert_close(loss, reference["loss"], "loss", tolerance, least=1)
    assert_close(grad, reference["grad"], "grad", tolerance, least=1 / len(grad))  # a difference of probabilities, over N


def assert_optimizer_matches(reference, tolerance=1e-12):
    """The parameters after each step."""
    optimizer = OPTIMIZERS[reference["name"]](**reference["options"])
    W, b = reference["W"].copy(), reference["b"].copy()
    for step, learning_rate in enumerate(reference["learning_rates"]):
        pairs = [(W, reference["dW"][step].copy()), (b, reference["db"][step].copy())]
        optimizer.learning_rate = learning_rate
        add_l2(pairs, reference["l2"])
        optimizer.step(pairs)
        assert_close(W, reference["W_after"][step], f"W after step {step}", tolerance)
        assert_close(b, reference["b_after"][step], f"b after step {step}", tolerance)


def assert_clipping_matches(reference, tolerance=1e-5):
    """The norm and the scaled gradients. PyTorch adds 1e-6 to the norm that it divides by; we do not."""
    grads = [reference[f"before{i}"].copy() for i in range(2)]
    norm = clip_gradients([(np.zeros_like(grad), grad) for grad in grads], reference["max_norm"])
    assert_close(norm, reference["norm"], "norm", 1e-12)
    for i, grad in enumerate(grads):
        assert_close(grad, reference[f"after{i}"], f"gradient {i}", tolerance)


def assert_schedule_matches(reference, tolerance=1e-9):
    """The learning rate of every step."""
    schedule = SCHEDULES[reference["name"]](reference["peak"], reference["total_steps"], **reference["options"])
    learning_rates = [schedule(step) for step in range(reference["total_steps"])]
    assert_close(learning_rates, reference["learning_rates"], "learning rate", tolerance)


def assert_network_matches(reference, tolerance=1e-9):
    """The loss at each step of a short training run, and every parameter after it."""
    if reference["max_norm"]:
        tolerance = max(tolerance, 1e-5)  # for the reason given at assert_clipping_matches
    model = Sequential.from_spec(reference["spec"])
    for key in model.shapes():
        index, name = key.split(".")
        model.layers[int(index)].params[name] = reference[f"before {key}"].copy()
    optimizer = OPTIMIZERS[reference["name"]](**reference["options"])
    for images, labels, expected in zip(reference["images"], reference["labels"], reference["losses"]):
        loss, dlogits = softmax_cross_entropy(model.forward(images), labels, reference["label_smoothing"])
        model.backward(dlogits)
        pairs = model.params_and_grads()
        if reference["max_norm"]:
            clip_gradients(pairs, reference["max_norm"])
        optimizer.step(pairs)
        assert_close(loss, expected, "loss", tolerance)
    for key, array in model.parameters().items():
        assert_close(array, reference[f"after {key}"], key, tolerance)
