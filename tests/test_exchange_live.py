"""Exported networks in PyTorch and onnxruntime give our logits; .pth files come back; train_torch.py trains as train.py does.

    python build.py test --all -m exchange

PyTorch and onnxruntime are large downloads, so these run only with --all (INKLING_ALL=1) or when asked for by their marker. Then they have to be there.
"""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import images, models, same
from test_exchange import FIXTURES
from test_exchange_hostile import PTH, check, fuzz, with_pickle
from test_weights_bombs import mutations
from tiny_mnist import tiny_mnist, write_folder
from weights_files import members

from inkling import weights
from inkling.model import Sequential, architecture
from trainer import export_model, import_model
from trainer.exchange import ExchangeError, onnx_file, safetensors_file, torch_file
from trainer.files import WEIGHTS
from trainer.import_model import to_model
from trainer.recipes import RECIPES

pytestmark = pytest.mark.exchange

live = settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
CLOSE = 1e-5  # of logits: of 1, or of the largest if that is more; float32 tells 15 from 15.000001, sums add some of that


@pytest.fixture(scope="module", autouse=True)
def libraries(pytestconfig):
    """Skips unless asked for; then what is missing is a failure."""
    asked_for = pytestconfig.option.markexpr.split() == ["exchange"]
    if not os.environ.get("INKLING_ALL") and not asked_for:
        pytest.skip("networks run in PyTorch and onnxruntime with: python build.py test --all")
    try:
        import onnxruntime  # noqa: F401
        import torch
    except ImportError as error:
        pytest.fail(f"these tests need PyTorch and onnxruntime ({error}). Run them with: python build.py test --all", pytrace=False)
    torch.set_num_threads(1)


def torch_logits(model, batch):
    import torch

    from trainer.exchange.torch_module import to_module

    with torch.no_grad():
        return to_module(model).eval()(torch.from_numpy(batch.reshape(-1, *model.input_shape))).numpy()


def onnx_outputs(model, batch):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_file.write(model), options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"image": batch.reshape(-1, *model.input_shape)})
    return outputs, json.loads(session.get_modelmeta().custom_metadata_map["inkling.spec"])


def assert_parity(model, batch):
    expected = model.predict_logits(batch, once=True)
    least = CLOSE * max(1, abs(expected).max())
    np.testing.assert_allclose(torch_logits(model, batch), expected, atol=least, rtol=0)
    (logits, probabilities), spec = onnx_outputs(model, batch)
    np.testing.assert_allclose(logits, expected, atol=least, rtol=0)
    scaled = np.exp((expected - expected.max(axis=1, keepdims=True)) / model.temperature)
    np.testing.assert_allclose(probabilities, scaled / scaled.sum(axis=1, keepdims=True), atol=CLOSE)
    assert spec == model.spec()


@live
@given(model=models())
def test_pytorch_and_onnxruntime_give_the_logits_of_any_network(model):
    assert_parity(model, images())


@pytest.mark.parametrize("name", RECIPES)
def test_pytorch_and_onnxruntime_give_the_logits_of_a_shipped_network(name):
    assert_parity(weights.load(WEIGHTS / f"{name}.npz"), tiny_mnist()["test_images"][:200].astype(np.float32) / 255)


@live
@given(model=models())
def test_a_pth_holds_the_parameters_bit_for_bit(model):
    back, _ = to_model(torch_file.read(torch_file.write(model), "mine"), "mine", stated=model.spec())
    assert same(back, model)


def test_a_module_of_pytorch_takes_the_exported_state_dict(tmp_path):
    import torch
    from torch import nn

    assert export_model.main(["convnet", "--to", "pth", "--out", str(tmp_path / "c.pth")]) == 0
    net = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Flatten(), nn.Linear(512, 224), nn.ReLU(), nn.Linear(224, 10))
    net.load_state_dict(torch.load(tmp_path / "c.pth", weights_only=True))
    batch = tiny_mnist()["test_images"][:50].astype(np.float32) / 255
    with torch.no_grad():
        logits = net(torch.from_numpy(batch[:, None])).numpy()
    np.testing.assert_allclose(logits, weights.load(WEIGHTS / "convnet.npz").predict_logits(batch, once=True), atol=20 * CLOSE, rtol=0)


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_network_comes_back_from_a_pth(name, tmp_path, capsys):
    assert export_model.main([name, "--to", "pth", "--out", str(tmp_path / "a.pth")]) == 0
    hint = capsys.readouterr().out.splitlines()[1].partition("To import it again: ")[2].split()
    assert import_model.main([str(tmp_path / "a.pth"), "--out", str(tmp_path / "a.npz"), *hint]) == 0
    assert same(weights.load(tmp_path / "a.npz"), weights.load(WEIGHTS / f"{name}.npz"))


def test_a_checkpoint_of_a_foreign_class_gives_pytorch_s_logits():
    answers = np.load(FIXTURES / "foreign.npz")
    model, _ = to_model(torch_file.read(PTH, "foreign"), "foreign")
    np.testing.assert_allclose(model.predict_logits(answers["images"]), answers["plain"], atol=CLOSE)


@pytest.mark.parametrize("content, said", [
    (lambda torch: torch.ones(3), "holds a Tensor"), (lambda torch: {"a": 1}, "'a' is no tensor"),
    (lambda torch: {"fc.weight": torch.ones(10, 784).to_sparse()}, "only tensors are taken|can't read it|is no tensor"),
    (lambda torch: torch.nn.Linear(2, 2), "only tensors are taken"),
    (lambda torch: {"fc.weight": torch.ones(1).expand(10**6, 784)}, "stand for 784,000,000 numbers"),
    (lambda torch: {"fc.weight": torch.ones(10, 784, dtype=torch.int32)}, "must hold floating-point numbers"),
])
def test_what_torch_save_writes_otherwise_is_refused(content, said):
    import torch

    file = io.BytesIO()
    torch.save(content(torch), file)
    with pytest.raises(ExchangeError, match=f"mine: .*({said})"):
        to_model(torch_file.read(file.getvalue(), "mine"), "mine")


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_precisions_are_taken_as_float32(dtype):
    import torch
    from safetensors.torch import save

    tensor = torch.rand(10, 784, dtype=torch.float64).to(getattr(torch, dtype))
    file = io.BytesIO()
    torch.save({"fc.weight": tensor}, file)
    model, _ = to_model(torch_file.read(file.getvalue(), "mine"), "mine")
    assert np.array_equal(model.layers[0].params["W"], tensor.float().numpy().T)
    model, _ = to_model(safetensors_file.read(save({"fc.weight": tensor}), "mine"), "mine")
    assert np.array_equal(model.layers[0].params["W"], tensor.float().numpy().T)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@fuzz
@given(data=mutations(PTH))
def test_any_change_to_a_pth_is_whole_or_refused(data):
    check(torch_file.read, data)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@fuzz
@given(data=mutations(next(content for name, content in members(PTH).items() if name.endswith("data.pkl"))))
def test_any_change_to_a_pickle_is_whole_or_refused_by_pytorch(data):
    check(torch_file.read, with_pickle(data))


def test_a_pth_that_asks_for_100_gb_is_refused_in_little_memory():
    program = """
import io, resource, struct, sys, zipfile
from trainer.exchange import ExchangeError, torch_file
import torch
file = io.BytesIO()
torch.save({"fc.weight": torch.ones(3, 784)}, file)
entries = {}
with zipfile.ZipFile(file) as archive:
    for name in archive.namelist():
        entries[name] = archive.read(name)
for name in entries:
    if name.endswith("data.pkl"):
        sizes = struct.pack("<BH", 0x4D, 784)  # BININT2
        assert sizes in entries[name]
        entries[name] = entries[name].replace(sizes, b"J" + struct.pack("<i", 2**31 - 1))
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as archive:
    for name, content in entries.items():
        archive.writestr(name, content)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    torch_file.read(out.getvalue(), "mine")
except ExchangeError as error:
    print(error)
else:
    sys.exit("it was read")
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
sys.exit(f"{grown} kB more" if grown > 50_000 else 0)
"""
    pytest.importorskip("resource", reason="peak memory is read the way Unix has it")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("mine: ")


# The same training with either library


@pytest.mark.parametrize("options", [
    [], ["--optimizer", "nesterov", "--learning-rate", "0.05", "--schedule", "cosine"], ["--optimizer", "rmsprop", "--learning-rate", "0.001", "--augment"]],
    ids=["adamw", "nesterov", "rmsprop"])
def test_train_torch_trains_as_train_does(options, tmp_path, monkeypatch):
    from trainer import plots, train, train_torch

    for name in ("draw_curves", "draw_confusion", "draw_mistakes"):
        monkeypatch.setattr(plots, name, lambda *_: None)
    data = write_folder(tmp_path, 600, 200)
    usual = ["--arch", "784-16-10", "--epochs", "2", "--batch-size", "50", "--no-augment", "--data", str(data)]
    assert train.main([*usual, *options, "--out", str(tmp_path / "ours")]) == 0
    assert train_torch.main([*usual, *options, "--out", str(tmp_path / "theirs"), "--device", "cpu"]) == 0
    ours, theirs = (weights.load(tmp_path / name / "784-16-10.npz") for name in ("ours", "theirs"))
    for key, array in ours.parameters().items():
        np.testing.assert_allclose(theirs.parameters()[key], array, atol=2e-3)  # float16 on the disk
    card = json.loads((tmp_path / "theirs" / "784-16-10.json").read_text(encoding="utf-8"))
    assert "torch" in card["versions"] and card["command"].startswith("python trainer/train_torch.py --arch 784-16-10")


def test_train_torch_knows_label_smoothing_l2_clipping_and_no_digits(tmp_path):
    from inkling.training import Settings, train_step
    from trainer.exchange.torch_module import to_module
    from trainer.train_torch import OPTIMIZERS, TorchRun

    chosen = Settings(arch="784-12-10", optimizer="momentum", learning_rate=0.1, label_smoothing=0.1, l2=0.05, clip_norm=0.5)
    run = TorchRun(tmp_path, chosen, None)
    model, batch, labels = chosen.make_model(), images(n=8), np.array([0, 1, 2, -1, 9, -1, 5, 3])
    module = to_module(run.model)
    theirs = run._step(module, OPTIMIZERS["momentum"](module.parameters(), chosen), batch, labels)
    with pytest.raises(StopIteration) as done:
        next(train_step(model, chosen.make_optimizer(), batch, labels, chosen, np.random.default_rng(0)))
    ours = done.value.value
    penalty = 0.05 / 2 * sum(float((array**2).sum()) for key, array in chosen.make_model().parameters().items() if key.endswith("W"))
    assert theirs[0] == pytest.approx(ours[0] + penalty, rel=1e-4) and theirs[1] == pytest.approx(ours[1])
    for key, tensor in zip(model.parameters(), module.parameters()):
        array = tensor.detach().numpy()
        np.testing.assert_allclose(array.T if key.endswith("W") else array, model.parameters()[key], atol=1e-5)


@pytest.mark.parametrize("own", [{"optimizer": "adam", "beta1": 0.5, "beta2": 0.9}, {"optimizer": "adamw", "beta1": 0.5, "beta2": 0.9}, {"optimizer": "rmsprop", "decay": 0.5}],
                         ids=lambda own: own["optimizer"])
def test_train_torch_takes_an_optimizer_s_own_settings(tmp_path, own):
    from inkling.training import Settings, train_step
    from trainer.exchange.torch_module import to_module
    from trainer.train_torch import OPTIMIZERS, TorchRun

    chosen = Settings(arch="784-12-10", learning_rate=0.01, **own)
    run, model, optimizer = TorchRun(tmp_path, chosen, None), chosen.make_model(), chosen.make_optimizer()
    module, labels = to_module(run.model), np.arange(8)
    theirs = OPTIMIZERS[chosen.optimizer](module.parameters(), chosen)
    for seed in range(3):
        batch = np.random.default_rng(seed).random((8, 28, 28), np.float32)
        run._step(module, theirs, batch, labels)
        for _ in train_step(model, optimizer, batch, labels, chosen, np.random.default_rng(0)):
            pass
    for key, tensor in zip(model.parameters(), module.parameters()):
        array = tensor.detach().numpy()
        np.testing.assert_allclose(array.T if key.endswith("W") else array, model.parameters()[key], atol=1e-4)


def test_a_run_in_pytorch_that_diverged_still_hands_its_parameters_over():
    import torch

    from trainer.exchange.torch_module import take_parameters, to_module

    model = Sequential.from_spec(architecture("convnet"), np.random.default_rng(0))
    module = to_module(model)
    with torch.no_grad():
        module[0].weight.fill_(float("nan"))
    take_parameters(model, module)
    parameters = model.parameters()
    assert np.isnan(parameters["0.W"]).all() and np.isfinite(parameters["0.b"]).all()


def test_a_device_that_is_not_there_is_a_usage_error(tmp_path, capsys):
    from trainer import train_torch

    assert train_torch.main(["--device", "cuda:99", "--data", str(write_folder(tmp_path, 60, 20)), "--out", str(tmp_path / "run")]) == 2
    assert "--device cuda:99: PyTorch can't use it here" in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_an_architecture_is_the_same_under_both_names():
    model = Sequential.from_spec(architecture("convnet"), np.random.default_rng(0))
    back, told = to_model(torch_file.read(torch_file.write(model), "mine"), "mine")
    assert same(back, model) and "padding 0 then MaxPool2d(2)" in told
