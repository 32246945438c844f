"""The committed weights are what their cards say, and evaluate.py notices when a file is not."""

import json
import shutil

import numpy as np
import pytest

from inkling import weights
from inkling.settings import Settings
from inkling.training import evaluate
from tiny_mnist import tiny_mnist, write_folder
from trainer import evaluate as command
from trainer import intervals
from trainer.files import WEIGHTS, sha256
from trainer.recipes import RECIPES, recipe

LEAST = {"convnet": 0.994, "mlp-256-128": 0.991, "mlp-128-64": 0.986}  # of MNIST's 10,000 test images


def read_card(name):
    return json.loads((WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return write_folder(folder, 20, 1000)


def test_the_three_models_lie_in_weights_and_are_small():
    assert {path.stem for path in WEIGHTS.glob("*.npz")} == {path.stem for path in WEIGHTS.glob("*.json")} == set(RECIPES)
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.npz")) < 1_500_000


@pytest.mark.parametrize("name", LEAST)
def test_committed_weights_are_what_their_card_says(name):
    card, npz = read_card(name), (WEIGHTS / f"{name}.npz").read_bytes()
    model = weights.load(npz, name)
    assert (card["sha256"], card["bytes"]) == (sha256(npz), len(npz))
    assert card["parameters"] == model.n_parameters and card["architecture"] == model.spec()
    assert card["mnist_test_accuracy"] >= LEAST[name]
    assert round(10_000 * (1 - card["mnist_test_accuracy"])) == card["mnist_test_errors"]
    assert Settings.from_dict(card["settings"]) == recipe(name) and card["command"] == f"python trainer/train.py --arch {name}"


@pytest.mark.parametrize("name", LEAST)
def test_committed_weights_read_the_tiny_test_part(name):
    arrays = tiny_mnist()
    model = weights.load(WEIGHTS / f"{name}.npz")
    accuracy, _ = evaluate(model, arrays["test_images"].astype(np.float32) / 255, arrays["test_labels"].astype(int))
    assert accuracy > LEAST[name] - 0.008


def test_all_models_are_measured_for_people_and_for_programs(data, capsys):
    assert command.main(["--data", str(data)]) == 0
    text = capsys.readouterr().out
    assert all(f"{name}: " in text for name in LEAST) and "95 % interval" in text and "truth" in text
    assert command.main(["--data", str(data), "--json", "convnet"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["models"]
    assert result["test_images"] == 1000 == np.sum(result["confusion"])
    assert result["errors"] == 1000 - np.trace(result["confusion"]) == round(1000 * (1 - result["accuracy"]))
    low, high = result["interval_95"]
    assert low < result["accuracy"] < high
    assert result["disagreements"] == []


def test_a_file_that_is_not_the_one_its_card_describes_ends_with_1(data, tmp_path, capsys):
    shutil.copy(WEIGHTS / "mlp-128-64.npz", tmp_path / "changed.npz")
    card = read_card("mlp-128-64") | {"sha256": "0" * 64}
    (tmp_path / "changed.json").write_text(json.dumps(card), encoding="utf-8")
    assert command.main(["--data", str(data), str(tmp_path / "changed.npz")]) == 1
    assert f"DOES NOT FIT ITS CARD: sha256 is {read_card('mlp-128-64')['sha256']}" in capsys.readouterr().out


def test_a_file_without_a_card_is_measured_all_the_same(data, tmp_path, capsys):
    shutil.copy(WEIGHTS / "mlp-128-64.npz", tmp_path / "own.npz")
    assert command.main(["--data", str(data), str(tmp_path / "own.npz")]) == 0
    assert capsys.readouterr().out.startswith("own: ")


def test_errors_on_mnist_must_agree_but_for_rounding():
    card = {"sha256": sha256(b"x"), "bytes": 1, "parameters": 5, "mnist_test_errors": 50}
    assert command.disagreements(card, b"x", 5, 50) == command.disagreements(card, b"x", 5, 52) == command.disagreements(card, b"x", 5, None) == []
    assert command.disagreements(card, b"x", 5, 53) == ["there are 53 errors on the test images; the card says 50"]
    assert len(command.disagreements({"sha256": "0", "bytes": 2, "parameters": 6, "mnist_test_errors": "few"}, b"x", 5, 50)) == 4


@pytest.mark.parametrize("card", [None, {}, {"name": "mine", "parameters": 5, "sha256": None}])
def test_what_a_card_does_not_say_is_no_disagreement(card):
    assert command.disagreements(card, b"x", 5, 50) == []


@pytest.mark.parametrize("right, n, low, high", [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (9946, 10_000, 0.99296, 0.99586)])
def test_wilsons_interval_on_known_values(right, n, low, high):
    assert intervals.wilson_interval(right, n) == pytest.approx((low, high), abs=5e-5)


def failure(arguments, capsys):
    assert command.main([str(argument) for argument in arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("evaluate.py: ") and said.count("\n") == 1
    return said


def test_failures_end_with_1_and_one_line(data, tmp_path, capsys):
    assert "there is no model 'resnet'; in weights/ there are: convnet, mlp-128-64, mlp-256-128" in failure(["resnet"], capsys)
    (tmp_path / "broken.npz").write_bytes(b"no zip")
    assert "broken.npz" in failure(["--data", data, tmp_path / "broken.npz"], capsys)
    (tmp_path / "broken.json").write_text("[", encoding="utf-8")
    assert "broken.json" in failure(["--data", data, tmp_path / "broken.npz"], capsys)
    assert "has neither" in failure(["--data", tmp_path], capsys)


def test_an_unknown_option_ends_with_2(capsys):
    with pytest.raises(SystemExit) as error:
        command.main(["--fast"])
    assert error.value.code == 2 and "--fast" in capsys.readouterr().err
