"""Training from the command line: it learns, the same seed gives the same file, stopping loses nothing, and errors say what to do."""

import csv
import functools
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from inkling import weights
from inkling.training import Settings
from tiny_mnist import tiny_mnist, write_folder
from trainer import runs, train
from trainer.cards import ship
from trainer.files import RUNS
from trainer.recipes import RECIPES, command, is_own_recipe, recipe
from trainer.runs import COLUMNS

ROOT = Path(__file__).resolve().parent.parent
SMALL = ["--arch", "784-16-10", "--epochs", "4", "--batch-size", "50"]


@pytest.fixture(scope="module")
def small_data(tmp_path_factory):
    """600 + 200 images as --data takes them."""
    return write_folder(tmp_path_factory.mktemp("data"), 600, 200)


@pytest.fixture(scope="module")
def whole(small_data, tmp_path_factory):
    """The folder of a run that nobody stopped."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert train.main([*SMALL, "--data", str(small_data), "--out", str(folder)]) == 0
    return folder


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Drawing takes longer than these runs; `whole`, made before this takes effect, has its pictures."""
    for name in ("draw_curves", "draw_confusion", "draw_mistakes"):
        monkeypatch.setattr(train.plots, name, lambda *_: None)


def log(folder):
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def card(folder, name="784-16-10"):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def stop_at(monkeypatch, step):
    """Presses Ctrl-C, as it were, in that step of the run."""
    original, steps = runs.augment, []

    def augment(images, rng):
        steps.append(1)
        if len(steps) == step:
            raise KeyboardInterrupt
        return original(images, rng)

    monkeypatch.setattr(runs, "augment", augment)
    monkeypatch.setattr(train, "announce", lambda *_: None)  # its timed steps would count


def test_a_short_run_really_learns(tmp_path, capsys):
    folder = tmp_path / "run"
    code = train.main(["--arch", "784-64-10", "--epochs", "15", "--batch-size", "50", "--no-augment",
                       "--data", str(write_folder(tmp_path)), "--out", str(folder)])
    assert code == 0
    made = card(folder, "784-64-10")
    assert made["test_accuracy"] > 0.87
    model = weights.load(folder / "784-64-10.npz")
    arrays = tiny_mnist()
    answers = model.predict_logits(arrays["test_images"].astype(np.float32) / 255).argmax(axis=1)
    assert int((answers != arrays["test_labels"]).sum()) == made["test_errors"] == round(1000 * (1 - made["test_accuracy"]))
    said = capsys.readouterr().out
    assert "784-64-10: 50,890 parameters, adamw, 15 epochs of 1,834 images; about" in said
    assert "on the test images" in said and "on this machine" in said


def test_augmented_training_of_the_convnet_learns_too(tmp_path):
    folder = tmp_path / "run"
    assert train.main(["--arch", "convnet", "--epochs", "4", "--batch-size", "32", "--data", str(write_folder(tmp_path)), "--out", str(folder)]) == 0
    assert card(folder, "convnet")["test_accuracy"] > 0.85


def test_a_run_leaves_settings_log_card_weights_and_pictures(whole):
    names = {"settings.json", "log.csv", "checkpoint.npz", "784-16-10.npz", "784-16-10.json", "curves.png", "confusion.png", "mistakes.png"}
    assert {path.name for path in whole.iterdir()} == names
    settings = json.loads((whole / "settings.json").read_text(encoding="utf-8"))
    assert Settings.from_dict(settings).to_dict() == settings and settings["batch_size"] == 50
    rows = log(whole)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert set(rows[0]) == set(COLUMNS) - {"seconds"}
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    for name in ("curves", "confusion", "mistakes"):
        picture = np.asarray(Image.open(whole / f"{name}.png").convert("L"))
        assert min(picture.shape) > 150 and picture.std() > 5


def test_the_card_describes_the_file_beside_it(whole, small_data):
    made, npz = card(whole), (whole / "784-16-10.npz").read_bytes()
    assert made["sha256"] == hashlib.sha256(npz).hexdigest() and made["bytes"] == len(npz)
    model = weights.load(npz)
    assert made["parameters"] == model.n_parameters == 784 * 16 + 16 + 160 + 10
    assert made["architecture"] == model.spec() and made["name"] == "784-16-10" and made["seed"] == 0
    assert made["settings"] == json.loads((whole / "settings.json").read_text(encoding="utf-8"))
    assert made["data"]["files"]["t10k-labels-idx1-ubyte"] == hashlib.sha256((small_data / "t10k-labels-idx1-ubyte").read_bytes()).hexdigest()
    assert made["versions"].keys() == {"inkling", "numpy", "python"}
    assert "mnist_test_accuracy" not in made, "these were not MNIST's 10,000 test images"
    assert made["epoch"] == 4, "the schedule has come to its end"


@pytest.mark.parametrize("schedule, stopped", [("constant", False), ("one-cycle", True)])
def test_without_an_end_of_the_schedule_the_best_epoch_is_kept(small_data, tmp_path, monkeypatch, schedule, stopped):
    folder = tmp_path / "run"
    with monkeypatch.context() as context:
        if stopped:
            stop_at(context, 39)
        assert train.main([*SMALL, "--schedule", schedule, "--data", str(small_data), "--out", str(folder)]) == stopped
    best = max(log(folder), key=lambda row: (float(row["validation_accuracy"]), -float(row["validation_loss"])))
    assert card(folder)["epoch"] == int(best["epoch"])


def test_a_run_whose_last_epochs_are_not_finite_gives_the_best_epoch_before(small_data, tmp_path, monkeypatch):
    folder, steps, original = tmp_path / "run", [], runs.augment

    def augment(images, rng):
        steps.append(1)
        return original(images, rng) * (np.nan if len(steps) > 22 else 1)  # 11 steps an epoch: the third goes wrong

    monkeypatch.setattr(runs, "augment", augment)
    monkeypatch.setattr(train, "announce", lambda *_: None)  # its timed steps would count
    assert train.main([*SMALL, "--data", str(small_data), "--out", str(folder)]) == 0
    rows = log(folder)
    assert [np.isfinite(float(row["validation_loss"])) for row in rows] == [True, True, False, False]
    best = max(rows[:2], key=lambda row: (float(row["validation_accuracy"]), -float(row["validation_loss"])))
    assert card(folder)["epoch"] == int(best["epoch"]) and "stopped_after_epochs" not in card(folder)
    assert all(np.isfinite(array).all() for array in weights.load(folder / "784-16-10.npz").parameters().values())


def test_the_same_seed_gives_the_same_file_and_another_seed_another(whole, small_data, tmp_path):
    for name, seed in (("again", "0"), ("other", "1")):
        assert train.main([*SMALL, "--seed", seed, "--data", str(small_data), "--out", str(tmp_path / name)]) == 0
    assert card(tmp_path / "again")["sha256"] == card(whole)["sha256"]
    assert log(tmp_path / "again") == log(whole)
    assert card(tmp_path / "other")["sha256"] != card(whole)["sha256"]


@pytest.mark.parametrize("step", [1, 15, 39], ids=["first epoch", "second epoch", "last epoch"])  # 11 steps an epoch
def test_a_run_stopped_and_resumed_equals_one_never_stopped(step, whole, small_data, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    with monkeypatch.context() as context:
        stop_at(context, step)
        assert train.main([*SMALL, "--data", str(small_data), "--out", str(folder)]) == 1
    stopped = card(folder)
    assert stopped["stopped_after_epochs"] == (step - 1) // 11
    assert weights.load(folder / "784-16-10.npz").n_parameters == stopped["parameters"], "the best weights so far are kept"
    assert "--resume" in capsys.readouterr().out
    assert train.main(["--resume", str(folder), "--data", str(small_data)]) == 0
    assert (folder / "784-16-10.npz").read_bytes() == (whole / "784-16-10.npz").read_bytes()
    assert log(folder) == log(whole)
    assert card(folder) == card(whole)
    with np.load(folder / "checkpoint.npz") as resumed, np.load(whole / "checkpoint.npz") as never:
        assert sorted(resumed.files) == sorted(never.files)
        assert all((resumed[key] == never[key]).all() for key in never.files if key != "facts")


def test_resuming_a_finished_run_writes_the_same_again(whole, small_data):
    before = (whole / "784-16-10.npz").read_bytes()
    assert train.main(["--resume", str(whole), "--data", str(small_data)]) == 0
    assert (whole / "784-16-10.npz").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a whole console there, this test run too")
def test_ctrl_c_keeps_the_best_weights_so_far(small_data, tmp_path):
    folder = tmp_path / "run"
    arguments = [*SMALL[:2], "--epochs", "100000", "--data", small_data, "--out", folder]
    heeded = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell lets what it runs in the background ignore it
    call = [sys.executable, "-u", ROOT / "trainer" / "train.py", *arguments]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=heeded)
    try:
        for line in process.stdout:
            if line.startswith("epoch") and "3/100000" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.communicate(timeout=60)[0]
    finally:
        process.kill()
    assert process.returncode == 1
    assert "the best weights so far are kept" in rest and "--resume" in rest and "Traceback" not in rest
    made = card(folder)
    assert made["stopped_after_epochs"] >= 3 and weights.load(folder / "784-16-10.npz")
    assert made["validation_accuracy"] >= max(float(row["validation_accuracy"]) for row in log(folder)) - 0.021  # float16 may turn one of 50


def test_options_go_before_a_settings_file_and_that_before_the_recipe(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"arch": "mlp-128-64", "epochs": 3, "clip_norm": 1.0}', encoding="utf-8")
    (settings,) = train.choose_settings({"epochs": 7}, file)
    assert settings == Settings.from_dict(recipe("mlp-128-64").to_dict() | {"epochs": 7, "clip_norm": 1.0})


def test_all_means_every_shipped_model_each_by_its_recipe():
    chosen = train.choose_settings({"arch": "all"}, None)
    assert [settings.arch for settings in chosen] == list(RECIPES) and all(map(is_own_recipe, chosen))
    assert train.choose_settings({}, None) == [recipe("convnet")]


@pytest.mark.parametrize("changed", [{}, {"epochs": 3, "seed": 4},
                                     {"augment": False, "optimizer": "sgd", "learning_rate": 0.125, "schedule": "step", "batch_size": 7}], ids=str)
@pytest.mark.parametrize("arch", ["convnet", "784-300-10"])
def test_the_command_in_a_card_asks_for_the_same_settings(arch, changed):
    settings = Settings.from_dict(recipe(arch).to_dict() | changed)
    words = shlex.split(command(settings))
    assert words[:2] == ["python", "trainer/train.py"]
    options = vars(train.parser().parse_args(words[2:]))
    given = {name: options[name] for name in settings.to_dict() if options.get(name) is not None}
    assert train.choose_settings(given, None) == [settings]


def test_a_setting_without_an_option_sends_the_reader_to_the_runs_settings_file():
    settings = Settings.from_dict(recipe("convnet").to_dict() | {"dropout": 0.2})
    assert command(settings) == "python trainer/train.py --arch convnet --settings settings.json"


def made_run(folder, validation, content):
    folder.mkdir()
    made = {"name": "convnet", "validation_accuracy": validation}
    (folder / "convnet.npz").write_bytes(content)
    (folder / "convnet.json").write_text(json.dumps(made), encoding="utf-8")
    return SimpleNamespace(folder=folder), made


def test_weights_are_replaced_by_no_worse_ones_only(tmp_path):
    shipped = tmp_path / "weights"
    said = ship(*made_run(tmp_path / "first", 0.9, b"first"), folder=shipped)
    assert (shipped / "convnet.npz").read_bytes() == b"first" and "are now those of this run" in said
    said = ship(*made_run(tmp_path / "worse", 0.8, b"worse"), folder=shipped)
    assert (shipped / "convnet.npz").read_bytes() == b"first" and "left as it is" in said and "copy" in said
    ship(*made_run(tmp_path / "better", 0.95, b"better"), folder=shipped)
    assert (shipped / "convnet.npz").read_bytes() == b"better"
    assert json.loads((shipped / "convnet.json").read_text(encoding="utf-8"))["validation_accuracy"] == 0.95


@pytest.mark.parametrize("changed, data, folder, goes", [
    ({}, {}, RUNS / "a-run", True), ({}, {}, RUNS.parent / "elsewhere", False), ({}, {"is_mnist": False}, RUNS / "a-run", False),
    ({}, {"drawings": {}}, RUNS / "a-run", False), ({"seed": 1}, {}, RUNS / "a-run", False), ({"epochs": 1}, {}, RUNS / "a-run", False),
    ({"arch": "784-300-10"}, {}, RUNS / "a-run", False),
], ids=str)
def test_only_a_recipe_unchanged_on_its_data_and_in_its_usual_place_goes_to_weights(changed, data, folder, goes):
    settings = Settings.from_dict(recipe("convnet").to_dict() | changed)
    digits = SimpleNamespace(**{"is_mnist": True, "drawings": {"seed": 0}} | data)
    assert train.belongs_in_weights(SimpleNamespace(settings=settings, digits=digits, folder=folder)) is goes


@pytest.mark.parametrize("arguments, said", [
    (["--arch", "resnet"], "resnet"), (["--epochs", "0"], "'epochs' is 0"), (["--learning-rate", "-1"], "'learning_rate'"),
    (["--epochs", "many"], "--epochs"), (["--optimizer", "magic"], "--optimizer"), (["--schedule", "never"], "--schedule"),
    (["--settings", "no-such-file.json"], "no-such-file.json"), (["--resume", "x", "--epochs", "3"], "--resume"), (["--fast"], "--fast"),
], ids=str)
def test_wrong_usage_ends_with_2_and_names_the_option(arguments, said, capsys):
    try:
        code = train.main(arguments)
    except SystemExit as error:
        code = error.code
    assert code == 2 and said in capsys.readouterr().err


DEEP = "[" * 200_000


@pytest.mark.parametrize("content", ["{", "[]", '{"no_such": 1}', '{"epochs": "3"}', '{"arch": [5]}', pytest.param(DEEP, id="deep")])
def test_a_settings_file_that_makes_no_sense_is_wrong_usage(content, tmp_path, capsys):
    file = tmp_path / "settings.json"
    file.write_text(content, encoding="utf-8")
    assert train.main(["--settings", str(file)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("train.py: ") and error.count("\n") == 1


def failure(arguments, capsys):
    assert train.main([str(argument) for argument in arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("train.py: ") and said.count("\n") == 1
    return said


def test_failures_end_with_1_and_one_line(whole, small_data, tmp_path, capsys):
    assert "has neither train-images" in failure(["--data", tmp_path], capsys)
    assert "is there already" in failure([*SMALL, "--data", small_data, "--out", whole], capsys)
    assert "no such file" in failure(["--resume", tmp_path / "nowhere", "--data", small_data], capsys)
    (tmp_path / "settings.json").write_text(DEEP, encoding="utf-8")
    assert "settings.json: " in failure(["--resume", tmp_path, "--data", small_data], capsys)
    other = tmp_path / "other"
    other.mkdir()
    assert "trained on other data" in failure(["--resume", whole, "--data", write_folder(other, 500, 100)], capsys)


@pytest.mark.parametrize("damage", ["truncated", "another network's"])
def test_a_damaged_checkpoint_is_refused(damage, whole, small_data, tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    checkpoint = (whole / "checkpoint.npz").read_bytes()
    (folder / "checkpoint.npz").write_bytes(checkpoint[:len(checkpoint) // 2] if damage == "truncated" else checkpoint)
    (folder / "settings.json").write_text(json.dumps(recipe("784-17-10").to_dict()), encoding="utf-8")
    assert "checkpoint.npz" in failure(["--resume", folder, "--data", small_data], capsys)


def script(*arguments, python=()):
    """Runs a command of the trainer in another folder, as a person would. Returns the finished process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([sys.executable, *python, *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.parametrize("name", ["train", "evaluate", "predict"])
def test_every_command_has_help_with_an_example(name):
    done = script(ROOT / "trainer" / f"{name}.py", "--help")
    assert done.returncode == 0 and f"example: python trainer/{name}.py" in " ".join(done.stdout.split())


def test_train_also_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "trainer.train", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("usage: train.py")


@pytest.mark.parametrize("name, packages", [
    ("train", "numpy matplotlib pillow tqdm fonttools Hershey-Fonts unlzw3"), ("evaluate", "numpy tqdm"), ("predict", "numpy pillow")])
def test_without_its_packages_a_command_says_in_one_line_what_to_install(name, packages):
    done = script(ROOT / "trainer" / f"{name}.py", python=["-S"])  # -S: without site-packages
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.endswith(f"Install with: python -m pip install {packages}\n")


def test_the_pages_settings_file_is_taken_as_it_is(small_data, tmp_path):
    page = Settings(arch="784-16-10", optimizer="rmsprop", decay=0.95, epochs=1, batch_size=50, seed=3, images=120, augment=False)
    file, folder = tmp_path / "settings.json", tmp_path / "run"
    file.write_text(json.dumps(page.to_dict()))
    assert train.choose_settings({}, file) == [page]
    assert train.main(["--settings", str(file), "--data", str(small_data), "--no-drawings", "--out", str(folder)]) == 0
    assert json.loads((folder / "settings.json").read_text()) == page.to_dict()
    run = runs.Run.resume(folder, train.load_digits(small_data))
    assert run.optimizer.n_steps == 3  # 120 images in batches of 50
