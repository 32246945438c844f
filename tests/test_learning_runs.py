"""A run for a busy front end: cut into slices it is the same run, and it can be led, written down, taken up and saved from itself."""

import json

import numpy as np
import pytest

from inkling import learning, weights
from inkling.learning import Run, images_at_once, read_checkpoint
from inkling.settings import Settings
from inkling.training import train

MLP = {"arch": "784-16-10", "batch_size": 16, "epochs": 3, "learning_rate": 0.01, "augment": False}


@pytest.fixture(scope="module")
def data():
    """(150 images of ten made-up classes, 40 for validation), as bytes."""
    rng = np.random.default_rng(21)
    labels = rng.integers(0, 10, 190)
    patterns = rng.random((10, 28, 28), np.float32)
    images = np.rint(255 * (0.7 * patterns[labels] + 0.3 * rng.random((190, 28, 28), np.float32))).astype(np.uint8)
    return (images[:150], labels[:150]), (images[150:], labels[150:])


@pytest.fixture
def small_slices(monkeypatch):
    """Five images at a time through MLP's network, so that no batch goes through whole."""
    monkeypatch.setattr(learning, "WORK_AT_ONCE", 5 * weights.work(Settings.from_dict(MLP).make_model()))


def make(data, **values):
    return Run(Settings.from_dict(MLP | values), *data)


def finish(run):
    """The run at its end, and all that it reported."""
    steps, validations = [], []
    while True:
        busy = run.advance(1)
        report = run.report()
        steps += report["steps"]
        validations += report["validations"]
        if not busy:
            return run, steps, validations


def same_weights(first, second):
    return all((a == b).all() for a, b in zip(first.model.parameters().values(), second.model.parameters().values(), strict=True))


@pytest.mark.parametrize("values", [{}, {"optimizer": "momentum", "l2": 0.01, "clip_norm": 0.5}, {"arch": "convnet-4-6-20", "epochs": 1}], ids=str)
def test_in_parts_a_run_is_the_whole_run_up_to_rounding(values, data, monkeypatch):
    settings = Settings.from_dict(MLP | values)
    monkeypatch.setattr(learning, "WORK_AT_ONCE", 5 * weights.work(settings.make_model()))
    model = settings.make_model()
    whole = list(train(model, settings.make_optimizer(), *data[0], settings))
    run, steps, _ = finish(make(data, **values))
    assert [step["loss"] for step in steps] == pytest.approx([progress.loss for progress in whole], rel=1e-4)
    assert steps[0]["accuracy"] == whole[0].accuracy and len(steps) == len(whole)
    for key, array in model.parameters().items():
        np.testing.assert_allclose(run.model.parameters()[key], array, atol=2e-4)


def test_the_same_run_twice_is_bit_for_bit_the_same(data, small_slices):
    first, second = finish(make(data, augment=True, dropout=0.2)), finish(make(data, augment=True, dropout=0.2))
    assert first[1:] == second[1:]
    assert same_weights(first[0], second[0])


def test_a_slice_is_as_many_images_as_the_network_has_time_for():
    convnet, mlp = (Settings(arch=arch).make_model() for arch in ("convnet", "784-128-64-10"))
    assert 4 <= images_at_once(convnet) <= 12 and 30 <= images_at_once(mlp) <= 60
    assert images_at_once(Settings(arch="784-9999-9999-10").make_model()) == 1


def test_it_validates_before_the_first_step_and_twice_an_epoch(data):
    _, steps, validations = finish(make(data))
    assert [validation["step"] for validation in validations] == [0, 5, 10, 15, 20, 25, 30]
    assert [step["step"] for step in steps] == list(range(1, 31))
    assert validations[-1]["accuracy"] > 0.8 > 0.3 > validations[0]["accuracy"]


def test_a_report_says_only_what_is_new(data):
    run = make(data)
    run.advance(0.001)
    while run.n_steps < 4:
        run.advance(0.001)
    assert [step["step"] for step in run.report()["steps"]] == [1, 2, 3, 4]
    report = run.report()
    assert report["steps"] == [] and report["step"] == 4 and report["total_steps"] == 30 and report["images_per_second"] > 0


def test_a_network_answers_the_same_between_two_parts_of_a_step(data, small_slices):
    run = make((data[0], None))
    before = run.model.predict_logits(data[1][0] / np.float32(255))
    run.advance(0.0001)  # one of four parts
    assert run.n_steps == 0
    assert (run.model.predict_logits(data[1][0] / np.float32(255)) == before).all()
    same = make((data[0], None))
    finish(run), finish(same)
    assert same_weights(run, same)  # having been asked makes no difference


def test_pause_step_resume_and_stop(data):
    run = make(data)
    run.advance(0.0001)
    run.steer("pause")
    done = run.n_steps
    assert run.advance(50) is False and (run.state, run.n_steps) == ("paused", done)
    run.steer("step")
    run.advance(1e4)
    assert (run.state, run.n_steps) == ("paused", done + 1)
    run.steer("resume")
    while run.n_steps < 20:
        run.advance(0.0001)
    run.steer("stop")
    assert run.advance(50) is False and run.result()["state"] == "stopped" and run.result()["step"] == 20
    run.steer("resume")
    assert run.state == "stopped"
    with pytest.raises(ValueError, match="action is 'jump'; it must be pause, resume, step or stop"):
        run.steer("jump")


def test_a_new_learning_rate_scales_the_schedule_from_then_on(data):
    run = make(data, schedule="constant")
    while run.n_steps < 10:
        run.advance(0.0001)
    run.set_learning_rate(0.003)
    _, steps, _ = finish(run)
    assert [step["learning_rate"] for step in steps] == pytest.approx([0.01] * 10 + [0.003] * 20)
    for nonsense in (0, -1, float("nan"), "0.1", None):
        with pytest.raises(ValueError, match="learning_rate"):
            run.set_learning_rate(nonsense)


@pytest.mark.parametrize("values", [{"optimizer": "sgd"}, {"dropout": 0.3, "augment": True}, {"optimizer": "nesterov"}], ids=str)
@pytest.mark.parametrize("at", [0, 3, 10, 17])
def test_a_run_taken_up_from_a_checkpoint_ends_bit_for_bit_like_one_that_never_stopped(values, at, data, small_slices):
    whole, _, _ = finish(make(data, **values))
    run = make(data, **values)
    while run.n_steps < at:
        run.advance(0.0001)
    checkpoint = run.checkpoint()
    run.advance(0.0001)  # into the next step, whose beginning is not kept
    again = Run.resume(*read_checkpoint(checkpoint), *data)
    assert (again.n_steps, again.latest_validation) == (at, run.latest_validation)
    again, steps, _ = finish(again)
    assert steps[0]["step"] == at + 1
    assert same_weights(again, whole) and again.result()["images"] == whole.result()["images"]


def test_a_changed_learning_rate_survives_a_checkpoint(data):
    run = make(data, schedule="constant")
    run.set_learning_rate(0.002)
    _, steps, _ = finish(Run.resume(*read_checkpoint(run.checkpoint()), *data))
    assert [step["learning_rate"] for step in steps] == pytest.approx([0.002] * 30)


def test_what_is_no_checkpoint_is_refused(data):
    run = make(data)
    good = run.checkpoint()
    for npz in (b"", b"PK no zip", good[:-500], weights.dumps(run.model)):
        with pytest.raises(ValueError, match="no checkpoint of a training run .*; start the run again"):
            read_checkpoint(npz)
    facts, groups = read_checkpoint(good)
    for changed in ({"spec": {}}, {"settings": {"epochs": 0}}, {"place": {"place": 1}}, {"spec": Settings(arch="784-9-10").make_model().spec()}):
        with pytest.raises(ValueError, match="does not fit together"):
            Run.resume(facts | changed, groups, *data)
    facts.pop("latest")
    with pytest.raises(ValueError, match="does not fit together"):
        Run.resume(facts, groups, *data)


@pytest.mark.parametrize("optimizer, rate", [("sgd", 1e30), ("momentum", 1e20), ("adam", 1e30)])
def test_a_run_that_diverges_stops_with_the_last_good_weights_and_says_what_to_lower(optimizer, rate, data):
    run, steps, validations = finish(make(data, optimizer=optimizer, learning_rate=rate, schedule="constant"))
    assert run.state == "diverged" and "Lower the learning rate" in run.message and "clip_norm" in run.message
    assert f"after step {validations[-1]['step'] if validations[-1]['loss'] is not None else 0} are back" in run.message
    assert all(np.isfinite(array).all() for array in run.model.parameters().values())
    assert weights.load(run.result()["weights"]).n_parameters == run.model.n_parameters
    json.dumps([steps, validations], allow_nan=False)  # a loss that is no number is null


def test_good_weights_are_those_of_the_latest_validation(data):
    run = make(data, schedule="constant")
    while run.n_steps < 12:
        run.advance(0.0001)
    run.set_learning_rate(1e30)
    good = {key: array.copy() for key, array in run._good[1].items()}
    run, *_ = finish(run)
    assert run.state == "diverged" and "The weights after step 10 are back" in run.message
    assert all((run.model.parameters()[key] == array).all() for key, array in good.items())


def test_the_result_says_on_how_many_images_it_was_measured(data):
    train, validation = data
    assert finish(make(data))[0].result()["validation_images"] == 40
    assert Run(Settings.from_dict(MLP), train).result()["validation_images"] == 0


def test_the_result_is_a_weights_file_of_the_network_to_the_last_bit(data):
    run, _, validations = finish(make(data))
    result = run.result()
    model = weights.load(result["weights"])
    assert all((model.parameters()[key] == array).all() for key, array in run.model.parameters().items())
    assert result["validation"] == validations[-1] and result["images"] == 450 and result["parameters"] == model.n_parameters
    assert Settings.from_dict(result["settings"]) == run.settings
