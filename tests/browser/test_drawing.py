"""Someone draws, corrects and clears, with mouse and keys, and the pad does what pen and paper would do."""

import numpy as np
import pytest
from hand import digit
from playwright.sync_api import expect

STEM = [(140, 60), (140, 220)]
BAR = [(60, 140), (220, 140)]


@pytest.fixture(autouse=True)
def fresh(visit):
    visit.fresh()


def width_at(ink: np.ndarray, row: int) -> float:
    """How wide the stroke is that crosses this row, in ink pixels, its soft rims counted by their share."""
    return ink[row].sum() / 255


def test_a_drawing_made_while_python_loads_is_read_as_soon_as_it_can_be(new_visit, site):
    early = new_visit(site)
    release = early.hold("**/pyodide.asm.wasm")
    early.open()
    early.draw(digit(7))
    assert early.n_strokes() == 1
    assert early.ink().any()
    expect(early.status).to_have_attribute("data-state", "loading")
    expect(early.prediction).to_have_text("")
    expect(early.prediction).to_have_attribute("aria-busy", "true")
    release()
    assert early.answer() == "7"
    expect(early.status).to_have_attribute("data-state", "ready")


def test_the_digit_is_read_while_the_pen_is_still_down(visit):
    visit.draw(digit(3), lift=False)
    assert visit.answer() == "3"
    visit.page.mouse.up()
    assert visit.answer() == "3"
    assert visit.n_strokes() == 1


def test_a_second_look_is_for_when_the_pen_is_lifted(visit):
    visit.on_element("""({ recognizer }) => {
      window.once = [];
      const { predict } = Object.getPrototypeOf(recognizer);
      recognizer.predict = (source, options) => (once.push(options.once), predict.call(recognizer, source, options));
    }""")
    visit.draw(digit(3), lift=False)
    assert visit.answer() == "3"
    assert set(visit.page.evaluate("() => once")) == {True}
    visit.page.mouse.up()
    assert visit.answer() == "3"
    assert visit.page.evaluate("() => once").pop() is False


def test_an_answer_to_older_ink_is_marked_from_the_moment_the_ink_changes(visit):
    visit.lay(digit(1))
    visit.answer()
    busy = visit.on_element("""(element) => {
      element.clear();
      return element.shadowRoot.querySelector(".prediction").ariaBusy;
    }""")
    assert busy == "true"
    expect(visit.prediction).to_have_attribute("aria-busy", "false")


def test_an_answer_stays_marked_until_the_newest_ink_is_read(visit):
    visit.on_element("""(element) => {
      const { recognizer } = element;
      const gate = new Promise((open) => { window.letThrough = open; });
      recognizer.predict = async (...source) => { await gate; return Object.getPrototypeOf(recognizer).predict.apply(recognizer, source); };
    }""")
    visit.draw([STEM])
    expect(visit.prediction).to_have_attribute("aria-busy", "true")
    expect(visit.prediction).to_have_text("")
    visit.on_element("(element) => { delete element.recognizer.predict; letThrough(); }")
    assert visit.answer() == "1"


def test_clear_takes_everything_away_and_undo_brings_it_back(visit):
    visit.draw(digit(4))
    assert visit.answer() == "4"
    drawn = visit.ink()
    visit.by("clear").click()
    expect(visit.prediction).to_have_text("")
    assert not visit.ink().any()
    visit.by("undo").click()
    assert visit.answer() == "4"
    assert np.array_equal(visit.ink(), drawn)
    visit.by("redo").click()
    expect(visit.prediction).to_have_text("")
    assert not visit.ink().any()


def test_a_new_stroke_after_undo_leaves_nothing_to_redo(visit):
    visit.draw([STEM, BAR])
    visit.by("undo").click()
    expect(visit.by("redo")).not_to_have_attribute("aria-disabled", "true")
    visit.draw([STEM])
    expect(visit.by("redo")).to_have_attribute("aria-disabled", "true")
    assert visit.n_strokes() == 2


def test_the_eraser_takes_ink_away_where_it_goes_and_nowhere_else(visit):
    visit.draw([STEM, BAR])
    before = visit.ink()
    visit.button("Eraser").click()
    expect(visit.button("Eraser")).to_have_attribute("aria-pressed", "true")
    visit.draw([[(140, 200), (140, 240)]])
    after = visit.ink()
    assert not after[200:240].any()
    assert np.array_equal(after[:180], before[:180])


def test_the_answer_follows_the_eraser(visit):
    visit.draw([[(90, 60), (190, 60), (190, 60), (130, 220)], [(60, 120), (60, 220)]])
    visit.button("Eraser").click()
    visit.draw([[(60, 110), (60, 230)]])
    assert visit.answer() == "7"
    visit.page.get_by_label("Brush size").fill("48")
    visit.draw([[(80, 60), (200, 60), (130, 230)]])
    expect(visit.prediction).to_have_text("")  # wholly erased is not drawn


def test_the_pen_is_20_of_280_wide(visit):
    visit.draw([STEM])
    assert width_at(visit.ink(), 140) == pytest.approx(20, abs=0.5)


def test_the_brush_size_is_the_width_of_the_next_stroke(visit):
    visit.draw([[(60, 60), (60, 220)]])
    visit.page.get_by_label("Brush size").fill("40")
    visit.draw([[(180, 60), (180, 220)]])
    ink = visit.ink()
    assert width_at(ink[:, :140], 140) == pytest.approx(20, abs=0.5)
    assert width_at(ink[:, 140:], 140) == pytest.approx(40, abs=0.5)


def test_ink_lies_where_it_was_drawn(visit):
    visit.draw([[(60, 80), (60, 200)]])
    rows, columns = np.nonzero(visit.ink() > 127)
    assert [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1] == pytest.approx([70, 210, 50, 70], abs=1)


def test_ink_that_grew_is_the_same_as_ink_put_there_at_once(visit):
    visit.draw([*digit(8), BAR])
    visit.button("Eraser").click()
    visit.draw([[(100, 100), (180, 180), (100, 180)]])
    grown = visit.ink()
    visit.on_element("(element) => { element.strokes = element.strokes; }")
    assert np.array_equal(visit.ink(), grown)


def test_a_stroke_that_leaves_the_pad_comes_back(visit):
    visit.draw([[(200, 100), (270, 100), (330, 110), (330, 170), (270, 180), (200, 180)]])
    assert visit.n_strokes() == 1
    ink = visit.ink()
    assert ink[100, 200:].min() == ink[180, 200:].min() == 255
    assert not ink[120:160].any()  # out there it went down, not straight across the pad


def test_a_tap_makes_a_dot(visit):
    visit.draw([[(100, 150)]])
    ink = visit.ink()
    rows, columns = np.nonzero(ink > 127)
    assert [rows.mean(), columns.mean()] == pytest.approx([149.5, 99.5], abs=0.6)  # pixels are numbered by their upper left corner
    assert ink.sum() / 255 == pytest.approx(np.pi * 10**2, rel=0.03)
    assert visit.verdict() == "declined"  # read, and found too small


def test_the_right_button_draws_nothing(visit):
    box = visit.by("pad").bounding_box()
    visit.page.mouse.move(box["x"] + 100, box["y"] + 100)
    visit.page.mouse.down(button="right")
    visit.page.mouse.move(box["x"] + 150, box["y"] + 150)
    visit.page.mouse.up(button="right")
    assert visit.n_strokes() == 0


def test_keys_undo_and_redo(visit):
    visit.draw([STEM, BAR])
    counts = []
    for key in ("Control+z", "Control+z", "Control+y", "Control+Shift+z", "Control+z"):
        visit.page.keyboard.press(key)
        counts.append(visit.n_strokes())
    assert counts == [1, 0, 1, 2, 1]


@pytest.mark.parametrize("key", ["c", "Delete"])
def test_a_key_clears(visit, key):
    visit.draw([STEM])
    visit.page.keyboard.press(key)
    assert visit.n_strokes() == 0
    expect(visit.prediction).to_have_text("")


@pytest.mark.parametrize("how", ["key", "picture"])
def test_a_stroke_under_way_is_not_lost_by_what_covers_it(visit, how):
    visit.draw([STEM, BAR], lift=False)
    if how == "key":
        visit.page.keyboard.press("c")
    else:
        visit.on_element("""(element) => element.openPicture(
          new Blob(['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'], { type: "image/svg+xml" }))""")
    visit.page.mouse.up()
    visit.by("undo").click()
    assert visit.n_strokes() == 2


def test_only_the_drawing_is_told_as_input_not_the_brush(visit):
    visit.page.evaluate("() => { window.inputs = 0; addEventListener('input', () => inputs++); }")
    visit.page.get_by_label("Brush size").focus()
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.evaluate("() => inputs") == 0
    visit.draw([STEM])
    visit.answer()
    assert visit.page.evaluate("() => inputs") > 0


def test_keys_choose_pen_eraser_and_brush_size(visit):
    brush = visit.page.get_by_label("Brush size")
    visit.page.keyboard.press("e")
    expect(visit.button("Eraser")).to_have_attribute("aria-pressed", "true")
    visit.page.keyboard.press("p")
    expect(visit.button("Pen")).to_have_attribute("aria-pressed", "true")
    visit.page.keyboard.press("]")
    expect(brush).to_have_value("24")
    visit.page.keyboard.press("[")
    visit.page.keyboard.press("[")
    expect(brush).to_have_value("16")


def test_keys_belong_to_whoever_is_being_typed_into(visit):
    visit.draw([STEM])
    visit.page.evaluate("() => document.body.append(Object.assign(document.createElement('input'), { id: 'typing' }))")
    visit.page.locator("#typing").press_sequentially("ce")
    visit.page.locator("#typing").press("Control+z")
    visit.page.get_by_role("combobox").press("e")
    assert visit.n_strokes() == 1
    expect(visit.button("Pen")).to_have_attribute("aria-pressed", "true")
    visit.page.evaluate("() => document.querySelector('#typing').remove()")
