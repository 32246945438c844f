"""Files made to hurt, given to the readers of exchange: giants, pickles that call, archives that lie, and any change at all (Hypothesis).

Whatever the bytes: a whole network, or an ExchangeError, and never much memory. A .pth is looked at here up to where PyTorch takes over.
"""

import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_networks import images
from safetensors.numpy import save
from test_exchange import FIXTURES, FOREIGN
from test_weights_bombs import mutations
from weights_files import little_memory, members, packed, with_claims

from inkling.model import Sequential, architecture
from trainer import exchange
from trainer.command import TrainerError
from trainer.exchange import ExchangeError, json_file, safetensors_file, torch_file
from trainer.exchange.names import blocks
from trainer.import_model import to_model

fuzz = settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
PTH = (FIXTURES / "foreign.pth").read_bytes()
TINY = Sequential.from_spec({"input_shape": [784], "layers": [{"type": "Dense", "n_in": 784, "n_out": 1}, {"type": "Dense", "n_in": 1, "n_out": 10}]},
                            np.random.default_rng(0))
TINY_JSON = json_file.write(TINY)


def check(reader, data):
    """Reads; what can be read must be a finite network that answers."""
    try:
        model, _ = to_model(reader(data, "mine"), "mine")
    except ExchangeError as error:
        assert str(error).startswith("mine: ") and "\n" not in str(error)
        return
    assert all(np.isfinite(array).all() for array in model.parameters().values())
    if np.prod(model.input_shape) == 784:
        with np.errstate(over="ignore", invalid="ignore"):
            assert len(model.predict_logits(images(n=2))) == 2


# safetensors


def header(tensors, rest=b""):
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text + rest


@pytest.mark.parametrize("data", [
    b"", b"1234567", (2**63).to_bytes(8, "little") + b"{}", (10**6).to_bytes(8, "little") + b"{}",
    header({"fc.weight": {"dtype": "F32", "shape": [10**6, 25_000], "data_offsets": [0, 10**11]}}),
    header({"fc.weight": {"dtype": "F32", "shape": [10**6, 25_000], "data_offsets": [0, 4]}}, bytes(4)),
    header({"fc.weight": {"dtype": "F32", "shape": [2**32, 2**32, 2**32], "data_offsets": [0, 0]}}),
    header({"fc.weight": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, bytes(4)),
    header({"fc.weight": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 4]}}, bytes(4)),
    header([]), header({"__metadata__": {"inkling.spec": "["}}), header({"__metadata__": {"inkling.spec": "[" * 50_000}}),
    header({"__metadata__": {"inkling.spec": json.dumps({"input_shape": [784], "layers": [{"type": "Dense", "n_in": 784, "n_out": 10**9}]})}}),
], ids=lambda data: repr(data[:60]))
def test_a_hostile_safetensors_file_is_refused_in_little_memory(data):
    with little_memory(), pytest.raises(ExchangeError, match="mine: "):
        to_model(safetensors_file.read(data, "mine"), "mine")


def test_a_tensor_of_a_type_that_is_not_read_is_named():
    with pytest.raises(ExchangeError, match="mine: tensor fc.weight is of type F8_E4M3"):
        safetensors_file.read(header({"fc.weight": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}, bytes(2)), "mine")


@fuzz
@given(mutations(FOREIGN.read_bytes()))
def test_any_change_to_a_safetensors_file_is_whole_or_refused(data):
    check(safetensors_file.read, data)


@fuzz
@given(mutations(safetensors_file.write(TINY)[8:400]))
def test_any_change_to_a_safetensors_header_is_whole_or_refused(text):
    check(safetensors_file.read, len(text).to_bytes(8, "little") + text + bytes(4000))


# JSON


@pytest.mark.parametrize("data", [
    b"", b"[]", b"{}", b"[" * 100_000, b'{"format": "inkling-network", "version": 2}', b"\xff\xfe",
    json.dumps({"format": "inkling-network", "version": 1, **architecture("784-10")}).encode(),
    json.dumps({"format": "inkling-network", "version": 1, "input_shape": [784],
                "layers": [{"type": "Dense", "n_in": 784, "n_out": 10**9, "W": [1], "b": [1]}]}).encode(),
    TINY_JSON.replace(b'"W": [', b'"W": [NaN, ', 1), TINY_JSON.replace(b'"b": [0.0', b'"b": [1e999'), TINY_JSON.replace(b'"b": [0.0', b'"b": [1e300'),
    TINY_JSON.replace(b'"b": [0.0', b'"b": ["0"'), TINY_JSON.replace(b'"b": [0.0', b'"b": [true'),
    TINY_JSON.replace(b'"b": [0.0', b'"b": [' + b"9" * 400), TINY_JSON.replace(b'"b": [0.0', b'"b": [' + b"9" * 9000),
], ids=lambda data: repr(data[:60]))
def test_a_hostile_json_file_is_refused_in_little_memory(data):
    with little_memory(), pytest.raises(ExchangeError, match="mine: "):
        to_model(json_file.read(data, "mine"), "mine")


def test_a_long_json_file_is_refused_before_it_is_parsed():
    data = b"[" + b"[]," * (json_file.MAX_TEXT // 3) + b"[]]"
    with little_memory(), pytest.raises(ExchangeError, match="of JSON are read"):
        json_file.read(data, "mine")


@fuzz
@given(mutations(TINY_JSON))
def test_any_change_to_a_json_file_is_whole_or_refused(data):
    check(json_file.read, data)


# .pth: the archive and its pickle


def with_pickle(data):
    """The foreign .pth with another pickle in it."""
    entries = members(PTH)
    return packed([(name, data if name.endswith("data.pkl") else content) for name, content in entries.items()])


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("call", [Calls(print, "run"), Calls(eval, "1"), Calls(bytearray, 10**11), Calls(__import__, "os")],
                         ids=["print", "eval", "bytes", "os"])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_that_calls_anything_is_refused_and_not_run(call, protocol, capsys):
    data = pickle.dumps({"fc.weight": call}, protocol)
    with little_memory(), pytest.raises(ExchangeError, match="mine: its pickle wants to call .* only tensors are taken"):
        torch_file.repacked(with_pickle(data), "mine")
    assert capsys.readouterr().out == ""


def test_the_archive_pytorch_gets_is_packed_anew():
    hidden = PTH + packed([("evil/data.pkl", pickle.dumps(Calls(print, "run")))])  # readers disagree which archive this is
    try:
        assert members(torch_file.repacked(hidden, "mine")) == members(PTH)
    except ExchangeError as error:
        assert "mine: " in str(error)
    assert members(torch_file.repacked(PTH, "mine")) == members(PTH)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "foreign/../../a", "foreign\\..\\a", "C:\\a", "other/data/0"])
def test_path_names_in_an_archive_are_refused(name):
    with pytest.raises(ExchangeError, match="has a member .*; PyTorch puts all of them into one folder"):
        torch_file.repacked(packed([*members(PTH).items(), (name, b"x")]), "mine")


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    bomb = packed([*members(PTH).items(), ("foreign/data/99", bytes(100 * 2**20))], zipfile.ZIP_DEFLATED)
    with little_memory(), pytest.raises(ExchangeError, match="is compressed"):
        torch_file.repacked(bomb, "mine")
    lying = with_claims(members(PTH), "foreign/version", file_size=10**11)
    with little_memory(), pytest.raises(ExchangeError, match="unpacks to 100,000,"):
        torch_file.repacked(lying, "mine")
    with little_memory(), pytest.raises(ExchangeError, match="more than 2000 members"):
        torch_file.repacked(packed([(f"a/{i}", b"") for i in range(3000)]), "mine")


@pytest.mark.parametrize("data, said", [
    (b"", "not a whole file of PyTorch 1.6"), (pickle.dumps({"a": 1}), "not a whole file of PyTorch 1.6"),  # torch.save before 1.6, or a bare pickle
    (PTH[:5000], "not a whole file"), (packed([("a/version", b"3")]), "one data.pkl"),
    (packed([("a/data.pkl", b"."), ("a/b.pkl", b".")]), "one data.pkl"), (packed([("a/data.pkl", bytes(2**20 + 1))]), "one data.pkl"),
    (with_pickle(b"\x80\x02\xff"), "pickle is damaged"),
])
def test_what_is_no_state_dict_is_refused(data, said):
    with little_memory(), pytest.raises(ExchangeError, match=f"mine: .*{said}"):
        torch_file.repacked(data, "mine")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_refused():
    with pytest.raises(ExchangeError, match="stands twice"):
        torch_file.repacked(packed([("a/data.pkl", b"."), ("a/data.pkl", b".")]), "mine")


@fuzz
@given(mutations(PTH))
def test_any_change_to_a_pth_archive_is_taken_or_refused(data):
    try:
        torch_file.repacked(data, "mine")
    except ExchangeError as error:
        assert str(error).startswith("mine: ")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@fuzz
@given(mutations(next(content for name, content in members(PTH).items() if name.endswith("data.pkl"))))
def test_any_change_to_a_pth_s_pickle_is_taken_or_refused(data):
    try:
        torch_file.repacked(with_pickle(data), "mine")
    except ExchangeError as error:
        assert str(error).startswith("mine: ")


@settings(fuzz, max_examples=50)
@given(st.binary(max_size=300), st.sampled_from([safetensors_file.read, json_file.read, torch_file.repacked]))
def test_any_bytes_are_refused(data, reader):
    with pytest.raises(ExchangeError, match="mine: "):
        reader(data, "mine")


# All readers


def test_a_tensor_that_shows_one_number_a_billion_times_is_refused():
    giant = np.broadcast_to(np.float32(1), (10**6, 784))
    with little_memory(), pytest.raises(ExchangeError, match="stand for 784,000,000 numbers"):
        blocks({"fc.weight": giant}, "mine")


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "large.safetensors").open("wb") as file:
        file.truncate(exchange.MAX_FILE + 1)  # takes no room on the disk
    with little_memory(), pytest.raises(TrainerError, match="at most 268,435,456 are read"):
        exchange.read(tmp_path / "large.safetensors")


def test_many_layers_are_refused():
    arrays = {f"{i}.weight": np.ones((1, 1), np.float32) for i in range(200)}
    found = safetensors_file.read(save(arrays | {"-1.weight": np.ones((1, 784), np.float32), "999.weight": np.ones((10, 1), np.float32)}), "mine")
    with pytest.raises(ExchangeError):
        to_model(found, "mine")
