"""Someone writes whole numbers: the switch, the number in large type, and each digit boxed where it stands on the pad."""

import io
import re

import numpy as np
import pytest
from hand import PEN, SIDE, box_of, digit, ink_of, number
from PIL import Image
from playwright.sync_api import expect

PHONE, SMALL_PHONE, LANDSCAPE, TABLET, DESKTOP = (360, 740), (320, 568), (740, 360), (820, 1180), (1280, 800)
NEAR = 3  # pad units between a box and the ink that it is drawn around, its distance from it included

# Each box on the sheet without its padding and border, [x, y, width, height] in pad units, and what is written at its corner.
BOXES = """
(layer, side) => {
  const sheet = layer.getBoundingClientRect(), scale = side / sheet.width;
  return [...layer.children].map((box) => {
    const { left, top, width, height } = box.getBoundingClientRect();
    const margin = -parseFloat(getComputedStyle(box).marginLeft);
    const place = [left - sheet.left + margin, top - sheet.top + margin, width - 2 * margin, height - 2 * margin];
    return [place.map((number) => number * scale), box.textContent];
  });
}
"""
# The place that the characters themselves take, not that of their element.
TYPE = """
(prediction) => {
  const range = document.createRange();
  range.selectNodeContents(prediction);
  const { left, right } = range.getBoundingClientRect();
  return [left, right];
}
"""


@pytest.fixture(autouse=True)
def fresh(visit):
    visit.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    visit.fresh()


def switch(visit):
    return visit.page.get_by_role("switch", name="Read whole numbers")


def turn_on(visit) -> None:
    switch(visit).click()
    expect(switch(visit)).to_have_attribute("aria-checked", "true")


def write(visit, text: str, *, pen: int = PEN) -> list:
    """Draws a number with the mouse. Returns its drawings."""
    drawings = number(text, pen=pen)
    visit.page.get_by_label("Brush size").fill(f"{pen}")
    for drawing in drawings:
        visit.draw(drawing)
    return drawings


def boxes(visit) -> list:
    return visit.by("boxes").evaluate(BOXES, SIDE)


def assert_boxed(visit, drawings, labels: str, *, pen: int = PEN) -> None:
    found = boxes(visit)
    assert "".join(label for _, label in found) == labels
    for (place, _), drawing in zip(found, drawings, strict=True):
        assert place == pytest.approx(box_of(drawing, pen=pen), abs=NEAR)


def pretend_number(visit, text: str, *, unsure: str = "") -> None:
    """From now on every drawing is this number; "?" stands for a digit that is not accepted, `unsure` for what it may be."""
    guesses = iter(unsure)
    digits = []
    for i, letter in enumerate(text):
        accepted = letter != "?"
        value = int(letter if accepted else next(guesses))
        confidence = 0.99 if accepted else 0.5
        probabilities = [confidence if d == value else (1 - confidence) / 9 for d in range(10)]
        place = (SIDE - 20) / len(text)
        digits.append({"digit": value, "confidence": confidence, "probabilities": probabilities, "accepted": accepted,
                       "box": [10 + i * place, 100, place - 8, 80]})
    last = {name: digits[-1][name] for name in ("digit", "confidence", "probabilities", "accepted")}
    visit.pretend(**last, digits=digits, text=text, reason=None if last["accepted"] else "not-a-digit")


def test_at_first_single_digits_are_read(visit):
    expect(switch(visit)).to_have_attribute("aria-checked", "false")
    assert visit.on_element("({ numbers }) => numbers") is False
    visit.draw(digit(3))
    assert visit.answer() == "3"
    assert boxes(visit) == []
    assert "numbers" not in visit.page.url


@pytest.mark.parametrize("text", ["42", "907", "2026"])
def test_a_number_is_read_and_each_digit_boxed_where_it_stands(visit, text):
    turn_on(visit)
    drawings = write(visit, text)
    assert visit.answer() == text
    assert_boxed(visit, drawings, text)
    expect(visit.spoken()).to_have_text(re.compile(rf"^{text}, \d+ percent$"))


@pytest.mark.thorough
def test_a_thin_pen_writes_eight_digits(visit):
    turn_on(visit)
    drawings = write(visit, "20260417", pen=8)
    assert visit.verdict() in ("sure", "unsure")
    assert len(boxes(visit)) == 8
    assert_boxed(visit, drawings, "".join(label for _, label in boxes(visit)), pen=8)


def test_bars_and_image_are_the_last_digits(visit):
    turn_on(visit)
    write(visit, "42")
    assert visit.answer() == "42"
    last = visit.on_element("({ prediction }) => prediction.digits.at(-1).probabilities")
    assert visit.bars() == pytest.approx([100 * p for p in last], abs=0.06)
    expect(visit.page.locator(".bar[data-best]")).to_have_attribute("data-testid", "bar-2")
    expect(visit.page.get_by_text("The last digit, as the network sees it")).to_be_visible()


def test_the_confidence_is_that_all_digits_are_right(visit):
    pretend_number(visit, "2026")
    turn_on(visit)
    visit.draw(digit(2))
    expect(visit.by("confidence")).to_have_text(f"{100 * 0.99**4:.1f}%")


def test_a_single_digit_is_read_as_ever_and_boxed(visit):
    turn_on(visit)
    visit.draw(digit(7))
    assert visit.answer() == "7"
    assert_boxed(visit, [digit(7)], "7")


def test_a_digit_that_is_not_accepted_is_a_question_mark_in_a_dashed_box(visit):
    pretend_number(visit, "2?26", unsure="0")
    turn_on(visit)
    visit.draw(digit(2))
    assert visit.answer() == "2?26"
    expect(visit.by("doubt")).to_have_text("perhaps 2026")
    assert [label for _, label in boxes(visit)] == ["2", "?", "2", "6"]
    styles = visit.by("boxes").evaluate("(layer) => [...layer.children].map((box) => getComputedStyle(box).borderTopStyle)")
    assert styles == ["solid", "dashed", "solid", "solid"]
    expect(visit.spoken()).to_have_text(re.compile("^2 unclear 26, .*perhaps 2026$"))


def test_a_number_without_any_accepted_digit_is_declined(visit):
    pretend_number(visit, "??", unsure="42")
    turn_on(visit)
    visit.draw(digit(4))
    assert visit.verdict() == "declined"
    expect(visit.prediction).to_have_text("")
    expect(visit.by("doubt")).to_have_text("Not a digit?")
    expect(visit.by("guess")).to_have_text("perhaps 42")


def test_boxes_follow_the_pen_while_it_is_down(visit):
    turn_on(visit)
    first, second = number("42")
    visit.draw(first)
    assert visit.answer() == "4"
    visit.draw(second, lift=False)
    assert visit.answer() == "42"
    assert_boxed(visit, [first, second], "42")
    visit.page.mouse.up()
    assert visit.answer() == "42"


def test_boxes_are_no_ink_and_catch_no_pointer(visit):
    write(visit, "42")
    visit.verdict()
    ink = visit.ink()
    turn_on(visit)
    assert visit.answer() == "42"
    assert np.array_equal(visit.ink(), ink)
    before = visit.n_strokes()
    (x, y, width, height), _ = boxes(visit)[0]
    visit.draw([[(x - 3, y - 3), (x + width + 3, y + height + 3)]])
    assert visit.n_strokes() == before + 1
    assert visit.ink()[round(y), round(x)] == 255


def test_boxes_are_nothing_for_a_screen_reader(visit):
    expect(visit.by("boxes")).to_have_attribute("aria-hidden", "true")


def test_boxes_go_with_what_they_stood_around(visit):
    turn_on(visit)
    write(visit, "42")
    assert visit.answer() == "42"
    visit.by("clear").click()
    expect(visit.prediction).to_have_text("")
    assert boxes(visit) == []
    visit.by("undo").click()
    assert visit.answer() == "42"
    assert len(boxes(visit)) == 2
    switch(visit).click()
    assert boxes(visit) == []


def test_boxes_that_have_become_wrong_are_hidden_until_the_answer_comes(visit):
    turn_on(visit)
    visit.draw(number("42")[0])
    assert visit.answer() == "4"
    visit.on_element("""(element) => {
      const { recognizer } = element, { predict } = Object.getPrototypeOf(recognizer);
      const gate = new Promise((open) => { window.letThrough = open; });
      recognizer.predict = async (...given) => { await gate; return predict.apply(recognizer, given); };
    }""")
    visit.draw(number("42")[1])
    expect(visit.page.locator(".boxes > div")).to_be_hidden()
    visit.page.evaluate("() => letThrough()")
    assert visit.answer() == "42"
    expect(visit.page.locator(".boxes > div").first).to_be_visible()


def test_switch_attribute_property_and_address_are_one(visit):
    turn_on(visit)
    assert visit.on_element("(element) => [element.numbers, element.hasAttribute('numbers')]") == [True, True]
    visit.page.wait_for_url(re.compile("#numbers=on$"))
    visit.on_element("(element) => element.removeAttribute('numbers')")
    expect(switch(visit)).to_have_attribute("aria-checked", "false")
    visit.page.wait_for_url(re.compile("/$"))
    visit.on_element("(element) => { element.numbers = true; }")
    expect(switch(visit)).to_have_attribute("aria-checked", "true")


def test_changing_over_reads_the_drawing_again(visit):
    write(visit, "42")
    assert visit.verdict() == "declined"
    turn_on(visit)
    assert visit.answer() == "42"
    switch(visit).click()
    assert visit.verdict() == "declined"
    expect(visit.prediction).to_have_text("")


def test_the_key_n_turns_it_on_and_off(visit):
    for state in ("true", "false"):
        visit.page.keyboard.press("n")
        expect(switch(visit)).to_have_attribute("aria-checked", state)
    expect(switch(visit)).to_have_attribute("title", "Read whole numbers (N)")
    visit.page.get_by_role("combobox").press("n")  # typed into something else
    expect(switch(visit)).to_have_attribute("aria-checked", "false")


def test_the_hint_on_the_bare_pad_says_what_is_read(visit):
    expect(visit.page.locator(".hint")).to_have_text("Draw a digit")
    turn_on(visit)
    expect(visit.page.locator(".hint")).to_have_text("Draw a number")


@pytest.mark.thorough
def test_a_link_carries_the_switch_beside_the_network(new_visit, site):
    linked = new_visit(site).open("#model=mlp-128-64&numbers=on").ready()
    expect(switch(linked)).to_have_attribute("aria-checked", "true")
    write(linked, "42")
    assert linked.answer() == "42"
    assert linked.on_element("({ prediction }) => prediction.model") == "mlp-128-64"
    switch(linked).click()
    linked.page.wait_for_url(re.compile("#model=mlp-128-64$"))


def test_a_number_in_a_picture_is_boxed_on_the_picture(visit):
    first, second = number("42")
    ink = ink_of([*first, *second])[60:220]  # wider than high: the picture lies in the middle of the sheet
    file = io.BytesIO()
    Image.fromarray(255 - ink).resize((560, 320)).save(file, "PNG")
    turn_on(visit)
    with visit.page.expect_file_chooser() as chooser:
        visit.button("Open a picture").click()
    chooser.value.set_files({"name": "number.png", "mimeType": "image/png", "buffer": file.getvalue()})
    assert visit.answer() == "42"
    assert_boxed(visit, [first, second], "42")


@pytest.mark.parametrize("text", ["20", "2026", "20260417"])
@pytest.mark.parametrize("size", [PHONE, SMALL_PHONE, LANDSCAPE, TABLET, DESKTOP], ids="{0[0]}x{0[1]}".format)
def test_a_number_fits_beside_the_image_and_moves_nothing(visit, size, text):
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    visit.lay(digit(7))
    visit.answer()
    parts = ("pad", "preview")
    before = [visit.by(part).bounding_box() for part in parts]
    pretend_number(visit, text)
    visit.on_element("(element) => { element.numbers = true; }")
    assert visit.answer() == text
    assert [visit.by(part).bounding_box() for part in parts] == before
    left, right = visit.prediction.evaluate(TYPE)
    preview, bars = visit.by("preview").bounding_box(), visit.by("bar-0").bounding_box()
    above = preview["y"] + preview["height"] <= visit.prediction.bounding_box()["y"]
    assert left >= 0 and right <= (size[0] if above else preview["x"])
    assert bars["height"] > 30
    assert visit.page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")


def test_the_api_reads_numbers_when_asked_to(visit):
    ink = ink_of([stroke for drawing in number("42") for stroke in drawing])
    pixels = ink.ravel().tolist()
    plain, asked = visit.on_element("""async ({ recognizer }, data) => {
      const source = { data, width: 280, height: 280 };
      const pick = ({ image, ...rest }) => rest;
      return [pick(await recognizer.predict(source)), pick(await recognizer.predict(source, { numbers: true }))];
    }""", pixels)
    assert (plain["text"], plain["reason"], plain["accepted"], len(plain["digits"])) == ("", "several", False, 1)
    assert (asked["text"], asked["reason"], asked["accepted"]) == ("42", None, True)
    assert [one["digit"] for one in asked["digits"]] == [4, 2]
    for one, drawing in zip(asked["digits"], number("42"), strict=True):
        assert one["box"] == pytest.approx(box_of(drawing), abs=NEAR)
    last = asked["digits"][-1]
    assert all(asked[name] == last[name] for name in ("digit", "accepted", "confidence", "probabilities"))


def test_the_api_gives_the_boxes_of_a_large_picture_in_its_own_pixels(visit):
    places = visit.on_element("""async ({ recognizer }) => {
      const picture = new OffscreenCanvas(8192, 1000), context = picture.getContext("2d");
      context.fillStyle = "white";
      context.fillRect(0, 0, 8192, 1000);
      context.fillStyle = "black";
      for (const x of [2000, 6000]) context.fillRect(x, 200, 100, 600);
      return (await recognizer.predict(picture, { numbers: true })).digits.map(({ box }) => box);
    }""")
    assert len(places) == 2
    assert places[0] == pytest.approx([2000, 200, 100, 600], abs=6)
    assert places[1] == pytest.approx([6000, 200, 100, 600], abs=6)
