"""Weights files: exact round trips, and a clear error, at no great cost, for everything that is no weights file."""

import contextlib
import copy
import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkling import weights
from inkling.model import Sequential, architecture
from inkling.weights import WeightsError

SPEC = {"input_shape": [1, 4, 4], "layers": [
    {"type": "Conv2D", "channels_in": 1, "channels_out": 2, "kernel_size": 3}, {"type": "ReLU"},
    {"type": "Flatten"}, {"type": "Dropout", "rate": 0.25}, {"type": "Dense", "n_in": 8, "n_out": 3}]}
SHAPES = {"0.W": (2, 1, 3, 3), "0.b": (2,), "4.W": (8, 3), "4.b": (3,)}
A_FEW_MB = 12 * 2**20

fuzz = settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def tiny():
    """A model with every kind of entry in its file, and round numbers that float16 holds exactly."""
    model = Sequential.from_spec(SPEC)
    model.set_parameters({key: np.arange(np.prod(shape)).reshape(shape) / 4 for key, shape in SHAPES.items()})
    return model


def saved(model, dtype="float16"):
    """The bytes of a weights file."""
    file = io.BytesIO()
    weights.save(file, model, dtype)
    return file.getvalue()


def members(npz):
    """name -> bytes of each member of an archive."""
    with zipfile.ZipFile(io.BytesIO(npz)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries, compression=zipfile.ZIP_STORED):
    """An archive of (name, bytes or array) pairs, in which a name may stand twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, npy(content) if isinstance(content, np.ndarray) else content)
    return file.getvalue()


def npy(array):
    """An array as .npy bytes, pickled if it holds objects."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def with_members(**changes):
    """A valid file in which some members are replaced, or left out (None). Names are given with _ for the dot."""
    entries = members(saved(tiny()))
    for name, content in changes.items():
        name = name.strip("_").replace("_", ".") + ".npy"
        entries.pop(name, None)
        if content is not None:
            entries[name] = content
    return packed(entries.items())


def with_spec(spec):
    """A valid file but for its spec."""
    return with_members(spec=np.array(json.dumps(spec)))


@contextlib.contextmanager
def little_memory():
    """Fails if the block needs more than a few MB at any moment."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < A_FEW_MB
    finally:
        tracemalloc.stop()


# There and back


@pytest.mark.parametrize("name", ["convnet", "784-30-10"])
def test_float32_comes_back_exactly(name):
    model = Sequential.from_spec(architecture(name, 0.1), np.random.default_rng(0))
    loaded = weights.load(saved(model, "float32"))
    assert loaded.spec() == model.spec()
    for key, array in model.parameters().items():
        assert (loaded.parameters()[key] == array).all() and loaded.parameters()[key].dtype == np.float32


def test_float16_comes_back_as_float16_rounds_it():
    model = Sequential.from_spec(architecture("784-30-10"), np.random.default_rng(0))
    small, exact = saved(model, "float16"), saved(model, "float32")
    loaded = weights.load(small)
    for key, array in model.parameters().items():
        assert loaded.parameters()[key].dtype == np.float32
        np.testing.assert_allclose(loaded.parameters()[key], array, rtol=2**-11, atol=2**-25)
    assert len(small) < 0.6 * len(exact)


def test_a_loaded_model_predicts_and_trains_on():
    model = weights.load(saved(tiny()))
    out = model.forward(np.ones((2, 4, 4), np.float32), np.random.default_rng(0))
    model.backward(np.ones_like(out))
    for param, grad in model.params_and_grads():
        param -= grad  # the arrays are writable and our own


def test_the_same_model_gives_the_same_bytes():
    assert saved(tiny()) == saved(tiny())
    with zipfile.ZipFile(io.BytesIO(saved(tiny()))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}  # tomorrow too


def test_a_file_is_plain_npz_with_a_json_spec(tmp_path):
    path = tmp_path / "tiny.npz"
    weights.save(path, tiny())
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays) == {"spec", *SHAPES}
        assert arrays["spec"].shape == () and json.loads(str(arrays["spec"])) == tiny().spec()
        assert arrays["4.W"].dtype == np.float16
    assert weights.load(path).spec() == weights.load(str(path)).spec() == tiny().spec()


def test_a_float64_and_fortran_ordered_parameter_is_read_too():
    W = np.asfortranarray(np.arange(24.0).reshape(8, 3))
    assert (weights.load(with_members(_4_W=W)).parameters()["4.W"] == W).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_values_that_float16_cannot_hold_are_not_written(value, tmp_path):
    model = tiny()
    model.parameters()["4.W"][1, 2] = value
    with pytest.raises(ValueError, match="'4.W' has values that float16 can't hold"):
        weights.save(tmp_path / "bad.npz", model)
    assert list(tmp_path.iterdir()) == []


# Files that are none


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(WeightsError, match=r"convnet.npz: no such file. Make it with: python trainer/train.py"):
        weights.load(tmp_path / "convnet.npz")


def test_a_folder_is_no_weights_file(tmp_path):
    with pytest.raises(WeightsError, match="not a readable .npz file"):
        weights.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK", b"<!doctype html>", npy(np.ones(3)), b"\0" * 5000, b"PK\x05\x06" + bytes(18)], ids=repr)
def test_bytes_that_are_no_archive_are_refused(content):
    with pytest.raises(WeightsError, match="^mine: "):
        weights.load(content, "mine")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_refused(share):
    npz = saved(tiny())
    with pytest.raises(WeightsError, match="mine: not a readable .npz file .* Fetch or train it again"):
        weights.load(npz[:int(len(npz) * share)], "mine")


def test_a_flipped_bit_in_a_parameter_is_noticed():
    npz = bytearray(with_members())
    npz[npz.find(b"4.W.npy") + 150] ^= 1
    with pytest.raises(WeightsError, match="CRC"):
        weights.load(bytes(npz))


@pytest.mark.parametrize("npz, message", [
    (with_members(_4_W=None), r"has 0.W, 0.b, 4.b; its spec needs 0.W, 0.b, 4.W, 4.b"),
    (with_members(_7_W=np.ones(3, np.float16)), "has 0.W, 0.b, 4.W, 4.b, 7.W; its spec needs"),
    (with_members(spec=None), "'spec' is missing"),
    (packed([]), "'spec' is missing"),
    (with_members(_4_W=np.ones((3, 8), np.float32)), r"'4.W' is \(3, 8\); the model needs \(8, 3\). Retrain with: python trainer/train.py"),
    (with_members(_4_b=np.ones((), np.float32)), r"'4.b' is \(\); the model needs \(3,\)"),
    (with_members(_4_W=np.ones((8, 3), int)), "'4.W' is int64; it must be float16, float32 or float64"),
    (with_members(_4_W=np.ones((8, 3), bool)), "'4.W' is bool"),
    (with_members(_4_W=np.ones((8, 3), complex)), "'4.W' is complex128"),
    (with_members(_4_W=np.ones((8, 3), ">f4")), "'4.W' is >f4"),
    (with_members(_4_W=np.full((8, 3), "x")), "'4.W' is <U1"),
    (with_members(_4_W=np.full((8, 3), None, object)), "'4.W' is object"),
    (with_members(_4_W=np.array([(1.0, 2)], [("a", "f4"), ("b", "i4")])), "'4.W' is "),
    (with_members(_4_W=np.full((8, 3), np.nan)), "'4.W' has values that are not finite numbers"),
    (with_members(_4_b=np.array([0, 1, np.inf], np.float16)), "'4.b' has values that are not finite numbers"),
    (with_members(_4_b=np.array([0, 1, 1e300])), "'4.b' has values that are not finite numbers"),
    (with_members(_4_b=npy(np.ones(3, np.float32))[:-4]), r"'4.b' has 8 bytes; float32 \(3,\) needs 12"),
    (with_members(_4_b=npy(np.ones(3, np.float32)) + b"more"), r"'4.b' has 16 bytes; float32 \(3,\) needs 12"),
    (with_members(_4_b=b""), "'4.b' has no readable header"),
    (with_members(_4_b=b"\x93NUMPY\x02\x00" + npy(np.ones(3))[8:]), "'4.b' has no readable header"),
    (with_members(_4_b=npy(np.ones(3)).replace(b"{'descr'", b"[[[[[[[[")), "'4.b' has no readable header"),
    (with_members(_4_b=npy(np.ones(3)).replace(b"'fortran", b"'''rtran")), "'4.b' has no readable header"),
    (with_members(spec=np.array(b"{}")), "'spec' must be one text"),
    (with_members(spec=np.array(["{}", "{}"])), "'spec' must be one text"),
    (with_members(spec=np.array(1.5)), "'spec' must be one text"),
    (with_members(spec=np.array({"input_shape": [784]}, object)), "'spec' must be one text"),
    (with_members(spec=np.array("")), "'spec'"),
    (with_members(spec=np.array("{'a': 1}")), "'spec': Expecting property name"),
    (with_members(spec=npy(np.array("ab")).replace(b"a\0\0\0", b"\xff\xff\xff\xff")), "'spec'"),
    (with_spec([]), "'spec': not a model spec"),
    (with_spec({"input_shape": [4], "layers": [{"type": "Transformer"}]}), "'spec': layer type 'Transformer' is unknown"),
    (with_spec({**SPEC, "input_shape": [1, 5, 5]}), "'spec': layer 4, Dense, can't take"),
    (with_spec({**SPEC, "input_shape": "abcd"}), "'spec': input_shape"),
])
def test_a_wrong_member_is_refused_by_name(npz, message):
    with pytest.raises(WeightsError, match=f"^mine: .*{message}"):
        weights.load(npz, "mine")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twice", ["4.b.npy", "4.b", "spec.npy"])
def test_a_key_that_stands_twice_is_refused(twice):
    entries = list(members(saved(tiny())).items())
    content = dict(entries).get(twice, dict(entries)["4.b.npy"])
    with pytest.raises(WeightsError, match="a key stands twice"):
        weights.load(packed([*entries, (twice, content)]))


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    for npz in (with_members(spec=np.array(Trap(), object)), with_members(_4_W=np.array([[Trap()] * 3] * 8, object))):
        with pytest.raises(WeightsError):
            weights.load(npz)
    assert not tmp_path.joinpath("sprung").exists()


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99], ids=["bzip2", "lzma", "unknown"])
def test_compression_that_numpy_does_not_use_is_refused(compression):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members(saved(tiny())).items():
            archive.writestr(name, content)
        archive.getinfo("4.W.npy").compress_type = compression  # what the archive's directory will say
    with pytest.raises(WeightsError, match="compressed in another way"):
        weights.load(file.getvalue())


# Bombs


def test_a_highly_compressible_giant_is_refused_before_it_is_unpacked():
    npz = packed([*members(saved(tiny())).items(), ("9.W.npy", bytes(100 * 2**20))], zipfile.ZIP_DEFLATED)
    assert len(npz) < 200_000
    with little_memory(), pytest.raises(WeightsError, match="at most 200 arrays of 67108864 bytes together are read"):
        weights.load(npz)


@pytest.mark.parametrize("key", ["0.W.npy", "spec.npy"])
def test_a_giant_that_claims_to_be_small_is_not_unpacked_beyond_its_claim(key):
    model = Sequential.from_spec(architecture("784-10"), np.random.default_rng(0))
    entries, file = members(saved(model)), io.BytesIO()
    entries["spec.npy"] = npy(np.array(json.dumps(model.spec(), indent=200)))  # longer than what a first look into the file unpacks
    assert len(entries[key]) > 4096
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content + bytes(100 * 2**20) if name == key else content)
            archive.getinfo(name).file_size = len(content)  # what the archive's directory will say
    with little_memory(), pytest.raises(WeightsError):
        weights.load(file.getvalue())


def test_a_thousand_arrays_are_refused():
    with pytest.raises(WeightsError, match="1005 arrays"):
        weights.load(packed([*members(saved(tiny())).items(), *((f"{i}.W", b"") for i in range(1000))]))


def test_a_long_spec_is_refused():
    npz = packed([("spec.npy", np.array("[" * 1_000_000))], zipfile.ZIP_DEFLATED)
    with little_memory(), pytest.raises(WeightsError, match="at most 50000 characters"):
        weights.load(npz)


@pytest.mark.parametrize("text", ["[" * 40_000, "{\"a\":" * 9_000, "9" * 49_000, "-" * 49_000], ids=lambda text: text[:5])
def test_a_spec_that_is_nested_or_long_beyond_reason_is_refused(text):
    with little_memory(), pytest.raises(WeightsError, match="'spec'"):
        weights.load(with_members(spec=np.array(text)))


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


def test_a_small_file_cannot_ask_for_a_giant_picture_on_the_way():
    # One parameter, honest shapes: only the sum over the layers shows that a prediction would take gigabytes.
    spec = {"input_shape": [1, 28, 28], "layers": [conv(channels_out=200), *[{"type": "ReLU"}] * 2000]}
    npz = packed([("spec.npy", np.array(json.dumps(spec))), ("0.W.npy", np.ones((200, 1, 1, 1))), ("0.b.npy", np.ones(200))])
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
@given(st.sampled_from(["4.W.npy", "0.b.npy", "spec.npy"]).flatmap(lambda key: st.tuples(st.just(key), mutations(members(saved(tiny()))[key]))))
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_change_to_a_member_with_a_right_checksum_loads_whole_or_is_refused(change):
    key, content = change
    check(packed({**members(saved(tiny())), key: content}.items()))


@fuzz
@given(st.text("{}[]()',: <>fOUiV0123456789.TrueFalsedescrfortran_ordershape\\\"-+x\n\0#L", max_size=120))
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_array_header_loads_whole_or_is_refused(header):
    text = header.encode("latin1")
    check(with_members(_4_b=b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(12)))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["Dense", "Conv2D", "type", "layers", 1e308, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "n_in", "rate", "layers", "rng", "x"]), inner, max_size=3),
    max_leaves=5)


@st.composite
def changed_specs(draw):
    """Strategy: the tiny model's spec in which one or two values are any JSON."""
    spec = copy.deepcopy(tiny().spec())
    for _ in range(draw(st.integers(1, 2))):
        target = draw(st.sampled_from([spec, *(layer for layer in spec["layers"] if isinstance(layer, dict))])) if isinstance(spec.get("layers"), list) else spec
        target[draw(st.sampled_from([*target, "padding", "pool_size"]))] = draw(JSON_VALUES)
    return spec


@fuzz
@given(changed_specs())
def test_any_value_in_a_spec_loads_whole_or_is_refused(spec):
    check(with_spec(spec))


@fuzz
@given(JSON_VALUES)
def test_any_json_as_a_spec_is_refused(spec):
    with pytest.raises(WeightsError, match="mine: "):
        weights.load(with_spec(spec), "mine")
