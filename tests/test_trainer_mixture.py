"""Training on MNIST and drawings together: what goes in, who is kept out, what the card and the measurement say."""

import json

import numpy as np
import pytest

from inkling import weights
from tiny_mnist import write_folder
from trainer import evaluate, mixture, train
from trainer.data import load_digits
from trainer.drawings import benchmark
from trainer.drawings.fonts import FONTS, Glyph
from trainer.drawings.pool import Amounts
from trainer.drawings.recorded import HELD_OUT, TUNING

SHAPES = {1: [[250, 450, 250, 50]], 4: [[150, 450, 100, 200, 400, 200], [300, 400, 300, 50]], 7: [[100, 400, 300, 400, 200, 100], [150, 250, 280, 250]]}


def unipen(digits):
    """UNIPEN text of (label, writer) pairs."""
    parts, component = [], 0
    for number, (label, writer) in enumerate(digits):
        strokes = SHAPES[label]
        parts.append(f'.SEGMENT DIGIT {component}-{component + len(strokes) - 1} ? "{label}"\n.COMMENT {label} {writer} {number}\n')
        component += len(strokes)
        for stroke in strokes:
            points = "".join(f" {x} {y}\n" for x, y in zip(stroke[::2], stroke[1::2]))
            parts.append(f".PEN_DOWN\n{points}.PEN_UP\n")
    return "".join(parts)


@pytest.fixture
def strokes(tmp_path):
    path = tmp_path / "strokes.tra"
    path.write_text(unipen([(label, writer) for writer in (1, 2, TUNING[0], HELD_OUT[0]) for label in SHAPES]), encoding="ascii")
    return path


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return write_folder(folder, 600, 200)


@pytest.fixture
def little(monkeypatch):
    """Everything in small amounts: a training run takes seconds."""
    monkeypatch.setattr(mixture, "TUNING_AMOUNTS", Amounts(per_recorded=2, of_fonts=0, made=0, strange=12))
    monkeypatch.setattr(mixture, "load_glyphs", lambda: [Glyph(digit, [np.array([(0, 0), (1, 0), (1, 1.4), (0, 1.4)])]) for digit in range(10)])
    monkeypatch.setattr(mixture.add_drawings, "__defaults__", (Amounts(per_recorded=2, of_fonts=20, made=30, strange=10, blended=0.5),))
    monkeypatch.setattr(benchmark, "MADE", 6)
    monkeypatch.setattr(benchmark, "NUMBERS", 5)


def test_drawings_join_what_is_trained_and_what_validates(data, strokes, little):
    plain = load_digits(data)
    mixed = mixture.add_drawings(plain, strokes, seed=3)
    images, labels = mixed.train
    n_mnist = mixture.MNIST_TIMES * 550
    assert images.dtype == np.uint8 and len(images) == len(labels) == n_mnist + 2 * 6 + 20 + 30 + 10
    assert (labels == -1).sum() == 10 and labels[n_mnist : n_mnist + 12].tolist() == [1, 4, 7] * 4
    for begin in range(0, n_mnist, 550):
        np.testing.assert_allclose(images[begin : begin + 550] / 255, plain.train[0], atol=0.003)
    assert labels[n_mnist + 12 : n_mnist + 32].tolist() == [*range(10)] * 2 and mixed.drawings["fonts"]["names"] == list(FONTS)
    assert mixed.n_drawn == 6 and len(mixed.validation[0]) == 50 + 6 and mixed.validation[1].min() >= 0
    assert mixed.strange.shape == (12, 28, 28) and mixed.test is plain.test
    assert mixed.held_out.writers.tolist() == [HELD_OUT[0]] * 3
    writers = mixed.drawings["recorded"]["writers"]
    assert writers["training"] == [1, 2] and not {*writers["training"], *writers["tuning"]} & {*writers["held_out"]}


def test_a_run_with_drawings_is_calibrated_measured_and_can_be_resumed(data, strokes, little, tmp_path, capsys):
    out = tmp_path / "run"
    arguments = ["--data", str(data), "--strokes", str(strokes)]
    assert train.main(["--arch", "784-20-10", "--epochs", "2", "--out", str(out), *arguments]) == 0
    card = json.loads((out / "784-20-10.json").read_text(encoding="utf-8"))
    model = weights.load(out / "784-20-10.npz")
    assert card["calibration"]["threshold"] == model.threshold > 0 and card["calibration"]["temperature"] == model.temperature
    drawings = card["data"]["drawings"]
    assert drawings["strength"] == 1.5 and drawings["blended"] == 0.5 and {"zero", "hooked_one", "open_nine"} < set(drawings["forms"])
    assert drawings["images"] == {"mnist_times": 4, "recorded": 12, "of_fonts": 20, "made": 30, "no_digit": 10}
    assert card["drawings"]["digits"] == 3 and 0 <= card["drawings"]["right"]["normal size and place"] <= 1
    assert (out / "784-20-10-drawn-mistakes.png").stat().st_size > 1000
    assert train.main(["--resume", str(out), *arguments]) == 0
    assert train.main(["--resume", str(out), "--data", str(data)]) == 1
    assert "trained on other data" in capsys.readouterr().err


def test_a_model_is_measured_on_drawings_for_people_and_for_programs(data, strokes, little, tmp_path, capsys):
    arguments = ["--data", str(data), "--strokes", str(strokes), "--writers", "1", "2", "--pictures", str(tmp_path), "mlp-128-64"]
    assert evaluate.main(arguments) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in (*benchmark.CONDITIONS, *benchmark.STRANGE, "four-digit numbers", "expected calibration error"))
    assert evaluate.main([*arguments, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["models"]
    drawn = result["drawings"]
    assert drawn["digits"] == 6 and drawn["writers"] == [1, 2] and np.sum(drawn["confusion"]) == 6
    assert all(share["right"] == round(share["share"] * share["n"]) for share in drawn["conditions"])


def test_writers_that_are_not_in_the_file_are_refused(data, strokes, capsys):
    assert evaluate.main(["--data", str(data), "--strokes", str(strokes), "--writers", "99"]) == 2
    assert "--writers 99" in capsys.readouterr().err


def test_no_drawings_and_strokes_do_not_go_together(strokes, capsys):
    assert train.main(["--no-drawings", "--strokes", str(strokes)]) == 2
    assert "--strokes" in capsys.readouterr().err
