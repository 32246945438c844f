"""From logits to probabilities, and from probabilities to a single number to make small."""

from __future__ import annotations

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """exp(logits) / sum of exp(logits) along the last axis: positive numbers that add up to 1.

    The largest logit is subtracted first: the result is the same, and exp cannot overflow.
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray, label_smoothing: float = 0.0) -> tuple[float, np.ndarray]:
    """Cross-entropy of softmax(logits) against the labels, averaged over the batch.

    logits: (N, C), unnormalised.   labels: (N,) int in [0, C).
    label_smoothing: share of the target, in [0, 1), that is spread evenly over all C classes.
    Returns (loss, grad): loss in nats; grad (N, C) = d loss / d logits.
    Raises ValueError if there is not one integer label in [0, C) for each row.
    Source: Goodfellow et al. 2016, section 6.2.2.3; label smoothing: Szegedy et al. 2016, section 7.
    """
    n, n_classes = logits.shape
    if labels.shape != (n,) or labels.dtype.kind not in "iu" or ((labels < 0) | (labels >= n_classes)).any():
        raise ValueError(f"labels must be {n} integers from 0 to {n_classes - 1}; got {labels.dtype} {labels.shape}: {labels}")
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(n)
    # The target is (1 - smoothing) on the label plus smoothing / C on every class.
    loss = -(1 - label_smoothing) * log_probabilities[rows, labels].mean() - label_smoothing * log_probabilities.mean()
    # d loss / d logits = (softmax - target) / N.
    grad = np.exp(log_probabilities)
    grad[rows, labels] -= 1 - label_smoothing
    grad -= label_smoothing / n_classes
    grad /= n
    return float(loss), grad
