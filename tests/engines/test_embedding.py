"""Somebody else's page with two fields of a form to draw in, in any engine."""

import shutil

import pytest
from hand import digit

from engines.engine import wait_until
from engines.reports import reporting

PAGE = """<!doctype html><html lang="de"><meta charset="utf-8"><title>Guest</title><link rel="icon" href="data:,">
<form>
  <digit-recognizer name="digit" required theme="dark"></digit-recognizer>
  <digit-recognizer name="second" model="mlp-128-64" theme="light" lang="en"></digit-recognizer>
</form>
<script type="module" src="./inkling/js/digit-recognizer.js"></script>
"""
FIELD = """(element) => {
  const { value, validity, validationMessage, form, shadowRoot } = element, sent = Object.fromEntries(new FormData(form));
  return { value, valid: validity.valid, missing: validity.valueMissing, message: validationMessage, sent,
    clear: shadowRoot.querySelector("[data-testid=clear]").textContent,
    sheet: getComputedStyle(shadowRoot.querySelector(".sheet")).backgroundColor };
}"""
SECOND = """() => {
  const second = document.querySelectorAll("digit-recognizer")[1];
  return { value: second.value, model: second.prediction?.model, clear: second.shadowRoot.querySelector("[data-testid=clear]").textContent,
    sheet: getComputedStyle(second.shadowRoot.querySelector(".sheet")).backgroundColor };
}"""
LAY_ON_SECOND = "(strokes) => { document.querySelectorAll('digit-recognizer')[1].strokes = strokes; }"
STROKE = {"tool": "pen", "width": 20 / 280, "points": [0.5, 0.2, 0.5, 0.8]}


@pytest.fixture
def tab(visit, dist, tmp_path):
    shutil.copytree(dist, tmp_path / "inkling", ignore=shutil.ignore_patterns("*.br", "inkling.html"))
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    with reporting(tmp_path) as server:
        yield visit(server.url).open().ready()


def test_fields_of_a_form_are_filled_by_hand(tab):
    wait_until(lambda: tab.on_element(FIELD)["clear"] == "Löschen", "it does not speak German")
    empty = tab.on_element(FIELD)
    assert (empty["value"], empty["valid"], empty["missing"], empty["message"]) == ("", False, True, "Bitte hier schreiben.")
    assert empty["sheet"] == "rgb(39, 45, 49)"

    tab.draw(digit(3))
    assert tab.answer() == "3"
    filled = tab.on_element(FIELD)
    assert (filled["value"], filled["valid"], filled["sent"]) == ("3", True, {"digit": "3", "second": ""})

    tab.engine.evaluate(LAY_ON_SECOND, [STROKE])
    wait_until(lambda: tab.engine.evaluate(SECOND)["value"] == "1", "the second field has not been read", 180)
    assert tab.engine.evaluate(SECOND) == {"value": "1", "model": "mlp-128-64", "clear": "Clear", "sheet": "rgb(255, 253, 248)"}
    assert tab.on_element(FIELD)["sent"] == {"digit": "3", "second": "1"}

    tab.engine.evaluate("() => document.forms[0].reset()")
    wait_until(lambda: tab.on_element(FIELD)["missing"], "the form was not reset")
