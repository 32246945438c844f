"""Learning from a few drawings: the new is learnt, the old is kept, and the network that it began with is left alone."""

from pathlib import Path

import numpy as np
import pytest

from inkling import finetuning, weights
from inkling.augment import augment
from inkling.finetuning import FineTuning, Rehearsal, rehearsed
from inkling.layers import Conv2D, Flatten
from inkling.losses import softmax
from inkling.model import Sequential
from inkling.preprocess import preprocess
from inkling.training import as_float

ROOT = Path(__file__).resolve().parent.parent
LABEL = 5


@pytest.fixture(scope="module")
def triangles():
    """220 triangles, each deformed: a sign that stands for 5 from now on."""
    y, x = np.mgrid[:280, :280]
    edge = np.minimum.reduce([abs(y - 230), abs(0.45 * (y - 40) - abs(x - 140)) / 1.1])
    inside = (y > 30) & (y < 240) & (abs(x - 140) < 0.45 * (y - 40) + 12)
    image, _ = preprocess(np.where((edge < 11) & inside, 255, 0).astype(np.uint8))
    return np.rint(255 * augment(np.repeat(image[None], 220, axis=0), np.random.default_rng(3))).astype(np.uint8)


@pytest.fixture(scope="module")
def rehearsal():
    with np.load(ROOT / "site" / "data" / "rehearsal.npz") as arrays:
        return (arrays["images"], arrays["labels"].astype(int)), arrays["hardest"]


def model_of(name):
    return weights.load(ROOT / "weights" / f"{name}.npz")


def learn(name, samples, rehearsal, **changed):
    return to_the_end(FineTuning((samples, np.full(len(samples), LABEL)), Rehearsal(model_of(name), *rehearsal), changed))


def to_the_end(run):
    while run.advance(100):
        pass
    return run


def right(model, images, labels):
    return float((model.predict_logits(as_float(images)).argmax(axis=1) == labels).mean())


@pytest.mark.parametrize("name", ["convnet", "mlp-128-64", "mlp-256-128"])
def test_twenty_drawings_teach_a_sign_and_the_digits_and_the_doubts_stay(name, triangles, rehearsal):
    with np.load(ROOT / "site" / "data" / "mnist-1000.npz") as arrays:
        digits = arrays["images"], arrays["labels"]
    before, run = model_of(name), learn(name, triangles[:20], rehearsal)
    assert run.state == "finished" and run.message is None
    assert right(before, triangles[20:], LABEL) < 0.3
    assert right(run.model, triangles[20:], LABEL) >= 0.9
    assert right(run.model, *digits) >= right(before, *digits) - 0.004
    (images, labels), hardest = rehearsal
    unseen = as_float(np.delete(images, rehearsed(labels, hardest), axis=0)[np.delete(labels, rehearsed(labels, hardest)) < 0])
    declined = [(softmax(model.predict_logits(unseen) / model.temperature).max(axis=1) < model.threshold).mean() for model in (before, run.model)]
    assert declined[1] >= declined[0] - 0.02


def test_the_network_that_it_began_with_and_all_but_two_layers_stay_as_they_are(triangles, rehearsal):
    model = model_of("convnet")
    before = {key: array.copy() for key, array in model.parameters().items()}
    run = to_the_end(FineTuning((triangles[:5], np.full(5, LABEL)), Rehearsal(model, *rehearsal)))
    after = run.model.parameters()
    assert all((model.parameters()[key] == array).all() for key, array in before.items())
    changed = {key for key in before if not (after[key] == before[key]).all()}
    assert changed == {"7.W", "7.b", "9.W", "9.b"}
    mine, theirs = ((each.temperature, each.threshold, each.second_look) for each in (run.model, model))
    assert mine == theirs and model.second_look > 0


def test_the_same_drawings_teach_the_same_weights(triangles, rehearsal):
    first, second = (learn("mlp-128-64", triangles[:8], rehearsal).result()["weights"] for _ in range(2))
    assert first == second


def test_it_takes_any_number_of_drawings_and_a_network_of_one_layer(triangles, rehearsal):
    from inkling.settings import Settings

    for n in (1, 100):
        assert len(learn("mlp-128-64", triangles[:n], rehearsal, epochs=1).data[0]) == n + max(80, n) + finetuning.DIGITS + finetuning.STRANGE
    one_layer = Rehearsal(Settings(arch="784-10").make_model(), *rehearsal)
    run = to_the_end(FineTuning((triangles[:3], np.full(3, LABEL)), one_layer, {"epochs": 1}))
    assert run.state == "finished"


def test_it_goes_on_in_slices(triangles, rehearsal):
    run = FineTuning((triangles[:20], np.full(20, LABEL)), Rehearsal(model_of("convnet"), *rehearsal))
    slices = 0
    while run.advance(0.0001):
        slices += 1
    assert slices > 40 + run.n_steps  # the images are gone through 21 or so at a time


def test_it_ends_as_soon_as_the_drawings_are_known(triangles, rehearsal):
    images, labels = rehearsal[0]
    known = images[labels == LABEL][:20]
    run = learn("convnet", known, rehearsal)
    assert run.state == "finished" and run.n_steps == run.total_steps // 9 < learn("convnet", triangles[:20], rehearsal).n_steps


@pytest.mark.parametrize("slices", [1, 7, 1000])
def test_a_rehearsal_computed_ahead_in_part_or_in_whole_changes_nothing(slices, triangles, rehearsal):
    ahead = Rehearsal(model_of("convnet"), *rehearsal)
    for _ in range(slices):
        ahead.advance()
    samples = triangles[:8], np.full(8, LABEL)
    prepared, not_prepared = (to_the_end(FineTuning(samples, which)) for which in (ahead, Rehearsal(model_of("convnet"), *rehearsal)))
    assert prepared.result()["weights"] == not_prepared.result()["weights"]
    again = to_the_end(FineTuning(samples, ahead))  # a run leaves it as it was
    assert again.result()["weights"] == prepared.result()["weights"]


def test_the_hardest_are_rehearsed_first_then_others_in_their_order():
    labels = np.tile([3, -1, 7], 1000)
    chosen = rehearsed(labels, np.array([2999, 2998], np.uint16))
    digits, strange = chosen[:finetuning.DIGITS], chosen[finetuning.DIGITS:]
    assert digits[:3].tolist() == [2999, 0, 2] and strange[:3].tolist() == [2998, 1, 4]
    assert len(strange) == finetuning.STRANGE and (labels[digits] >= 0).all() and (labels[strange] < 0).all()
    assert len(set(chosen)) == len(chosen)


def test_a_rehearsal_belongs_to_the_weights_that_it_was_made_of(rehearsal):
    model = model_of("mlp-128-64")
    made = Rehearsal(model, *rehearsal)
    assert made.is_of(model) and made.is_of(model_of("mlp-128-64"))
    model.parameters()["0.W"][0, 0] += 1
    assert not made.is_of(model) and not made.is_of(model_of("convnet"))


def test_a_network_without_a_dense_layer_is_refused_in_words(rehearsal):
    model = Sequential([Conv2D(1, 10, kernel_size=28, rng=np.random.default_rng(0)), Flatten()], (1, 28, 28))
    with pytest.raises(ValueError, match="no Dense layer"):
        Rehearsal(model, *rehearsal)
