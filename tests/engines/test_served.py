"""Someone opens the served site and draws."""

import pytest
from hand import digit

from engines.engine import wait_until
from engines.reports import reporting, reports

FOREIGN_PICTURE = "() => { new Image().src = 'https://example.invalid/a.png'; }"
NOTE_POINTERS = """() => {
  const pad = document.querySelector("digit-recognizer").shadowRoot.querySelector("[data-testid=pad]"), pointers = window.pointers = [];
  pad.addEventListener("pointermove", ({ pointerType }) => pointers.push(pointerType));
}"""


@pytest.fixture
def tab(visit, dist):
    with reporting(dist) as server:
        yield visit(server.url).open().ready()


def test_ten_digits_drawn_with_a_mouse_are_read(tab):
    assert [tab.read(digit(value)) for value in range(10)] == list("0123456789")


def test_digits_drawn_with_a_finger_are_read(engine, tab):
    engine.evaluate(NOTE_POINTERS)
    answers = [tab.read(digit(value), pointer="touch") for value in (3, 4)]
    pointers = set(engine.evaluate("() => window.pointers"))
    if not engine.touch:
        assert pointers == {"mouse"}
        pytest.skip("NOT RUN: WebKitGTK's driver makes a mouse of a finger")
    assert answers == ["3", "4"]
    assert pointers == {"touch"}


def test_a_complaint_would_be_noticed(engine, tab):
    """Else the tests above could not fail for one."""
    tab.engine.evaluate("() => { console.error('mind the gap'); setTimeout(() => { throw new Error('the last straw'); }); }")
    tab.engine.evaluate(FOREIGN_PICTURE)
    wait_until(lambda: any("example.invalid" in text for text in reports()), "the policy's report has not come")
    told = "\n".join(tab.problems())
    assert "mind the gap" in told and "the last straw" in told
