"""The pictures of a run: its curves, the confusion matrix, and a sheet of the mistakes; and that of a sweep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from inkling.losses import softmax
from inkling.model import Sequential

from .data import Part
from .files import atomic_file

PAPER, INK, BLUE, ACCENT, FAINT = "#fbf8f1", "#2b2a27", "#24408e", "#c2410c", "#d9d3c5"  # the page's: paper, ink, one blue, one accent
STYLE = {
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "text.color": INK, "axes.labelcolor": INK,
    "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": FAINT, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": FAINT, "grid.linewidth": 0.6, "xtick.major.size": 0, "ytick.major.size": 0,
    "font.size": 10, "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlepad": 12, "legend.frameon": False,
}
MOST_MISTAKES = 60
COLUMNS = 10
MOST_GROUPS = 40  # of a sweep


def draw_curves(path: Path, title: str, history: list[dict], kept_epoch: int) -> None:
    """Loss and accuracy by epoch, on the training batches (deformed, so harder) and on the validation images."""
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in history]
        for axes, key in ((left, "loss"), (right, "accuracy")):
            for name, label, colour in ((key, "training, deformed digits", BLUE), (f"validation_{key}", "validation", ACCENT)):
                axes.plot(epochs, [row[name] for row in history], color=colour, label=label, linewidth=1.6, marker="o", markersize=2.5)
            axes.axvline(kept_epoch, color=INK, linewidth=0.8, linestyle=(0, (2, 3)))
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_title("Loss (nats, logarithmic)")
        left.set_yscale("log")
        left.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        left.yaxis.set_minor_locator(NullLocator())
        left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        left.legend()
        right.set_title(f"Accuracy (validation {history[kept_epoch - 1]['validation_accuracy']:.2%} at epoch {kept_epoch}, the one kept)")
        # The first epochs would dwarf all others.
        right.set_ylim(_floor_to(np.percentile([row["accuracy"] for row in history], 10), 0.02), 1.0)
        right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
        _save(figure, path)


def draw_confusion(path: Path, title: str, confusion: np.ndarray) -> None:
    """The confusion matrix (rows the truth); only mistakes are shaded, as the diagonal would drown them."""
    mistakes = confusion - np.diag(np.diag(confusion))
    with rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(6.4, 6.6), layout="constrained")
        axes = figure.subplots()
        shades = LinearSegmentedColormap.from_list("accent", [PAPER, ACCENT])
        axes.imshow(mistakes, cmap=shades, vmin=0, vmax=max(mistakes.max(), 1))
        for truth, answer in np.ndindex(*confusion.shape):
            count, right = confusion[truth, answer], truth == answer
            strong = mistakes[truth, answer] > 0.6 * mistakes.max()
            axes.text(answer, truth, count or "", ha="center", va="center", fontsize=8.5 if right else 10,
                      color=BLUE if right else (PAPER if strong else INK), weight="normal" if right else "bold")
        axes.set_xticks(range(10))
        axes.set_yticks(range(10))
        axes.set_xticks(np.arange(11) - 0.5, minor=True)
        axes.set_yticks(np.arange(11) - 0.5, minor=True)
        axes.grid(which="minor", color=FAINT, linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("answer")
        axes.set_ylabel("truth")
        right_share = np.trace(confusion) / max(confusion.sum(), 1)
        axes.set_title(f"Test images: {right_share:.2%} right, {mistakes.sum()} of {confusion.sum():,} wrong (shaded)")
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
        _save(figure, path)


def draw_mistakes(path: Path, title: str, model: Sequential, test: Part) -> None:
    """The test images that were misread, the most confident mistakes first."""
    images, labels = test
    probabilities = softmax(model.predict_logits(images) / model.temperature)
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    draw_sheet(path, f"{title}: {len(wrong)} mistakes on {len(labels):,} test images", images[wrong], labels[wrong], answers[wrong],
               probabilities[wrong, answers[wrong]])


def draw_sheet(path: Path, title: str, images: np.ndarray, labels: np.ndarray, answers: np.ndarray, sure: np.ndarray) -> None:
    """Images that were misread: (N, 28, 28), with the true digit, the answer and its probability, each (N,)."""
    order = np.argsort(-sure, kind="stable")[:MOST_MISTAKES]
    rows = max(-(-len(order) // COLUMNS), 1)
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 0.5 + 1.32 * rows))
        axes = figure.add_axes((0.01, 0.0, 0.98, 1 - 0.45 / (0.5 + 1.32 * rows)))
        axes.axis("off")
        ink = LinearSegmentedColormap.from_list("ink", ["#ffffff", INK])
        for place, i in enumerate(order):
            row, column = divmod(place, COLUMNS)
            # A cell is 1 x 1: two lines of text, and below them the picture as a square.
            axes.imshow(images[i], cmap=ink, vmin=0, vmax=1, interpolation="nearest", aspect="auto",
                        extent=(column + 0.12, column + 0.88, row + 0.92, row + 0.36))
            axes.text(column + 0.5, row + 0.31, f"{labels[i]}, read {answers[i]}\n{sure[i]:.0%} sure", fontsize=8, ha="center")
        axes.set(xlim=(0, COLUMNS), ylim=(rows, 0))
        shown = "all" if len(order) == len(sure) else f"the {len(order)} surest"
        figure.suptitle(f"{title} ({shown}; the true digit first)", x=0.01, ha="left", weight="bold")
        _save(figure, path)


def draw_sweep(path: Path, title: str, groups: dict[str, list[float]]) -> None:
    """Validation accuracies as dots, a line for each group of trainings that differ in their seed only; the best mean on top."""
    ranked = sorted(groups.items(), key=lambda item: np.mean(item[1]))[-MOST_GROUPS:]
    with rc_context(STYLE):
        figure = Figure(figsize=(9, 1.6 + 0.32 * len(ranked)), layout="constrained")
        axes = figure.subplots()
        for i, (_, accuracies) in enumerate(ranked):
            axes.plot(accuracies, [i] * len(accuracies), "o", color=BLUE, markersize=5, alpha=0.6)
            axes.plot([np.mean(accuracies)], [i], "|", color=ACCENT, markersize=14, markeredgewidth=2)
        axes.set_yticks(range(len(ranked)), [name for name, _ in ranked])
        axes.set_ylim(-0.7, len(ranked) - 0.3)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
        axes.set_title("Validation accuracy of each training (dots) and their mean" + (f"; the best {MOST_GROUPS}" if len(groups) > MOST_GROUPS else ""))
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
        _save(figure, path)


def _floor_to(value: float, step: float) -> float:
    return float(np.floor(value / step) * step)


def _save(figure: Figure, path: Path) -> None:
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=130)
