"""Networks from and for elsewhere: nothing is lost on the way, layers are told from names and shapes, and errors name the tensor.

What needs PyTorch or onnxruntime stands in test_exchange_live.py; the files by PyTorch's own hand come from fixtures/make_foreign_networks.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import images, models, same
from safetensors.numpy import load, save

from inkling import weights
from inkling.model import Sequential, architecture
from tiny_mnist import write_folder
from trainer import evaluate, export_model, import_model
from trainer.exchange import ExchangeError, Found, infer, json_file, safetensors_file
from trainer.exchange.names import blocks, build, fold_normalization, to_torch
from trainer.files import sha256
from trainer.import_model import to_model
from trainer.recipes import RECIPES

FIXTURES = Path(__file__).parent / "fixtures"
FOREIGN = FIXTURES / "foreign.safetensors"
some = settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def tensors(**shapes):
    """name -> array of ones of that shape; "__" in a name stands for a dot."""
    return {name.replace("__", "."): np.ones(shape, np.float32) for name, shape in shapes.items()}


def there_and_back(format, model):
    return to_model(format.read(format.write(model), "file"), "file")


# Nothing is lost


@pytest.mark.parametrize("format", [safetensors_file, json_file])
@some
@given(model=models())
def test_a_network_comes_back_bit_for_bit_with_temperature_and_threshold(format, model):
    back, told = there_and_back(format, model)
    assert same(back, model) and told == ""


@pytest.mark.parametrize("format", [safetensors_file, json_file])
@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_network_comes_back_bit_for_bit(format, name):
    model = weights.load(export_model.find_model(name)[0])
    assert same(there_and_back(format, model)[0], model)


def plain_layer(layer, x, shape):
    """One layer of the flat file on a flat list of numbers, (channels, height, width) or (n,), by its description alone. Returns (out, shape)."""
    if layer["type"] == "ReLU":
        return [max(value, 0) for value in x], shape
    if layer["type"] == "Flatten":
        return x, (len(x),)
    if layer["type"] == "Dense":
        n_in, n_out, W, b = (layer[key] for key in ("n_in", "n_out", "W", "b"))
        return [b[j] + sum(x[i] * W[i * n_out + j] for i in range(n_in)) for j in range(n_out)], (n_out,)
    channels, height, width = shape
    if layer["type"] == "MaxPool2D":
        size = layer["pool_size"]
        out = [max(x[(c * height + i * size + u) * width + j * size + v] for u in range(size) for v in range(size))
               for c in range(channels) for i in range(height // size) for j in range(width // size)]
        return out, (channels, height // size, width // size)
    n_filters, k, W, b = (layer[key] for key in ("channels_out", "kernel_size", "W", "b"))
    assert (layer["stride"], layer["padding"]) == (1, 0)
    inside = [(c, u, v) for c in range(channels) for u in range(k) for v in range(k)]
    out = [b[f] + sum(W[(f * channels + c) * k * k + u * k + v] * x[(c * height + i + u) * width + j + v] for c, u, v in inside)
           for f in range(n_filters) for i in range(height - k + 1) for j in range(width - k + 1)]
    return out, (n_filters, height - k + 1, width - k + 1)


@pytest.mark.parametrize("name", ["convnet", "784-5-10"])
def test_the_flat_file_can_be_computed_with_a_json_parser_alone(name):
    model = Sequential.from_spec(architecture(name), np.random.default_rng(1))
    document = json.loads(json_file.write(model))
    image = images(n=1)
    x, shape = [float(value) for value in image.ravel()], tuple(document["input_shape"])
    for layer in document["layers"]:
        x, shape = plain_layer(layer, x, shape)
    np.testing.assert_allclose(x, model.predict_logits(image)[0], atol=1e-5)


def test_the_tensors_have_pytorch_s_names_and_layouts():
    model = Sequential.from_spec(architecture("convnet"), np.random.default_rng(0))
    found = load(safetensors_file.write(model))
    assert {name: array.shape for name, array in found.items()} == {
        "0.weight": (16, 1, 5, 5), "0.bias": (16,), "3.weight": (32, 16, 5, 5), "3.bias": (32,),
        "7.weight": (224, 512), "7.bias": (224,), "9.weight": (10, 224), "9.bias": (10,)}
    assert np.array_equal(found["9.weight"], model.layers[9].params["W"].T)


# A network by PyTorch's own hand


def test_a_foreign_network_gives_pytorch_s_logits():
    answers = np.load(FIXTURES / "foreign.npz")
    model, told = to_model(safetensors_file.read(FOREIGN.read_bytes(), "foreign"), "foreign")
    assert "'conv2' with padding 0 then MaxPool2d(2)" in told
    np.testing.assert_allclose(model.predict_logits(answers["images"]), answers["plain"], atol=1e-5)


def test_normalization_folds_into_the_first_layer():
    answers = np.load(FIXTURES / "foreign.npz")
    model, _ = to_model(safetensors_file.read(FOREIGN.read_bytes(), "foreign"), "foreign")
    fold_normalization(model, 0.1307, 0.3081, "foreign")
    np.testing.assert_allclose(model.predict_logits(answers["images"]), answers["normalized"], atol=1e-5)


def test_normalization_before_padding_is_refused():
    spec = {"input_shape": [1, 28, 28], "layers": [{"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 3, "padding": 1}]}
    with pytest.raises(ExchangeError, match="pads the picture"):
        fold_normalization(Sequential.from_spec(spec, np.random.default_rng(0)), 0.1, 0.3, "mine")


# Layers told from names and shapes


@pytest.mark.parametrize("names", [("0", "2", "4"), ("net.0", "net.2", "net.4"), ("fc1", "fc2", "fc3"), ("module.fc2", "module.fc9", "module.fc10")])
def test_a_dense_network_is_known_by_any_names(names):
    model = Sequential.from_spec(architecture("784-20-15-10"), np.random.default_rng(0))
    arrays = to_torch(model)
    renamed = {arrays_name.replace(old, new, 1): arrays[arrays_name] for old, new in zip("024", names) for arrays_name in arrays
               if arrays_name.startswith(old)}
    back, told = to_model(safetensors_file.read(save(renamed), "mine"), "mine")
    assert same(back, model) and "ReLU" in told


def conv_net(*convolutions, n_in):
    """Tensors of convolutions (filters, kernel size) and one Linear of n_in."""
    found, channels = {}, 1
    for i, (n_filters, k) in enumerate(convolutions):
        found |= tensors(**{f"conv{i}__weight": (n_filters, channels, k, k), f"conv{i}__bias": (n_filters,)})
        channels = n_filters
    return found | tensors(fc__weight=(10, n_in), fc__bias=(10,))


@pytest.mark.parametrize("convolutions, n_in, ways", [
    ([(12, 5), (24, 5)], 24 * 4 * 4, [(0, True), (0, True)]),
    ([(32, 3), (64, 3)], 64 * 12 * 12, [(0, False), (0, True)]),  # PyTorch's MNIST example
    ([(8, 3), (16, 3)], 16 * 7 * 7, [(1, True), (1, True)]),
    ([(6, 5), (16, 5)], 16 * 5 * 5, [(2, True), (0, True)]),  # LeNet-5
    ([(4, 1)], 4 * 784, [(0, False)]),
])
def test_padding_and_pooling_follow_from_what_the_first_linear_takes(convolutions, n_in, ways):
    spec, told = infer.infer_spec(blocks(conv_net(*convolutions, n_in=n_in), "mine"), "mine")
    kinds = [(layer["type"], layer.get("padding")) for layer in spec["layers"]]
    expected = []
    for padding, pooled in ways:
        expected += [("Conv2D", padding), ("ReLU", None)] + [("MaxPool2D", None)] * pooled
    assert kinds == [*expected, ("Flatten", None), ("Dense", None)]
    assert Sequential.from_spec(spec).output_shapes[-1] == (10,) and "assumed" in told


def test_several_ways_to_pad_and_pool_must_be_stated():
    with pytest.raises(ExchangeError, match=r"'fc.weight' is \(10, 2304\); \d ways .* State the layers with --arch"):
        infer.infer_spec(blocks(conv_net((4, 3), (4, 3), (4, 3), n_in=4 * 24 * 24), "mine"), "mine")


# Errors name the tensor


@pytest.mark.parametrize("found, said", [
    (tensors(fc1__weight=(20, 784), fc1__bias=(20,), fc2__weight=(10, 30), fc2__bias=(10,)), r"'fc2.weight' is \(10, 30\); .* must be \(10, 20\)"),
    (tensors(fc1__weight=(20, 784), fc1__bias=(21,)), r"'fc1.bias' is \(21,\); 'fc1.weight', \(20, 784\), needs \(20,\)"),
    (tensors(fc1__weight=(784, 10), fc1__bias=(784,)), r"'fc1.weight' is \(784, 10\)"),
    (tensors(fc1__weight=(7, 784)), r"'fc1.weight' is \(7, 784\); the last layer must be \(10, 784\)"),
    (tensors(fc__bias=(10,)), r"'fc.bias' has no 'fc.weight'"),
    (tensors(bn__running_mean=(10,)), r"'bn.running_mean' is no weight or bias"),
    (tensors(lstm__weight=(3, 4, 5)), r"'lstm.weight' is \(3, 4, 5\)"),
    (tensors(fc__weight=(10, 0)), r"'fc.weight' is \(10, 0\)"),
    (tensors(conv__weight=(4, 3, 5, 5), fc__weight=(10, 64)), r"'conv.weight' is \(4, 3, 5, 5\); after 1 channels it must be \(4, 1, k, k\)"),
    (tensors(conv__weight=(4, 1, 5, 5), fc__weight=(10, 65)), r"'fc.weight' is \(10, 65\); no ways"),
    (tensors(conv__weight=(4, 1, 5, 5)), "Conv2d come first and at least one Linear last"),
    ({}, "0 layers with weights"),
    ({"fc.weight": np.full((10, 784), np.nan)}, "'fc.weight' has values that are not finite"),
    ({"fc.weight": np.ones((10, 784), int)}, "'fc.weight' is int64"),
])
def test_tensors_that_do_not_fit_are_named_with_shapes(found, said):
    with pytest.raises(ExchangeError, match=said):
        to_model(Found(found), "mine")


def test_a_stated_architecture_names_the_tensor_that_does_not_fit():
    found = blocks(tensors(fc1__weight=(20, 784), fc1__bias=(20,), fc2__weight=(10, 20), fc2__bias=(10,)), "mine")
    with pytest.raises(ExchangeError, match=r"mine: 'fc1.weight' is \(20, 784\); layer 0, Dense, needs \(30, 784\)"):
        build(architecture("784-30-10"), found, "mine")
    with pytest.raises(ExchangeError, match=r"layer 4, Dense, needs a weight \(10, 10\); the file has no more"):
        build(architecture("784-20-10-10"), found, "mine")
    with pytest.raises(ExchangeError, match=r"'fc1.weight', \(20, 784\), belongs to no layer"):
        build(architecture("784-10"), blocks(tensors(fc0__weight=(10, 784), fc1__weight=(20, 784)), "mine"), "mine")


# The commands


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_export_and_import_as_commands(suffix, here, capsys):
    assert export_model.main(["mlp-128-64", "--to", suffix]) == 0
    assert import_model.main([f"mlp-128-64.{suffix}"]) == 0
    assert f"mlp-128-64.{suffix}: " in capsys.readouterr().out
    before = export_model.find_model("mlp-128-64")[0]
    assert same(weights.load(here / "mlp-128-64.npz"), weights.load(before))


def test_import_takes_a_stated_architecture_from_a_model_card(here, capsys):
    card = {"architecture": {**architecture("784-16-10"), "temperature": 0.8}}
    (here / "card.json").write_text(json.dumps(card), encoding="utf-8")
    model = Sequential.from_spec(card["architecture"], np.random.default_rng(0))
    (here / "mine.safetensors").write_bytes(save(to_torch(model)))
    assert import_model.main(["mine.safetensors", "--arch", "card.json", "--threshold", "0.5", "--out", "a/b.npz"]) == 0
    back = weights.load(here / "a" / "b.npz")
    assert (back.temperature, back.threshold) == (0.8, 0.5) and "threshold 0.5" in capsys.readouterr().out


def test_a_stated_architecture_leaves_the_file_its_temperature(here):
    assert export_model.main(["mlp-128-64", "--to", "safetensors"]) == 0
    assert import_model.main(["mlp-128-64.safetensors", "--arch", "784-128-64-10"]) == 0
    assert same(weights.load(here / "mlp-128-64.npz"), weights.load(export_model.find_model("mlp-128-64")[0]))


def test_import_folds_the_normalization(here):
    answers = np.load(FIXTURES / "foreign.npz")
    assert import_model.main([str(FOREIGN), "--normalized", "0.1307", "0.3081", "--out", "mine.npz"]) == 0
    np.testing.assert_allclose(weights.load(here / "mine.npz").predict_logits(answers["images"]), answers["normalized"], atol=1e-5)


def test_a_card_says_where_a_network_came_from_and_how_good_it_is(here, capsys):
    assert export_model.main(["convnet", "--to", "safetensors"]) == 0
    data = write_folder(here, 20, 1000)
    assert import_model.main(["convnet.safetensors", "--card", "--data", str(data), "--dtype", "float16", "--out", "mine.npz"]) == 0
    card = json.loads((here / "mine.json").read_text(encoding="utf-8"))
    assert card["imported_from"] == {"file": "convnet.safetensors", "sha256": sha256((here / "convnet.safetensors").read_bytes())}
    assert card["sha256"] == sha256((here / "mine.npz").read_bytes()) and card["parameters"] == 130_410
    assert card["test_accuracy"] > 0.98 and f"mine.json: {card['test_accuracy']:.2%} on the test images" in capsys.readouterr().out
    assert evaluate.main(["mine.npz", "--data", str(data)]) == 0  # it agrees with its card


@pytest.mark.parametrize("command, arguments, code, said", [
    (import_model, [str(FOREIGN), "--data", "data"], 2, "it goes with --card"),
    (import_model, [str(FOREIGN), "--card", "--data", "data"], 1, "data: has neither"),
    (import_model, ["none.safetensors"], 1, "none.safetensors: no such file"),
    (import_model, ["mine.h5"], 1, "files that can be imported end in .pth, .pt, .safetensors, .json"),
    (import_model, [str(FOREIGN), "--arch", "784-20-10"], 1, "layer 0, Dense, needs (20, 784)"),
    (import_model, [str(FOREIGN), "--arch", "resnet"], 2, "--arch: architecture 'resnet' is unknown"),
    (import_model, [str(FOREIGN), "--arch", "none.json"], 1, "--arch none.json"),
    (import_model, [str(FOREIGN), "--normalized", "0.1", "0"], 2, "STD one above 0"),
    (import_model, [str(FOREIGN), "--temperature", "0"], 2, "temperature 0.0 must lie in"),
    (import_model, [str(FOREIGN), "--out", "there.npz"], 2, "there.npz: is there already"),
    (export_model, ["--to", "json", "--out", "there.npz"], 2, "there.npz: is there already"),
    (export_model, ["none", "--to", "json"], 1, "there is no model 'none'"),
])
def test_a_failure_is_one_line_and_leaves_nothing_behind(command, arguments, code, said, here, capsys):
    (here / "there.npz").write_bytes(b"mine")
    assert command.main(arguments) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["there.npz"] and (here / "there.npz").read_bytes() == b"mine"


def test_force_writes_over_a_file(here):
    (here / "there.npz").write_bytes(b"mine")
    assert import_model.main([str(FOREIGN), "--out", "there.npz", "--force"]) == 0
    assert weights.load(here / "there.npz").n_parameters == 78 + 304 + 780 + 130


@pytest.mark.parametrize("arguments, said", [
    (["mine.json", "--card"], "mine.json: would be written over"),
    (["link.json", "--card", "--out", "mine.npz"], "mine.json: would be written over"),
    (["mine.safetensors", "--arch", "mine.json", "--card"], "mine.json: would be written over"),
    (["mine.json", "--out", "mine.json", "--card"], "--out mine.json: must end in .npz"),
    (["mine.safetensors", "--out", "mine.safetensors"], "--out mine.safetensors: must end in .npz"),
    (["mine.json", "--out", "c.foo"], "--out c.foo: must end in .npz"),
])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_import_writes_over_nothing_that_it_reads(arguments, said, force, here, capsys):
    for suffix in ("json", "safetensors"):
        assert export_model.main(["mlp-128-64", "--to", suffix, "--out", f"mine.{suffix}"]) == 0
    (here / "link.json").hardlink_to(here / "mine.json")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    assert import_model.main(arguments + force) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


@pytest.mark.parametrize("arguments", [[], ["--out", "mine.npz"], ["--out", "sub/../mine.json"]])
def test_export_writes_over_neither_the_network_nor_its_card(arguments, here, capsys):
    (here / "sub").mkdir()
    export_model.main(["mlp-128-64", "--to", "json", "--out", "there.json"])
    assert import_model.main(["there.json", "--out", "mine.npz"]) == 0
    (here / "mine.json").write_text("{}", encoding="utf-8")
    before = (here / "mine.npz").read_bytes()
    assert export_model.main(["mine.npz", "--to", "json", "--force", *arguments]) == 2
    assert "would be written over" in capsys.readouterr().err
    assert (here / "mine.npz").read_bytes() == before and (here / "mine.json").read_text(encoding="utf-8") == "{}"


def test_an_unknown_format_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as error:
        export_model.main(["--to", "h5"])
    assert error.value.code == 2 and "safetensors" in capsys.readouterr().err
