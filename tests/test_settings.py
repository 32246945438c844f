"""Settings: one JSON document for the command line and the page, which says what is wrong with it."""

import json

import pytest

from inkling.optimizers import OPTIMIZERS, SCHEDULES
from inkling.training import Settings


def test_settings_survive_json():
    settings = Settings(arch="784-30-10", optimizer="nesterov", clip_norm=2.5, augment=False, dropout=0.25, seed=7)
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert Settings.from_dict({}) == Settings()


def test_settings_make_what_they_name():
    settings = Settings(arch="784-30-10", optimizer="adamw", learning_rate=0.3, weight_decay=0.7, schedule="cosine")
    optimizer = settings.make_optimizer()
    assert (optimizer.learning_rate, optimizer.weight_decay) == (0.3, 0.7)
    assert settings.make_model().spec()["layers"][0] == {"type": "Dense", "n_in": 784, "n_out": 30, "initializer": "he"}
    assert settings.make_schedule(10)(0) == pytest.approx(0.3) and settings.make_schedule(10)(5) == pytest.approx(0.15)
    assert Settings(optimizer="nesterov", momentum=0.6).make_optimizer().momentum == 0.6


def test_every_optimizer_and_schedule_can_be_named():
    for optimizer in OPTIMIZERS:
        assert type(Settings(optimizer=optimizer).make_optimizer()) is OPTIMIZERS[optimizer]
    for schedule in SCHEDULES:
        assert Settings(schedule=schedule).make_schedule(100)(50) > 0


@pytest.mark.parametrize("key, value", [
    ("batch_size", 0), ("batch_size", -5), ("batch_size", 2.5), ("batch_size", "128"), ("batch_size", True), ("batch_size", None),
    ("epochs", 0), ("epochs", 1.0), ("epochs", True), ("seed", -1), ("seed", 0.5), ("seed", "0"),
    ("learning_rate", 0), ("learning_rate", -0.1), ("learning_rate", float("inf")), ("learning_rate", float("nan")), ("learning_rate", "0.1"),
    ("learning_rate", True), ("learning_rate", None),
    ("weight_decay", -0.1), ("weight_decay", float("nan")), ("weight_decay", float("inf")), ("l2", -1), ("l2", "1"), ("l2", None),
    ("l2", float("inf")),
    ("momentum", 1), ("momentum", -0.1), ("warmup", 1), ("warmup", -0.5), ("label_smoothing", 1), ("label_smoothing", -0.1),
    ("dropout", 1), ("dropout", -0.1), ("dropout", False), ("clip_norm", 0), ("clip_norm", -1), ("clip_norm", "1"), ("clip_norm", float("nan")),
    ("augment", 1), ("augment", "yes"), ("augment", None),
    ("optimizer", "sgdm"), ("optimizer", None), ("optimizer", ["sgd"]), ("schedule", "linear"), ("schedule", {}),
    ("arch", "resnet"), ("arch", ""), ("arch", None), ("arch", 784), ("arch", ["convnet"]),
])
def test_a_bad_setting_is_refused_by_name(key, value):
    with pytest.raises(ValueError, match=f"'{key}'"):
        Settings.from_dict({key: value})


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(ValueError, match="no such setting: beta, lr"):
        Settings.from_dict({"lr": 0.1, "beta": 1, "epochs": 3})


@pytest.mark.parametrize("values", [None, [], "epochs=3", 5])
def test_settings_that_are_no_document_are_refused(values):
    with pytest.raises(ValueError, match="settings"):
        Settings.from_dict(values)


def test_the_parameters_of_each_optimizer_reach_it():
    settings = Settings(optimizer="adamw", beta1=0.8, beta2=0.9, decay=0.7, weight_decay=0.2)
    adamw = settings.make_optimizer()
    assert (adamw.beta1, adamw.beta2, adamw.weight_decay) == (0.8, 0.9, 0.2)
    assert Settings(optimizer="adam", beta1=0.8).make_optimizer().beta1 == 0.8
    assert Settings(optimizer="rmsprop", decay=0.7).make_optimizer().decay == 0.7


@pytest.mark.parametrize("key, value", [("images", 0), ("images", 1.5), ("images", True), ("beta1", 1), ("beta2", -0.1), ("decay", "0.9")])
def test_the_newer_settings_are_checked_too(key, value):
    with pytest.raises(ValueError, match=f"setting '{key}' is"):
        Settings.from_dict({key: value})


def test_convolutions_of_any_sizes_can_be_named():
    assert Settings(arch="convnet").make_model().spec() == Settings(arch="convnet-16-32-224").make_model().spec()
    bare, deep = (Settings(arch=arch).make_model() for arch in ("convnet-4-6", "convnet-4-6-30-20"))
    assert [type(layer).__name__ for layer in bare.layers].count("Dense") == 1 and bare.output_shapes[-1] == (10,)
    assert [layer.config["n_out"] for layer in deep.layers if type(layer).__name__ == "Dense"] == [30, 20, 10]
    for nonsense in ("convnet-4", "convnet-0-4", "convnet-4-6-0", "convnet-4-6-"):
        with pytest.raises(ValueError, match="unknown"):
            Settings(arch=nonsense)
