"""Weights files: exact round trips, and a clear error for everything that is no weights file."""

import io
import json
import zipfile

import numpy as np
import pytest
from weights_files import SHAPES, SPEC, npy, packed, saved, tiny, tiny_members, with_claims, with_members, with_spec

from inkling import weights
from inkling.model import Sequential, architecture
from inkling.weights import WeightsError


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
    assert (weights.load(with_members("4.W", W)).parameters()["4.W"] == W).all()


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
    npz = bytearray(packed(tiny_members().items()))
    npz[npz.find(b"4.W.npy") + 150] ^= 1
    with pytest.raises(WeightsError, match="CRC"):
        weights.load(bytes(npz))


@pytest.mark.parametrize("npz, message", [
    (with_members("4.W", None), r"has 0.W, 0.b, 4.b; its spec needs 0.W, 0.b, 4.W, 4.b"),
    (with_members("7.W", np.ones(3, np.float16)), "has 0.W, 0.b, 4.W, 4.b, 7.W; its spec needs"),
    (with_members("spec", None), "'spec' is missing"),
    (packed([]), "'spec' is missing"),
    (with_members("4.W", np.ones((3, 8), np.float32)), r"'4.W' is \(3, 8\); the model needs \(8, 3\). Retrain with: python trainer/train.py"),
    (with_members("4.b", np.ones((), np.float32)), r"'4.b' is \(\); the model needs \(3,\)"),
    (with_members("4.W", np.ones((8, 3), int)), "'4.W' is int64; it must be float16, float32 or float64"),
    (with_members("4.W", np.ones((8, 3), bool)), "'4.W' is bool"),
    (with_members("4.W", np.ones((8, 3), complex)), "'4.W' is complex128"),
    (with_members("4.W", np.ones((8, 3), ">f4")), "'4.W' is >f4"),
    (with_members("4.W", np.full((8, 3), "x")), "'4.W' is <U1"),
    (with_members("4.W", np.full((8, 3), None, object)), "'4.W' is object"),
    (with_members("4.W", np.array([(1.0, 2)], [("a", "f4"), ("b", "i4")])), "'4.W' is "),
    (with_members("4.W", np.full((8, 3), np.nan)), "'4.W' has values that are not finite numbers"),
    (with_members("4.b", np.array([0, 1, np.inf], np.float16)), "'4.b' has values that are not finite numbers"),
    (with_members("4.b", np.array([0, 1, 1e300])), "'4.b' has values that are not finite numbers"),
    (with_members("4.b", npy(np.ones(3, np.float32))[:-4]), r"'4.b' has 8 bytes; float32 \(3,\) needs 12"),
    (with_members("4.b", npy(np.ones(3, np.float32)) + b"more"), r"'4.b' has 16 bytes; float32 \(3,\) needs 12"),
    (with_members("4.b", b""), "'4.b' has no readable header"),
    (with_members("4.b", b"\x93NUMPY\x02\x00" + npy(np.ones(3))[8:]), "'4.b' has no readable header"),
    (with_members("4.b", npy(np.ones(3)).replace(b"{'descr'", b"[[[[[[[[")), "'4.b' has no readable header"),
    (with_members("4.b", npy(np.ones(3)).replace(b"'fortran", b"'''rtran")), "'4.b' has no readable header"),
    (with_members("spec", np.array(b"{}")), "'spec' must be one text"),
    (with_members("spec", np.array(["{}", "{}"])), "'spec' must be one text"),
    (with_members("spec", np.array(1.5)), "'spec' must be one text"),
    (with_members("spec", np.array({"input_shape": [784]}, object)), "'spec' must be one text"),
    (with_members("spec", np.array("")), "'spec'"),
    (with_members("spec", np.array("{'a': 1}")), "'spec': Expecting property name"),
    (with_members("spec", npy(np.array("ab")).replace(b"a\0\0\0", b"\xff\xff\xff\xff")), "'spec'"),
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
    entries = list(tiny_members().items())
    content = dict(entries).get(twice, dict(entries)["4.b.npy"])
    with pytest.raises(WeightsError, match="a key stands twice"):
        weights.load(packed([*entries, (twice, content)]))


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    for npz in (with_members("spec", np.array(Trap(), object)), with_members("4.W", np.array([[Trap()] * 3] * 8, object))):
        with pytest.raises(WeightsError):
            weights.load(npz)
    assert not tmp_path.joinpath("sprung").exists()


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99], ids=["bzip2", "lzma", "unknown"])
def test_compression_that_numpy_does_not_use_is_refused(compression):
    with pytest.raises(WeightsError, match="compressed in another way"):
        weights.load(with_claims(tiny_members(), "4.W.npy", compress_type=compression))


@pytest.mark.parametrize("key", ["4.W.npy", "spec.npy"])
@pytest.mark.parametrize("offset", [10**6, 2**63 + 5, 2**64 - 1])
def test_a_member_beyond_the_end_of_the_file_is_refused(key, offset):
    with pytest.raises(WeightsError, match="mine: not a readable .npz file"):
        weights.load(with_claims(tiny_members(), key, header_offset=offset), "mine")


def test_a_member_before_the_start_of_the_file_is_refused():
    # The end record claims that a million bytes stood before the archive, and so do all members but one.
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in tiny_members().items():
            archive.writestr(name, content)
        for entry in archive.infolist():
            entry.header_offset += 0 if entry.filename == "4.W.npy" else 1_000_000
    npz = bytearray(file.getvalue())
    place = npz.rfind(b"PK\x05\x06") + 16
    npz[place:place + 4] = (int.from_bytes(npz[place:place + 4], "little") + 1_000_000).to_bytes(4, "little")
    with pytest.raises(WeightsError, match="mine: not a readable .npz file"):
        weights.load(bytes(npz), "mine")
