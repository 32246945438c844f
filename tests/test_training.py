"""Training: the same seed for the same weights, and going on where it stopped."""

import numpy as np
import pytest

from inkling.layers import Dense
from inkling.model import Sequential
from inkling.optimizers import OPTIMIZERS
from inkling.training import Place, Progress, Settings, evaluate, train

MLP = {"arch": "784-16-10", "batch_size": 16, "epochs": 3, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def data():
    """150 images of ten made-up classes: a random pattern each, and noise over it."""
    rng = np.random.default_rng(21)
    labels = rng.integers(0, 10, 150)
    patterns = rng.random((10, 28, 28), np.float32)
    return (0.7 * patterns[labels] + 0.3 * rng.random((150, 28, 28), np.float32)).astype(np.float32), labels


def shifted(images, rng):
    """An augmentation: each batch moves sideways by a random number of pixels."""
    return np.roll(images, int(rng.integers(-2, 3)), axis=2)


def run(data, values, augment=None):
    """A whole run -> (model, what it reported)."""
    settings = Settings.from_dict(values)
    model = settings.make_model()
    return model, list(train(model, settings.make_optimizer(), *data, settings, augment=augment))


def same_weights(first, second):
    return all((a == b).all() for a, b in zip(first.parameters().values(), second.parameters().values(), strict=True))


@pytest.mark.parametrize("values", [MLP, {**MLP, "dropout": 0.3, "optimizer": "nesterov"}, {**MLP, "arch": "convnet", "epochs": 1}], ids=str)
def test_the_same_seed_gives_the_same_weights_bit_for_bit(values, data):
    first, first_log = run(data, values, shifted)
    second, second_log = run(data, values, shifted)
    assert same_weights(first, second)
    assert first_log == second_log


@pytest.mark.parametrize("changed", [{"seed": 1}, {"augment": False}, {"dropout": 0.1}, {"batch_size": 15}, {"l2": 0.01}, {"clip_norm": 0.01},
                                     {"label_smoothing": 0.1}, {"weight_decay": 0.5}, {"warmup": 0.5}, {"schedule": "cosine"},
                                     {"learning_rate": 0.02}], ids=str)
def test_every_setting_makes_a_difference(changed, data):
    first, _ = run(data, {**MLP, "epochs": 1}, shifted)
    second, _ = run(data, {**MLP, "epochs": 1, **changed}, shifted)
    assert not same_weights(first, second)


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_momentum_reaches_the_optimizers_that_have_one(optimizer, data):
    first, _ = run(data, {**MLP, "epochs": 1, "optimizer": optimizer})
    second, _ = run(data, {**MLP, "epochs": 1, "optimizer": optimizer, "momentum": 0.5})
    assert not same_weights(first, second)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_going_on_at_an_epoch_equals_a_run_that_never_stopped(optimizer, data):
    settings = Settings.from_dict({**MLP, "optimizer": optimizer, "dropout": 0.2})
    whole, log = run(data, settings.to_dict(), shifted)

    model, stopped = settings.make_model(), settings.make_optimizer()
    steps = train(model, stopped, *data, settings, augment=shifted)
    first = [next(steps) for _ in range(10)]  # 150 images in batches of 16
    resumed, optimizer_again = Sequential.from_spec(model.spec()), settings.make_optimizer()
    resumed.set_parameters(model.parameters())
    optimizer_again.load_state(stopped.state(), model.params_and_grads())
    rest = list(train(resumed, optimizer_again, *data, settings, augment=shifted, start=Place(1)))
    assert first + rest == log
    assert same_weights(resumed, whole)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_loss_falls_and_the_answers_become_right(optimizer, data):
    learning_rate = {"sgd": 0.1, "adagrad": 0.02, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.001}.get(optimizer, 0.005)
    model, log = run(data, {**MLP, "arch": "784-64-10", "optimizer": optimizer, "learning_rate": learning_rate, "epochs": 12})
    assert np.mean([progress.loss for progress in log[-10:]]) < 0.3 * np.mean([progress.loss for progress in log[:3]])
    assert evaluate(model, *data)[0] > 0.95


def test_the_convnet_learns_too(data):
    _, log = run(data, {"arch": "convnet", "batch_size": 32, "epochs": 8, "learning_rate": 0.005})
    assert log[-1].loss < 0.5 * log[0].loss


def test_nothing_moves_until_a_step_is_taken(data):
    settings = Settings.from_dict(MLP)
    model, optimizer = settings.make_model(), settings.make_optimizer()
    before = {key: array.copy() for key, array in model.parameters().items()}
    calls = []
    steps = train(model, optimizer, *data, settings, augment=lambda images, rng: calls.append(1) or images)
    assert all((model.parameters()[key] == array).all() for key, array in before.items())
    for n in (1, 2):
        next(steps)
        assert len(calls) == n and optimizer.n_steps == n
    steps.close()
    assert optimizer.n_steps == 2


def test_progress_counts_steps_epochs_and_images(data):
    _, log = run(data, {**MLP, "schedule": "constant"})
    assert [progress.step for progress in log] == list(range(30))
    assert [progress.epoch for progress in log] == [0] * 10 + [1] * 10 + [2] * 10
    assert [progress.n_images for progress in log] == ([16] * 9 + [6]) * 3
    assert {(progress.total_steps, progress.learning_rate) for progress in log} == {(30, 0.01)}
    assert isinstance(log[0], Progress) and type(log[0].loss) is float and 0 <= log[0].accuracy <= 1


def test_loss_and_accuracy_are_those_before_the_step(data):
    settings = Settings.from_dict({**MLP, "batch_size": 150})
    model = settings.make_model()
    accuracy, _ = evaluate(model, *data)
    first = next(train(model, settings.make_optimizer(), *data, settings))
    assert first.accuracy == pytest.approx(accuracy)


def order_of(seed):
    """Which of ten images a run of two epochs takes, in order."""
    images = np.repeat(np.arange(10, dtype=np.float32), 784).reshape(10, 28, 28)
    seen = []

    def spy(batch, rng):
        seen.extend(batch[:, 0, 0].astype(int).tolist())
        return batch

    run((images, np.zeros(10, int)), {**MLP, "batch_size": 4, "epochs": 2, "seed": seed}, spy)
    return seen


def test_every_image_is_seen_once_an_epoch_in_another_order_each_time():
    seen = order_of(seed=0)
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_the_seed_decides_the_order():
    assert order_of(seed=0) == order_of(seed=0) != order_of(seed=1)


def test_labels_stay_with_their_images(data):
    # A batch is a permutation: if labels came in another order, nothing could be learned from single-pixel images.
    labels = np.arange(60) % 10
    images = np.zeros((60, 28, 28), np.float32)
    images[np.arange(60), labels, 0] = 1
    model, _ = run((images, labels), {**MLP, "arch": "784-10", "epochs": 10, "learning_rate": 0.1})
    assert evaluate(model, images, labels)[0] == 1


def test_the_learning_rate_follows_the_schedule(data):
    _, log = run(data, {**MLP, "optimizer": "sgd", "schedule": "one-cycle", "warmup": 0.2})
    rates = [progress.learning_rate for progress in log]
    assert max(rates) == rates[6] == pytest.approx(0.01)
    assert rates[0] < rates[3] < rates[6] > rates[20] > rates[29]


def test_augmentation_is_used_only_if_the_settings_want_it(data):
    calls = []

    def augment(images, rng):
        calls.append((images.shape, images.dtype, type(rng)))
        return images

    run(data, {**MLP, "epochs": 1, "augment": False}, augment)
    assert calls == []
    run(data, {**MLP, "epochs": 1}, augment)
    assert calls[0] == ((16, 28, 28), np.float32, np.random.Generator) and len(calls) == 10


def test_augmentation_leaves_the_data_alone(data):
    images, labels = data
    before = images.copy()

    def spoil(batch, rng):
        batch[:] = 0
        return batch

    run((images, labels), {**MLP, "epochs": 1}, spoil)
    assert (images == before).all()


def test_l2_keeps_the_weights_smaller(data):
    plain, _ = run(data, {**MLP, "optimizer": "sgd"})
    held, _ = run(data, {**MLP, "optimizer": "sgd", "l2": 1.0})
    assert np.abs(held.parameters()["0.W"]).mean() < 0.9 * np.abs(plain.parameters()["0.W"]).mean()


def test_clipping_bounds_how_far_a_step_goes(data):
    settings = Settings.from_dict({**MLP, "optimizer": "sgd", "schedule": "constant", "learning_rate": 1.0, "clip_norm": 0.01})
    model = settings.make_model()
    before = {key: array.copy() for key, array in model.parameters().items()}
    next(train(model, settings.make_optimizer(), *data, settings))
    moved = sum(float(((array - before[key]) ** 2).sum()) for key, array in model.parameters().items()) ** 0.5
    assert moved == pytest.approx(0.01, rel=1e-3)


def test_a_wrong_label_is_refused_before_anything_moves(data):
    settings = Settings.from_dict(MLP)
    model, optimizer = settings.make_model(), settings.make_optimizer()
    with pytest.raises(ValueError, match=r"labels must be 16 integers from -1 \(none\) to 9"):
        next(train(model, optimizer, data[0], data[1] + 10, settings))
    assert optimizer.n_steps == 0


def test_evaluate_counts_truth_in_rows_and_answers_in_columns():
    model = Sequential([Dense(784, 10)], (784,))
    W = np.zeros((784, 10), np.float32)
    W[:10] = np.eye(10)
    model.set_parameters({"0.W": W, "0.b": np.zeros(10)})  # answers with the brightest of the first ten pixels
    images = np.zeros((5, 28, 28), np.float32)
    images[np.arange(5), 0, [3, 3, 7, 1, 3]] = 1
    accuracy, confusion = evaluate(model, images, np.array([3, 5, 7, 7, 3]))
    assert accuracy == pytest.approx(3 / 5)
    expected = np.zeros((10, 10), int)
    expected[3, 3], expected[5, 3], expected[7, 7], expected[7, 1] = 2, 1, 1, 1
    assert (confusion == expected).all()


def test_a_batch_in_parts_takes_the_same_step_up_to_rounding(data):
    settings = Settings.from_dict({**MLP, "batch_size": 50, "l2": 0.01, "clip_norm": 1.0})
    whole, parts = settings.make_model(), settings.make_model()
    log = list(train(whole, settings.make_optimizer(), *data, settings))
    turns = list(train(parts, settings.make_optimizer(), *data, settings, part=7))
    assert turns.count(None) == 9 * 7  # eight parts a step, and a turn between each two
    in_parts = [turn for turn in turns if turn is not None]
    assert [progress.loss for progress in in_parts] == pytest.approx([progress.loss for progress in log], rel=1e-5)
    assert [progress.accuracy for progress in in_parts] == [progress.accuracy for progress in log]
    for key, array in whole.parameters().items():
        np.testing.assert_allclose(parts.parameters()[key], array, atol=1e-5)


def test_a_run_goes_on_in_the_middle_of_an_epoch(data):
    settings = Settings.from_dict({**MLP, "dropout": 0.2})
    whole, log = run(data, settings.to_dict(), shifted)
    model, optimizer = settings.make_model(), settings.make_optimizer()
    steps = train(model, optimizer, *data, settings, augment=shifted)
    first = [next(steps) for _ in range(13)]
    rest = list(train(model, optimizer, *data, settings, augment=shifted, start=first[-1].next))
    assert first + rest == log and same_weights(model, whole)


def test_another_schedule_takes_the_place_of_the_settings(data):
    settings = Settings.from_dict(MLP)
    log = list(train(settings.make_model(), settings.make_optimizer(), *data, settings, schedule=lambda step: 0.001 * step))
    assert [progress.learning_rate for progress in log] == [0.001 * step for step in range(30)]
