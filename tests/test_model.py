"""Sequential: specs there and back, batches, and a whole small network against PyTorch and finite differences."""

import json

import numpy as np
import pytest
from gradcheck import assert_gradient
from references import assert_network_matches, load_references

from inkling.layers import Dense, ReLU
from inkling.losses import softmax_cross_entropy
from inkling.model import Sequential, architecture
from inkling.views import views

REFERENCES = load_references("network")
EVERY_LAYER = {"input_shape": [1, 9, 9], "layers": [
    {"type": "Conv2D", "channels_in": 1, "channels_out": 3, "kernel_size": 3, "padding": 1}, {"type": "ReLU"}, {"type": "MaxPool2D"},
    {"type": "Conv2D", "channels_in": 3, "channels_out": 4, "kernel_size": 2, "stride": 2}, {"type": "ReLU"}, {"type": "MaxPool2D", "pool_size": 1},
    {"type": "Flatten"}, {"type": "Dropout", "rate": 0.3}, {"type": "Dense", "n_in": 16, "n_out": 12}, {"type": "ReLU"},
    {"type": "Dense", "n_in": 12, "n_out": 10, "initializer": "glorot"}]}


@pytest.fixture
def rng():
    return np.random.default_rng(12)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_small_network_trains_as_it_does_in_pytorch(name):
    assert_network_matches(REFERENCES[name])


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_a_whole_network_s_gradients_match_finite_differences(label_smoothing, rng):
    model = Sequential.from_spec(EVERY_LAYER, rng)
    for layer in model.layers:
        layer.params = {name: array.astype(float) + 0.01 for name, array in layer.params.items()}
    x, labels = rng.standard_normal((3, 1, 9, 9)), np.array([0, 9, 4])

    def loss_and_grad():
        return softmax_cross_entropy(model.forward(x, np.random.default_rng(5)), labels, label_smoothing)

    model.backward(loss_and_grad()[1])
    parameters = model.parameters()
    assert len(parameters) == 8
    for (param, grad), key in zip(model.params_and_grads(), parameters, strict=True):
        assert param is parameters[key]
        assert_gradient(lambda: loss_and_grad()[0], param, grad, rng)


# Architectures and specs


@pytest.mark.parametrize("name, n_parameters", [
    ("convnet", 130_410), ("mlp-256-128", 235_146), ("mlp-128-64", 109_386), ("784-300-10", 238_510), ("784-10", 7_850), ("mlp-32", 25_450)])
def test_architectures_have_as_many_parameters_as_they_should(name, n_parameters):
    assert Sequential.from_spec(architecture(name)).n_parameters == n_parameters


def test_the_sizes_in_a_name_are_the_hidden_layers():
    assert architecture("mlp-256-128") == architecture("784-256-128-10")


@pytest.mark.parametrize("name", ["", "resnet", "mlp", "mlp-", "mlp-0", "mlp-a", "784", "784-300", "300-10", "784-300-11", "784--10",
                                  "784-99999-10", "convnet ", "mlp-64\n", "784-300-10-", "MLP-64"])
def test_a_name_of_no_architecture_is_refused_and_the_others_named(name):
    with pytest.raises(ValueError, match="is unknown; there are convnet, mlp-256-128, mlp-128-64, or sizes such as 784-300-10"):
        architecture(name)


def test_dropout_stands_before_every_dense_layer_but_an_mlp_s_first():
    def order(name):
        return [layer["type"] for layer in architecture(name, dropout=0.2)["layers"] if layer["type"] in ("Dense", "Dropout", "Flatten")]

    assert order("mlp-64-32") == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert order("convnet") == ["Flatten", "Dropout", "Dense", "Dropout", "Dense"]


@pytest.mark.parametrize("spec", [EVERY_LAYER, architecture("convnet", 0.1), architecture("784-20-10")], ids=["every layer", "convnet", "mlp"])
def test_a_spec_survives_json_and_gives_the_same_network(spec, rng):
    model = Sequential.from_spec(spec, np.random.default_rng(1))
    again = Sequential.from_spec(json.loads(json.dumps(model.spec())), np.random.default_rng(1))
    x = rng.random((2, *spec["input_shape"]), np.float32)
    assert again.spec() == model.spec()
    assert again.shapes() == model.shapes()
    assert (again.forward(x) == model.forward(x)).all()


@pytest.mark.parametrize("spec, message", [
    ({}, "layers"),
    ({"layers": [{"type": "ReLU"}]}, "input_shape"),
    ({"layers": [], "input_shape": [784]}, "not a model spec"),
    ({"layers": [{"type": "LSTM"}], "input_shape": [784]}, "'LSTM' is unknown; there are Dense, Conv2D"),
    ({"layers": [{"type": ["Dense"]}], "input_shape": [784]}, "not a model spec"),
    ({"layers": [{"n_in": 784, "n_out": 10}], "input_shape": [784]}, "type"),
    ({"layers": [{"type": "Dense", "n_in": 784}], "input_shape": [784]}, "n_out"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 10, "bias": False}], "input_shape": [784]}, "bias"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 10, "rng": 1}], "input_shape": [784]}, "rng"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 10, "initializer": "ones"}], "input_shape": [784]}, "initializer 'ones' is unknown"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 10.0}], "input_shape": [784]}, "n_out is 10.0; it must be a whole number"),
    ({"layers": [{"type": "Dense", "n_in": "784", "n_out": 10}], "input_shape": [784]}, "n_in is '784'"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 0}], "input_shape": [784]}, "n_out is 0"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 10}], "input_shape": [1, 28, 28]}, r"layer 0, Dense, can't take \(1, 28, 28\)"),
    ({"layers": [{"type": "Dense", "n_in": 784, "n_out": 9}, {"type": "Dense", "n_in": 8, "n_out": 10}], "input_shape": [784]},
     r"layer 1, Dense, can't take \(9,\): it needs \(8,\)"),
    ({"layers": [{"type": "Conv2D", "channels_in": 3, "channels_out": 1, "kernel_size": 3}], "input_shape": [1, 28, 28]}, "it needs 3 channels"),
    ({"layers": [{"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 3}], "input_shape": [784]}, "layer 0, Conv2D, can't take"),
    ({"layers": [{"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 29}], "input_shape": [1, 28, 28]}, "leaves nothing"),
    ({"layers": [{"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 3, "stride": 0}], "input_shape": [1, 28, 28]}, "stride is 0"),
    ({"layers": [{"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 3, "padding": -1}], "input_shape": [1, 9, 9]}, "padding is -1"),
    ({"layers": [{"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 3, "padding": 3}], "input_shape": [1, 9, 9]}, "padding is 3"),
    ({"layers": [{"type": "MaxPool2D", "pool_size": 0}], "input_shape": [1, 28, 28]}, "pool_size is 0"),
    ({"layers": [{"type": "MaxPool2D", "pool_size": 29}], "input_shape": [1, 28, 28]}, "leaves nothing"),
    ({"layers": [{"type": "MaxPool2D"}], "input_shape": [784]}, "layer 0, MaxPool2D, can't take"),
    ({"layers": [{"type": "Dropout", "rate": 1}], "input_shape": [784]}, "dropout rate is 1"),
    ({"layers": [{"type": "Dropout", "rate": "much"}], "input_shape": [784]}, "not a model spec"),
    ({"layers": [{"type": "ReLU"}], "input_shape": []}, r"input_shape is \[\]"),
    ({"layers": [{"type": "ReLU"}], "input_shape": [28.0, 28]}, "input_shape"),
    ({"layers": [{"type": "ReLU"}], "input_shape": "784"}, "input_shape"),
    ({"layers": [{"type": "ReLU"}], "input_shape": 784}, "not a model spec"),
    ({"layers": "ReLU", "input_shape": [784]}, "dictionary"),
    ({"layers": None, "input_shape": [784]}, "not a model spec"),
    ([], "not a model spec"), (None, "not a model spec"), ("convnet", "not a model spec"), (7, "not a model spec"),
], ids=lambda value: json.dumps(value)[:90])
def test_a_bad_spec_is_refused_with_a_word_on_why(spec, message):
    with pytest.raises(ValueError, match=message):
        Sequential.from_spec(spec)


def test_output_shapes_follow_an_example_through_the_network(rng):
    model = Sequential.from_spec(EVERY_LAYER, rng)
    x = rng.random((2, 1, 9, 9), np.float32)
    for layer, shape in zip(model.layers, model.output_shapes, strict=True):
        x = layer.forward(x)
        assert x.shape == (2, *shape)


# Parameters


def test_parameters_are_live_and_named_by_layer():
    model = Sequential([Dense(4, 3, rng=np.random.default_rng(0)), ReLU(), Dense(3, 2, rng=np.random.default_rng(1))], (4,))
    parameters = model.parameters()
    assert list(parameters) == ["0.W", "0.b", "2.W", "2.b"]
    parameters["2.b"][:] = [5, 7]
    parameters["2.W"][:] = 0
    assert model.forward(np.ones((1, 4), np.float32)).tolist() == [[5, 7]]


def test_set_parameters_copies_and_makes_float32():
    model = Sequential([Dense(2, 1)], (2,))
    arrays = {"0.W": np.array([[1.0], [2.0]]), "0.b": np.array([3.0], np.float16)}
    model.set_parameters(arrays)
    arrays["0.W"][:] = 100
    assert model.forward(np.array([[1, 1]], np.float32)).tolist() == [[6]]
    assert all(array.dtype == np.float32 for array in model.parameters().values())


@pytest.mark.parametrize("arrays, message", [
    ({"0.W": np.ones((2, 1))}, r"parameters are \['0.W'\]; the model needs \['0.W', '0.b'\]"),
    ({"0.W": np.ones((2, 1)), "0.b": np.ones(1), "1.W": np.ones(1)}, "1.W"),
    ({"0.W": np.ones((1, 2)), "0.b": np.ones(1)}, r"'0.W' is \(1, 2\); the model needs \(2, 1\)"),
])
def test_parameters_that_do_not_fit_change_nothing(arrays, message):
    model = Sequential([Dense(2, 1, rng=np.random.default_rng(0))], (2,))
    before = model.parameters()["0.W"].copy()
    with pytest.raises(ValueError, match=message):
        model.set_parameters(arrays)
    assert (model.parameters()["0.W"] == before).all()


def test_the_first_layer_skips_the_gradient_for_the_pixels_and_the_parameters_lose_nothing(rng):
    model = Sequential.from_spec(architecture("784-20-10"), rng)
    other = Sequential.from_spec(model.spec())
    other.set_parameters(model.parameters())
    other.layers[0].needs_input_grad = True
    x, labels = rng.random((4, 28, 28), np.float32), np.arange(4)
    for net in (model, other):
        net.backward(softmax_cross_entropy(net.forward(x), labels)[1])
    assert not model.layers[0].needs_input_grad
    for (_, grad), (_, expected) in zip(model.params_and_grads(), other.params_and_grads()):
        assert (grad == expected).all()


# Predicting


@pytest.mark.parametrize("name", ["convnet", "784-20-10"])
def test_every_network_reads_images_as_they_are(name, rng):
    model = Sequential.from_spec(architecture(name), rng)
    images = rng.random((3, 28, 28), np.float32)
    logits = model.predict_logits(images)
    assert logits.shape == (3, 10) and logits.dtype == np.float32
    np.testing.assert_allclose(model.predict_logits(images.reshape(3, 784)), logits)
    np.testing.assert_allclose(model.predict_logits(images.reshape(3, 1, 28, 28)), logits)


@pytest.mark.parametrize("name", ["convnet", "784-20-10"])
def test_the_batch_size_does_not_matter(name, rng):
    model = Sequential.from_spec(architecture(name), rng)
    images = rng.random((7, 28, 28), np.float32)
    one_by_one = np.concatenate([model.predict_logits(image[None]) for image in images])
    for batch_size in (1, 3, 7, 100):
        np.testing.assert_allclose(model.predict_logits(images, batch_size), one_by_one, atol=1e-5)


def test_no_images_give_no_logits(rng):
    model = Sequential.from_spec(architecture("784-20-10"), rng)
    assert model.predict_logits(np.empty((0, 28, 28), np.float32)).shape == (0, 10)


def test_dropout_is_silent_while_predicting(rng):
    model = Sequential.from_spec(architecture("784-20-10", dropout=0.5), rng)
    images = rng.random((2, 28, 28), np.float32)
    assert (model.predict_logits(images) == model.predict_logits(images)).all()
    assert (model.forward(images, rng) != model.forward(images, rng)).any()


# A second look


@pytest.fixture
def undecided(rng):
    """A network with small random weights: it is sure of nothing."""
    return Sequential.from_spec(architecture("784-20-10"), rng)


def test_what_is_doubtful_is_the_mean_over_the_image_and_its_views(undecided, rng):
    images = rng.random((5, 28, 28), np.float32)
    once = undecided.predict_logits(images)
    undecided.calibrate(1, 0, second_look=100)
    seen = [undecided.forward(np.concatenate((image[None], views(image[None])))).mean(axis=0) for image in images]
    np.testing.assert_allclose(undecided.predict_logits(images), seen, atol=1e-5)
    np.testing.assert_allclose(undecided.predict_logits(images.reshape(5, 784)), seen, atol=1e-5)
    assert abs(once - seen).max() > 0.1
    np.testing.assert_array_equal(undecided.forward(images), once)
    np.testing.assert_array_equal(undecided.predict_logits(images, once=True), once)
    np.testing.assert_allclose(undecided.predict_logits(images, batch_size=2), seen, atol=1e-5)


def test_a_second_look_at_many_images_goes_through_the_network_a_few_at_a_time(undecided, rng, monkeypatch):
    undecided.calibrate(1, 0, second_look=100)
    images = rng.random((100, 28, 28), np.float32)
    one_by_one = np.concatenate([undecided.predict_logits(image[None]) for image in images])
    batches = []
    forward = undecided.forward
    monkeypatch.setattr(undecided, "forward", lambda x: batches.append(len(x)) or forward(x))
    np.testing.assert_allclose(undecided.predict_logits(images), one_by_one, atol=1e-5)
    assert batches[0] == 100 and sum(batches[1:]) == 400 and max(batches[1:]) <= 64


def test_only_an_image_whose_lead_is_small_gets_a_second_look(undecided, rng):
    images = rng.random((40, 28, 28), np.float32)
    once = undecided.predict_logits(images)
    second, best = np.sort(once, axis=1)[:, -2:].T
    lead = best - second
    undecided.calibrate(1, 0, second_look=float(np.median(lead)))
    again = undecided.predict_logits(images)
    assert ((again != once).any(axis=1) == (lead < np.median(lead))).all()


def test_a_diverged_network_s_answers_stay_no_numbers(undecided, rng):
    undecided.calibrate(1, 0, second_look=5)
    undecided.parameters()["0.W"][...] = np.nan
    assert np.isnan(undecided.predict_logits(rng.random((3, 28, 28), np.float32))).all()


def test_no_images_get_no_second_look(undecided):
    undecided.calibrate(1, 0, second_look=5)
    assert undecided.predict_logits(np.empty((0, 28, 28), np.float32)).shape == (0, 10)


def test_a_second_look_is_for_networks_that_read_digits():
    with pytest.raises(ValueError, match="784 pixels"):
        Sequential.from_spec(EVERY_LAYER | {"second_look": 5})


def test_a_spec_says_when_there_is_a_second_look(undecided):
    assert "second_look" not in undecided.spec()
    undecided.calibrate(1, 0, second_look=4)
    assert undecided.spec()["second_look"] == 4 == Sequential.from_spec(undecided.spec()).second_look
    undecided.calibrate(2, 0.5)
    assert undecided.second_look == 4  # of its own
