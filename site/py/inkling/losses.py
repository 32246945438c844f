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

    logits: (N, C), unnormalised.   labels: (N,) int in [0, C), or -1 for what is none of the classes: its target is flat. Or the targets
    themselves, (N, C); a row that adds up to less than 1 counts for so much less.
    label_smoothing: share of the target, in [0, 1), that is spread evenly over all C classes.
    Returns (loss, grad): loss in nats; grad (N, C) = d loss / d logits.
    Raises ValueError if there is neither one integer label in [-1, C) for each row nor one target.
    Source: Goodfellow et al. 2016, section 6.2.2.3; label smoothing: Szegedy et al. 2016, section 7; flat targets: Hendrycks et al. 2019.
    """
    n, n_classes = logits.shape
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    if labels.shape == logits.shape:
        # d loss / d logits = (weight softmax - target) / N, where the weight is what the target adds up to.
        grad = np.exp(log_probabilities) * labels.sum(axis=1, keepdims=True)
        grad -= labels
        grad /= n
        return -float((labels * log_probabilities).sum()) / n, grad
    if labels.shape != (n,) or labels.dtype.kind not in "iu" or ((labels < -1) | (labels >= n_classes)).any():
        raise ValueError(f"labels must be {n} integers from -1 (none) to {n_classes - 1}; got {labels.dtype} {labels.shape}: {labels}")
    rows = np.arange(n)
    # The target is (1 - spread) on the label plus spread / C on every class.
    spread = np.where(labels < 0, 1, label_smoothing).astype(logits.dtype)
    loss = -((1 - spread) * log_probabilities[rows, labels] + spread * log_probabilities.mean(axis=1)).mean()
    # d loss / d logits = (softmax - target) / N.
    grad = np.exp(log_probabilities)
    grad[rows, labels] -= 1 - spread
    grad -= spread[:, None] / n_classes
    grad /= n
    return float(loss), grad
