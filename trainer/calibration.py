"""Confidence that means something: when to look twice, one temperature for the softmax, one threshold for accepting an answer."""

from __future__ import annotations

import numpy as np

from inkling.losses import softmax, softmax_cross_entropy
from inkling.model import Sequential

from .data import Digits

TEMPERATURES = (0.2, 5.0)  # searched in
BINS = 15  # of confidence, for the calibration error
SECOND_LOOK = 3.0  # lead of the best logit: with less, as two or three finished digits in a hundred have, a second look turns many wrong answers right
ACCEPTED = 0.992  # share of the digits of the tuning writers that the threshold lets pass


def calibrate(model: Sequential, digits: Digits) -> dict:
    """Sets when the model looks twice, and by the validation images its temperature and threshold.

    Returns {temperature, threshold, second_look, accepted, declined}.

    accepted: share of the validation digits that pass the threshold; declined: share of what is no digit that does not.
    Without images of what is no digit (`digits.strange`) the threshold stays 0.
    """
    images, labels = digits.validation
    model.calibrate(1.0, 0.0, SECOND_LOOK)
    logits = model.predict_logits(images).astype(np.float64)
    temperature = round(best_temperature(logits, labels), 4)
    sure = softmax(logits / temperature).max(axis=1)
    if not len(digits.strange):
        model.calibrate(temperature, 0.0)
        return {"temperature": temperature, "threshold": 0.0, "second_look": SECOND_LOOK}
    drawn = sure[-digits.n_drawn:]  # MNIST's digits are easier: they would put the threshold where drawings are declined
    threshold = round(float(np.quantile(drawn, 1 - ACCEPTED)), 4)
    model.calibrate(temperature, threshold)
    strange = softmax(model.predict_logits(digits.strange).astype(np.float64) / temperature).max(axis=1)
    return {"temperature": temperature, "threshold": threshold, "second_look": SECOND_LOOK, "accepted": float((sure >= threshold).mean()),
            "declined": float((strange < threshold).mean())}


def best_temperature(logits: np.ndarray, labels: np.ndarray, steps: int = 60) -> float:
    """The temperature at which the labels are most likely. logits (N, C), labels (N,).

    The loss has one minimum along log(temperature): golden section finds it. Source: Guo et al. 2017, section 4.2.
    """
    low, high = np.log(TEMPERATURES)
    ratio = (np.sqrt(5) - 1) / 2

    def loss(log_temperature: float) -> float:
        return softmax_cross_entropy(logits / np.exp(log_temperature), labels)[0]

    for _ in range(steps):
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, second) if loss(first) < loss(second) else (first, high)
    return float(np.exp((low + high) / 2))


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: mean difference, over equally wide bins of confidence, of how sure and how often right.

    confidence: (N,) 0..1.   right: (N,) bool.   Source: Naeini et al. 2015.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(index, weights=confidence, minlength=bins) - np.bincount(index, weights=right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))
