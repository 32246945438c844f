"""Someone opens the page and draws."""

import pytest
from hand import STYLES, digit
from playwright.sync_api import expect


@pytest.mark.parametrize("style", range(STYLES))
@pytest.mark.parametrize("value", range(10))
def test_a_drawn_digit_is_read(visit, value, style):
    assert visit.read(digit(value, style)) == str(value)


def test_an_empty_pad_has_no_answer(visit):
    visit.clear()
    expect(visit.prediction).to_have_text("")
    expect(visit.by("confidence")).to_have_text("")
    for i in range(10):
        assert float(visit.by(f"bar-{i}").get_attribute("aria-valuenow")) == 0


def test_the_bars_show_the_ten_probabilities_in_percent(visit):
    visit.read(digit(4))
    values = [float(visit.by(f"bar-{i}").get_attribute("aria-valuenow")) for i in range(10)]
    assert sum(values) == pytest.approx(100, abs=0.6)
    assert max(range(10), key=values.__getitem__) == 4


def test_undo_takes_back_the_last_stroke_and_redo_brings_it_again(visit):
    visit.clear()
    first, second = [[(80, 70), (200, 70), (120, 220)]], [[(110, 145), (195, 140)]]  # a seven, and its bar
    visit.draw(first)
    assert visit.answer() == "7"
    before = visit.on_element("(element) => element.strokes.length")
    visit.draw(second)
    assert visit.answer() == "7"
    visit.by("undo").click()
    assert visit.on_element("(element) => element.strokes.length") == before == 1
    visit.page.get_by_role("button", name="Redo").click()
    assert visit.on_element("(element) => element.strokes.length") == 2
