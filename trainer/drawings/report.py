"""The benchmark's figures of one model: as a document, and its mistakes as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.session import Session

from .. import plots
from ..calibration import calibration_error
from ..intervals import wilson_interval
from .benchmark import APART, HARD, TOUCHING, Row, measure_conditions, measure_numbers, measure_strange
from .recorded import PenDigits


def measure_drawings(name: str, npz: bytes, digits: PenDigits, pictures: Path) -> dict:
    """Everything that the benchmark says of a model, JSON-ready; its mistakes go to <name>-drawn-mistakes.png in `pictures`."""
    session = Session()
    session.use_model(name, npz)
    rows, mistakes = measure_conditions(session, digits)
    strange = measure_strange(session)
    numbers = {gap: measure_numbers(session, digits, gap) for gap in (APART, TOUCHING)}
    recorded = rows[: next(i for i, row in enumerate(rows) if row.name == "anyhow") + 1]
    sure = np.concatenate([row.confidence for row in recorded])
    hits = np.concatenate([row.right for row in recorded])
    accepted = np.concatenate([row.accepted for row in recorded])
    picture = pictures / f"{name}-drawn-mistakes.png"
    draw_mistakes(picture, name, mistakes, sum(len(row.labels) for row in rows))
    return {
        "digits": len(digits),
        "writers": sorted({int(writer) for writer in digits.writers}),
        "conditions": [_share(row.name, row.right) for row in rows],
        "worst_hard": min(float(row.right.mean()) for row in rows if row.name in HARD),
        "accepted": [_share("real digits, all conditions", accepted)],
        "declined": [_share(row.name, ~row.accepted) for row in strange]
        + [_share("all of these", np.concatenate([~row.accepted for row in strange]))],
        "numbers": [_share(f"four-digit numbers, {how}, all right", np.arange(numbers[gap][1]) < numbers[gap][0])
                    for how, gap in (("digits apart", APART), ("digits touching", TOUCHING))],
        "calibration_error": calibration_error(sure, hits),
        "confusion": _confusion(recorded[-1]),
        "picture": str(picture),
    }


def summary(result: dict) -> dict:
    """What a model card says: shares by name."""
    return {
        "digits": result["digits"],
        "right": {share["name"]: round(share["share"], 5) for share in result["conditions"]},
        "accepted": round(result["accepted"][0]["share"], 5),
        "declined": {share["name"]: round(share["share"], 5) for share in result["declined"]},
        "numbers_right": round(result["numbers"][0]["share"], 5),
        "numbers_touching_right": round(result["numbers"][1]["share"], 5),
        "calibration_error": round(result["calibration_error"], 5),
    }


def draw_mistakes(path: Path, name: str, mistakes: list[tuple[int, dict]], n: int) -> None:
    images = np.array([prediction["image"] for _, prediction in mistakes], np.float32).reshape(-1, 28, 28)
    labels, answers = (np.array(values, int) for values in ([label for label, _ in mistakes], [p["digit"] for _, p in mistakes]))
    plots.draw_sheet(path, f"{name}: {len(mistakes)} mistakes on {n:,} drawings", images, labels, answers,
                     np.array([prediction["confidence"] for _, prediction in mistakes]))


def _share(name: str, hits: np.ndarray) -> dict:
    right, n = int(hits.sum()), len(hits)
    return {"name": name, "right": right, "n": n, "share": right / n, "interval_95": wilson_interval(right, n)}


def _confusion(row: Row) -> list[list[int]]:
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (row.labels, row.answers), 1)
    return confusion.tolist()
