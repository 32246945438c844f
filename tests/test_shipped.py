"""The package read without files being named: ink and pictures as arrays."""

import os
import subprocess
import sys

import numpy as np
import pytest

from inkling import shipped
from inkling.shipped import read
from trainer import ROOT


@pytest.fixture
def one():
    ink = np.zeros((120, 90), np.uint8)
    ink[20:100, 40:50] = 255
    return ink


def test_ink_is_read(one):
    answer = read(one)
    assert (answer["text"], answer["model"], answer["found"]["box"]) == ("1", "convnet", [40, 20, 10, 80])


def test_a_picture_of_it_is_read_too_however_it_lies_in_memory(one):
    paper = np.dstack([255 - one] * 3 + [np.full_like(one, 255)])
    assert read(paper)["text"] == read(np.asfortranarray(paper))["text"] == "1"


def test_several_digits_are_read_when_asked_for(one):
    two = np.hstack([one, one])
    assert read(two, numbers=True)["text"] == "11" and not read(two)["accepted"]


@pytest.mark.parametrize("picture", [np.zeros((28, 28)), np.zeros(784, np.uint8), np.zeros((28, 28, 3), np.uint8), "seven"])
def test_what_is_neither_is_refused(picture):
    with pytest.raises(ValueError, match="is neither ink, uint8"):
        read(picture)


def test_the_network_is_loaded_once():
    assert shipped.load() is shipped.load()


def test_a_package_without_its_network_says_so(monkeypatch):
    monkeypatch.setattr(shipped, "PLACES", ("nowhere",))
    with pytest.raises(FileNotFoundError, match="nowhere: there is no convnet.npz. Install the package again: the wheel"):
        shipped.load.__wrapped__()


@pytest.mark.parametrize("arguments, code, said", [
    ([], 2, "usage: python read_picture.py"), (["none.png"], 1, "none.png: "), (["notes.png"], 1, "notes.png: cannot identify"),
])
def test_the_example_script_ends_with_one_line_when_it_has_no_picture(arguments, code, said, tmp_path):
    (tmp_path / "notes.png").write_text("no picture", encoding="utf-8")
    command = [sys.executable, str(ROOT / "examples" / "read_picture.py"), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "site" / "py")}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == code and run.stderr.startswith(said) and run.stderr.count("\n") == 1 and not run.stdout
