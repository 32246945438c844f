"""What a sweep is to do, read from TOML; and one training of it, the same wherever it runs."""

import numpy as np
import pytest

from inkling import weights
from inkling.training import Settings
from tiny_mnist import write_folder
from trainer.command import UsageError
from trainer.recipes import RECIPES
from trainer.sweep_plan import read_plan, train_one


def plan(tmp_path, text, data=None):
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    return read_plan(tmp_path / "plan.toml", data)


def test_every_list_is_tried_with_every_other(tmp_path):
    found, varied = plan(tmp_path, 'arch = ["784-16-10", "convnet"]\nseed = [0, 1, 2]\nepochs = 4\nlearning_rate = [0.1]')
    assert varied == ["arch", "seed"] and len(found) == 6
    assert {(settings.arch, settings.seed) for settings in found.values()} == {(arch, seed) for arch in ("784-16-10", "convnet") for seed in range(3)}
    assert all((settings.epochs, settings.learning_rate, settings.batch_size) == (4, 0.1, 256) for settings in found.values())
    assert all(name.startswith(f"{settings.arch}-{settings.seed}-adamw-") for name, settings in found.items())


def test_what_is_left_out_comes_from_the_network_s_recipe(tmp_path):
    found, _ = plan(tmp_path, 'arch = ["convnet", "mlp-128-64"]')
    assert {(settings.arch, settings.epochs) for settings in found.values()} == {(name, RECIPES[name]["epochs"]) for name in ("convnet", "mlp-128-64")}


def test_a_training_s_name_tells_its_settings_and_its_data_apart(tmp_path):
    names = [name for text, data in (("epochs = 3", None), ("epochs = 4", None), ("epochs = 3", "own")) for name in plan(tmp_path, text, data)[0]]
    assert len(set(names)) == 3
    assert plan(tmp_path, "epochs = 3")[0].keys() == {names[0]}


@pytest.mark.parametrize("text, said", [
    ("epochs = ", "plan.toml: "), ("epoch = 3", "no such setting: epoch"), ('arch = "resnet"', "'resnet' is unknown"), ("seed = []", "stands for 0 trainings"),
    ("seed = [" + "1," * 200 + "]\nepochs = [" + "1," * 200 + "]", "stands for 40,000 trainings"),
    ("epochs = 0", "'epochs' is 0"), ("arch = [[1]]", "plan.toml: "),
    pytest.param("arch = " + "[" * 200_000, "plan.toml: ", id="deep"),
    ("[more]\nseed = 1", "plan.toml: no such setting: more"),
])
def test_a_plan_that_makes_no_sense_is_refused(text, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        plan(tmp_path, text)


def test_a_missing_plan_is_refused(tmp_path):
    with pytest.raises(UsageError, match="none.toml"):
        read_plan(tmp_path / "none.toml", None)


def test_one_training_gives_the_same_network_each_time(tmp_path):
    settings = Settings(arch="784-12-10", epochs=3, batch_size=20, learning_rate=0.01).to_dict()
    data = str(write_folder(tmp_path, 600, 20))
    first, second = train_one(settings, data), train_one(settings, data)
    assert first.pop("seconds") >= 0 and second.pop("seconds") >= 0 and first == second
    assert len(first["history"]) == 3 and first["history"][-1] == first["validation_accuracy"] > 0.3
    assert all(np.isfinite(array).all() for array in weights.load(first["npz"]).parameters().values())


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_training_that_runs_away_is_an_error_and_no_result(tmp_path):
    settings = Settings(arch="784-12-10", optimizer="sgd", epochs=2, learning_rate=1e30, schedule="constant").to_dict()
    with pytest.raises(ValueError, match="learning rate, 1e.30, is too high|can't hold"):
        train_one(settings, str(write_folder(tmp_path, 600, 20)))


def test_a_training_of_a_sweep_takes_as_many_images_as_its_settings_say(tmp_path):
    data = str(write_folder(tmp_path, 600, 20))
    few, many = (train_one(Settings(arch="784-16-10", epochs=1, images=n).to_dict(), data)["npz"] for n in (50, 500))
    assert few != many
