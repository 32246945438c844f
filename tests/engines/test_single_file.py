"""Someone opens inkling.html by double click: no server, no network, and everything is there."""

import json

import numpy as np
import pytest
from hand import digit, ink_of
from PIL import Image

from engines.engine import wait_until

INK = "(element) => [...element.ink().data]"
FETCHED = "() => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.startsWith('http'))"


@pytest.fixture
def tab(visit, dist):
    return visit((dist / "inkling.html").as_uri()).open().ready()


def test_it_reads_ten_digits_from_the_disk(tab):
    assert tab.engine.evaluate("() => location.protocol") == "file:"
    assert [tab.read(digit(value)) for value in range(10)] == list("0123456789")
    assert tab.engine.evaluate(FETCHED) == []
    assert tab.health()["boot"]["path"] == "snapshot"


def test_it_changes_networks_reads_pictures_and_saves(tab, tmp_path):
    for model in ("mlp-128-64", "mlp-256-128", "convnet"):
        tab.use_model(model)
        assert tab.read(digit(3)) == "3"
        assert tab.on_element("(element) => element.prediction.model") == model

    drawn = np.array(tab.on_element(INK), np.uint8).reshape(280, 280)
    assert np.array_equal(np.asarray(Image.open(tab.save("drawing", "drawing.png")).convert("L")), 255 - drawn)
    assert Image.open(tab.save("image", "28x28.png")).size == (28, 28)
    numbers = json.loads(tab.save("numbers", "prediction.json").read_text(encoding="utf-8"))
    assert (numbers["text"], numbers["model"]) == ("3", "convnet")

    Image.fromarray(255 - ink_of(digit(6))).save(tmp_path / "six.png")
    tab.engine.choose_file("#file", tmp_path / "six.png")
    wait_until(lambda: tab.answer() == "6", "the picture is not read")
