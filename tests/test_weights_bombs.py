"""Weights files made to hurt: giants, giants in disguise, and any change at all to a good file (Hypothesis).

Whatever the bytes: either a whole, finite model, or a WeightsError, and never much memory.
"""

import copy
import json
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weights_files import little_memory, members, npy, packed, saved, tiny, tiny_members, with_claims, with_members, with_spec

from inkling import weights
from inkling.model import Sequential, architecture
from inkling.weights import WeightsError

fuzz = settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


# Bombs


def test_a_highly_compressible_giant_is_refused_before_it_is_unpacked():
    npz = packed([*tiny_members().items(), ("9.W.npy", bytes(100 * 2**20))], zipfile.ZIP_DEFLATED)
    assert len(npz) < 200_000
    with little_memory(), pytest.raises(WeightsError, match="at most 200 arrays of 67108864 bytes together"):
        weights.load(npz)


@pytest.mark.parametrize("key", ["0.W.npy", "spec.npy"])
def test_a_giant_that_claims_to_be_small_is_not_unpacked_beyond_its_claim(key):
    model = Sequential.from_spec(architecture("784-10"), np.random.default_rng(0))
    entries = members(saved(model))
    entries["spec.npy"] = npy(np.array(json.dumps(model.spec(), indent=200)))  # longer than what a first look into the file unpacks
    claim = len(entries[key])
    assert claim > 4096
    npz = with_claims({**entries, key: entries[key] + bytes(100 * 2**20)}, key, file_size=claim)
    with little_memory(), pytest.raises(WeightsError):
        weights.load(npz)


def test_a_thousand_arrays_are_refused():
    with pytest.raises(WeightsError, match="at most 200 arrays"):
        weights.load(packed([*tiny_members().items(), *((f"{i}.W", b"") for i in range(1000))]))


def test_a_directory_of_four_hundred_thousand_entries_is_not_even_listed():
    entry = b"PK\x01\x02" + bytes(42)
    n = 400_000
    npz = entry * n + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n & 0xFFFF, n & 0xFFFF, n * len(entry), 0, 0)
    with little_memory(), pytest.raises(WeightsError, match="at most 200 arrays"):
        weights.load(npz)


def test_a_file_larger_than_what_is_read_is_refused(tmp_path):
    with (tmp_path / "large.npz").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(WeightsError, match="at most 200 arrays"):
        weights.load(tmp_path / "large.npz")


def test_a_long_spec_is_refused():
    npz = packed([("spec.npy", np.array("[" * 1_000_000))], zipfile.ZIP_DEFLATED)
    with little_memory(), pytest.raises(WeightsError, match="at most 50000 characters"):
        weights.load(npz)


@pytest.mark.parametrize("text", ["[" * 40_000, "{\"a\":" * 9_000, "9" * 49_000, "-" * 49_000], ids=lambda text: text[:5])
def test_a_spec_that_is_nested_or_long_beyond_reason_is_refused(text):
    with little_memory(), pytest.raises(WeightsError, match="'spec'"):
        weights.load(with_members("spec", np.array(text)))


def conv(**options):
    return {"type": "Conv2D", "channels_in": 1, "channels_out": 1, "kernel_size": 1, **options}


@pytest.mark.parametrize("spec", [
    {"input_shape": [784], "layers": [{"type": "Dense", "n_in": 784, "n_out": 10**9}]},
    {"input_shape": [784], "layers": [{"type": "Dense", "n_in": 784, "n_out": 10**4000}]},
    {"input_shape": [784], "layers": [{"type": "Dense", "n_in": 784, "n_out": "9" * 1000}]},
    {"input_shape": [10**12], "layers": [{"type": "Dense", "n_in": 10**12, "n_out": 10}]},
    {"input_shape": [1, 10**6, 10**6], "layers": [conv()]},
    {"input_shape": [1, 28, 28], "layers": [conv(kernel_size=100_001, padding=100_000)]},
    {"input_shape": [1, 28, 28], "layers": [conv(padding=100_000)]},
    {"input_shape": [1, 28, 28], "layers": [conv(channels_out=10**6)]},
    {"input_shape": [1, 28, 28], "layers": [conv(channels_out=4096), *[{"type": "ReLU"}] * 1000]},
], ids=lambda spec: json.dumps(spec)[:120])
def test_a_spec_of_enormous_layers_is_refused_before_there_is_room_for_them(spec):
    arrays = {"0.W": np.ones((1, 1, 1, 1), np.float16), "0.b": np.ones(1, np.float16)}
    npz = packed([("spec.npy", np.array(json.dumps(spec))), *((f"{key}.npy", array) for key, array in arrays.items())])
    with little_memory(), pytest.raises(WeightsError):
        weights.load(npz)


@pytest.mark.parametrize("layers", [
    [conv(channels_out=200), *[{"type": "ReLU"}] * 2000],  # no layer is large
    [conv(channels_out=64), conv(channels_in=64, kernel_size=20, padding=19)],  # no picture is large, but all its windows together
], ids=["many layers", "large windows"])
def test_a_small_file_with_honest_shapes_cannot_ask_for_gigabytes_on_the_way(layers):
    spec = {"input_shape": [1, 28, 28], "layers": layers}
    arrays = {f"{key}.npy": np.ones(shape, np.float16) for key, shape in Sequential.from_spec(spec).shapes().items()}
    npz = packed([("spec.npy", np.array(json.dumps(spec))), *arrays.items()], zipfile.ZIP_DEFLATED)
    assert len(npz) < 20_000
    with pytest.raises(WeightsError, match="multiplications for one image"):
        weights.load(npz)


# Fuzzing: a model that is whole, or a WeightsError


def check(npz):
    """Loads; what loads must be a finite model that can read an image."""
    try:
        model = weights.load(npz, "mine")
    except WeightsError as error:
        assert str(error).startswith("mine: ")
        return
    assert {key: array.shape for key, array in model.parameters().items()} == model.shapes()
    assert all(np.isfinite(array).all() and array.dtype == np.float32 for array in model.parameters().values())
    with np.errstate(over="ignore", invalid="ignore"):
        assert model.forward(np.ones((1, *model.input_shape), np.float32)).shape == (1, *model.output_shapes[-1])


def mutations(content):
    """Strategy: `content` with some bytes changed, cut out, put in, or cut off."""
    place = st.integers(0, len(content))
    edit = st.tuples(st.sampled_from(["change", "cut", "insert", "truncate"]), place, place, st.binary(max_size=6))

    def apply(edits):
        found = bytearray(content)
        for kind, start, other, new in edits:
            if kind == "change":
                found[start:start + len(new)] = new
            elif kind == "cut":
                del found[min(start, other):max(start, other)]
            elif kind == "insert":
                found[start:start] = new
            elif len(edits) == 1:
                del found[start:]
        return bytes(found)

    return st.lists(edit, min_size=1, max_size=4).map(apply)


@fuzz
@given(mutations(saved(tiny())))
def test_any_change_to_the_bytes_of_a_file_loads_whole_or_is_refused(npz):
    check(npz)


def directory_edits():
    """Strategy: a valid file with one to three bytes changed in the archive's directory, where the sizes and offsets stand."""
    npz = saved(tiny())
    start = npz.find(b"PK\x01\x02")

    def apply(changes):
        found = bytearray(npz)
        for offset, value in changes:
            found[start + offset] = value
        return bytes(found)

    return st.lists(st.tuples(st.integers(0, len(npz) - start - 1), st.integers(0, 255)), min_size=1, max_size=3).map(apply)


@fuzz
@given(directory_edits())
def test_any_change_to_the_archive_s_directory_loads_whole_or_is_refused(npz):
    check(npz)


@fuzz
@given(st.one_of(*[st.tuples(st.just(key), mutations(tiny_members()[key])) for key in ("4.W.npy", "0.b.npy", "spec.npy")]))
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_change_to_a_member_with_a_right_checksum_loads_whole_or_is_refused(change):
    key, content = change
    check(packed({**tiny_members(), key: content}.items()))


@fuzz
@given(st.text("{}[]()',: <>fOUiV0123456789.TrueFalsedescrfortran_ordershape\\\"-+x\n\0#L", max_size=120))
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_array_header_loads_whole_or_is_refused(header):
    text = header.encode("latin1")
    check(with_members("4.b", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(12)))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["Dense", "Conv2D", "type", "layers", 1e308, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "n_in", "rate", "layers", "rng", "x"]), inner, max_size=3),
    max_leaves=5)


@st.composite
def changed_specs(draw):
    """Strategy: the tiny model's spec in which one or two values are any JSON."""
    changed = copy.deepcopy(tiny().spec())
    places = [changed, *changed["layers"]]
    for _ in range(draw(st.integers(1, 2))):
        target = draw(st.sampled_from(places))
        target[draw(st.sampled_from([*target, "padding", "pool_size"]))] = draw(JSON_VALUES)
    return changed


@fuzz
@given(changed_specs())
def test_any_value_in_a_spec_loads_whole_or_is_refused(spec):
    check(with_spec(spec))


@fuzz
@given(JSON_VALUES)
def test_any_json_as_a_spec_is_refused(spec):
    with pytest.raises(WeightsError, match="mine: "):
        weights.load(with_spec(spec), "mine")
