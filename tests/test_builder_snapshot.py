"""The heap snapshot: what is in its files, that two are equal, and that a Python restored from it is as any other."""

import json
import subprocess

import numpy as np
import pytest
from browser.hand import STYLES, digit, ink_of, scribble, shaken

from builder.common import ROOT, SITE, file_sha256
from builder.emscripten import LOADER, SCRIPT
from builder.halves import MAIN, secondary_name
from builder.node import node
from builder.python_pack import make_packs
from builder.runtime import read_lock, runtime_directory
from builder.snapshot import HALVES, HEAP, LIBRARIES, make_snapshot, whole_name

LOCK = read_lock()
RUNTIME = runtime_directory(LOCK)
WEIGHTS = ROOT / "weights" / "convnet.npz"
pytestmark = pytest.mark.skipif(not RUNTIME.is_dir(), reason="no runtime in the cache yet: python build.py fetches it")


@pytest.fixture(scope="module")
def files():
    """{name: path} of all that the worker may ask for, but the models."""
    packs = make_packs(LOCK, RUNTIME, SITE)
    snapshot = make_snapshot(LOCK, RUNTIME, packs, "convnet", WEIGHTS.read_bytes())
    return {LOADER: RUNTIME / LOADER} | packs | snapshot


@pytest.fixture(scope="module")
def heap(files):
    """(header, number of bytes after it)"""
    data = files[HEAP].read_bytes()
    length = int.from_bytes(data[8:12], "little")
    assert data[:4] == b"INKL" and length % 4 == 0
    return json.loads(data[12 : 12 + length]), len(data) - 12 - length


@pytest.fixture(scope="module")
def reports(files, tmp_path_factory):
    """What tests/restored.py says after each way to start, and of a second restore."""
    drawings = tmp_path_factory.mktemp("drawings") / "ink"
    rng = np.random.default_rng(3)
    drawn = [shaken(digit(value, style), rng) for value in range(10) for style in range(STYLES)] + [scribble(rng) for _ in range(20)]
    drawings.write_bytes(b"".join(ink_of(drawing).tobytes() for drawing in drawn))

    def run(path: str) -> dict:
        command = [node(), ROOT / "tests" / "restored.mjs", path, LOCK["abi"], WEIGHTS, drawings, *files.values()]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return {way: run(way) for way in ("snapshot", "patient", "slim")} | {"again": run("snapshot")}


def test_the_header_binds_the_files_that_belong_together(files, heap):
    header, _ = heap
    partners = header["madeWith"] | {library["file"]: library["sha256"] for library in header["libraries"]}
    whole = files | {name: files[whole_name(name)] for name in LIBRARIES} | {MAIN: RUNTIME / MAIN}
    assert partners == {name: file_sha256(whole[name]) for name in partners}
    assert set(partners) == {MAIN, SCRIPT, "python_stdlib.zip", "numpy.zip", "inkling.zip", *LIBRARIES}


def test_the_runs_lie_in_order_within_the_memory_and_are_all_the_data(heap):
    header, size = heap
    ends = [0]
    for begin, length in sorted(header["runs"] + header["untouched"]):
        assert begin >= ends[-1] and length > 0
        ends.append(begin + length)
    assert ends[-1] <= header["heapSize"]
    assert sum(length for _, length in header["runs"]) == size


def test_a_snapshot_made_anew_is_the_same_byte_for_byte(files, tmp_path, monkeypatch):
    packs = {name: files[name] for name in ("python_stdlib.zip", "numpy.zip", "numpy_random.zip", "inkling.zip")}
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path))
    made = make_snapshot(LOCK, RUNTIME, packs, "convnet", WEIGHTS.read_bytes())
    assert made[HEAP] != files[HEAP]
    for name in (HEAP, SCRIPT, *HALVES, *map(whole_name, LIBRARIES)):
        assert made[name].read_bytes() == files[name].read_bytes()


def test_after_a_restore_answers_and_errors_are_those_of_a_python_started_step_by_step(reports):
    restored, slim = reports["snapshot"]["before"], reports["slim"]["before"]
    assert restored["answers"] == slim["answers"]
    assert [text for text, _, _ in restored["answers"]][:3] == ["1", "0", "10"]
    assert restored["self_test"] and slim["self_test"]
    assert restored["refused"] == slim["refused"] != ""


@pytest.mark.parametrize("path", ["snapshot", "slim"])
def test_functions_are_wrapped_by_one_module_and_pyodide_has_its_own_again(reports, path):
    assert 1 <= reports[path]["modules"] <= 10  # Emscripten would make 261
    assert reports[path]["signature"] == "vp"


def test_a_module_that_was_not_imported_is_missing_until_its_files_come(reports):
    assert all(text.startswith("ModuleNotFoundError") for text in reports["snapshot"]["before"]["missing"])
    assert reports["snapshot"]["after"]["missing"] == ["", ""]


def test_training_warnings_and_errors_through_numpys_libraries_are_the_same_after_a_restore(reports):
    restored, slim = reports["snapshot"]["after"], reports["slim"]["after"]
    assert restored == slim
    assert restored["curve"][-1] < restored["curve"][0]
    assert restored["errors"][0].startswith("LinAlgError: Last 2 dimensions") and all(restored["errors"])
    assert {text.partition(":")[0] for text in restored["warned"]} == {"RuntimeWarning", "ComplexWarning"}
    assert restored["solved"] == pytest.approx([0.8, 1.4])


def test_starting_and_reading_call_none_of_the_functions_that_come_later(reports):
    for way in ("snapshot", "patient", "again"):
        assert reports[way]["atStart"] == sorted([HEAP, MAIN, *LIBRARIES, LOADER, SCRIPT])
        assert reports[way]["toRead"] == []
        assert reports[way]["read"] == reports["slim"]["read"]
    assert [text for text, _ in reports["slim"]["read"]].count("") < 25  # most digits are read, so all is computed that reading takes


def test_what_is_called_before_it_came_is_there_at_once_and_comes_once(reports):
    early, rest = reports["snapshot"]["early"], set(map(secondary_name, (MAIN, *LIBRARIES)))
    assert secondary_name(MAIN) in early  # restored.py is more than reading
    assert len(early) == len(set(early)) and set(early) < rest
    assert set(reports["snapshot"]["later"]) == rest - set(early) | {"numpy_random.zip", "numpy.zip", "inkling.zip", "python_stdlib.zip"}


def test_all_of_it_comes_before_the_archives_and_then_nothing_is_missing(reports):
    patient = reports["patient"]
    assert patient["early"] == patient["atOnce"] == reports["snapshot"]["atOnce"] == []
    assert set(patient["later"][:3]) == set(map(secondary_name, (MAIN, *LIBRARIES)))
    assert patient["after"] == reports["slim"]["after"]


def test_every_module_can_be_imported_and_every_random_generator_draws(reports):
    """NumPy's others are linked to Python's own functions only then, and most of those the first half of the module does not export."""
    after = reports["patient"]["after"]
    assert len(after["random"]) == 19 and len(set(after["random"])) > 16
    assert {"numpy.random._philox", "numpy.linalg", "asyncio", "ctypes"} <= after["imports"].keys()
    others = [error for error in after["imports"].values() if error and not error.startswith("ModuleNotFoundError: No module named")]
    assert len(after["imports"]) > 300 and others == []


def test_memory_grows_past_what_the_snapshot_had(reports, heap):
    assert reports["snapshot"]["after"]["grown"] == 45
    assert reports["snapshot"]["heap"] > heap[0]["heapSize"] + 50_000_000


def test_random_numbers_differ_from_restore_to_restore(reports):
    assert reports["snapshot"]["before"]["chance"] != reports["again"]["before"]["chance"]
