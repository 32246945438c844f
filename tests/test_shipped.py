"""The package read without files being named: ink and pictures as arrays."""

import numpy as np
import pytest

from inkling import shipped
from inkling.shipped import read


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
    with pytest.raises(FileNotFoundError, match="nowhere: there is no convnet.npz. Install"):
        shipped.load.__wrapped__()
