"""The page declines: it says so calmly, with the reason when there is one, and what it may be all the same."""

import re

import numpy as np
import pytest
from hand import digit, number, scribble
from playwright.sync_api import expect

PHONE, LANDSCAPE, TABLET, DESKTOP = (360, 740), (740, 360), (820, 1180), (1280, 800)
TAP = [[(140, 140)]]
GUESSES = [0.02, 0.03, 0.15, 0.41, 0.02, 0.2, 0.02, 0.08, 0.05, 0.02]
INK_OF_BARS = """
(bars) => [...bars.querySelectorAll(".bar > div > div")].map((ink) => {
  const { backgroundColor, borderTopStyle } = getComputedStyle(ink);
  return [backgroundColor, borderTopStyle];
})
"""


@pytest.fixture(autouse=True)
def fresh(visit):
    visit.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    visit.fresh()


def decline(visit, reason: str | None, guess: int = 3) -> None:
    """Draws with real pointer events what the recogniser then declines for this reason."""
    probabilities = [*GUESSES]
    probabilities[3], probabilities[guess] = probabilities[guess], probabilities[3]
    one = {"digit": guess, "confidence": 0.41, "probabilities": probabilities, "accepted": False}
    visit.pretend(**one, reason=reason, text="", digits=[{**one, "box": [40, 40, 200, 200]}])
    visit.draw(scribble(np.random.default_rng(3)))
    assert visit.verdict() == "declined"


def assert_declined(visit, doubt: str, guess: str) -> None:
    expect(visit.prediction).to_have_text("")
    expect(visit.by("doubt")).to_have_text(doubt)
    expect(visit.by("doubt")).to_be_visible()
    expect(visit.by("doubt")).to_have_css("opacity", "1")
    expect(visit.by("guess")).to_have_text(guess)
    expect(visit.by("confidence")).to_have_text("")  # that belongs to an answer; the bars say how likely the guess is


def question_mark(visit) -> str:
    """What stands where the numeral would be: for the eye only."""
    return visit.prediction.evaluate("(prediction) => getComputedStyle(prediction, '::before').content")


def test_a_tap_is_too_small(visit):
    visit.draw(TAP)
    assert visit.verdict() == "declined"
    best = visit.on_element("({ prediction }) => prediction.digit")
    assert visit.on_element("({ prediction }) => [prediction.accepted, prediction.reason, prediction.text]") == [False, "too-small", ""]
    assert_declined(visit, "Too small: draw it larger", f"perhaps {'an' if best == 8 else 'a'} {best}")
    expect(visit.by("offer")).to_be_hidden()


@pytest.mark.parametrize("reason", ["not-a-digit", None, "something-new"])
def test_what_is_no_digit_is_asked_about(visit, reason):
    decline(visit, reason)
    assert_declined(visit, "Not a digit?", "perhaps a 3")
    expect(visit.by("offer")).to_be_hidden()


def test_the_guess_speaks_english(visit):
    decline(visit, "not-a-digit", guess=8)
    expect(visit.by("guess")).to_have_text("perhaps an 8")


def test_several_digits_can_be_read_as_a_number_with_one_action(visit):
    for drawing in number("42"):
        visit.draw(drawing)
    assert visit.verdict() == "declined"
    assert visit.on_element("({ prediction }) => prediction.reason") == "several"
    assert_declined(visit, "Several digits?", "")
    visit.by("offer").focus()
    visit.page.keyboard.press("Enter")
    assert visit.answer() == "42"
    expect(visit.button("Read as a number")).to_be_hidden()
    expect(visit.page.get_by_role("group", name="Answer")).to_be_focused()  # not lost with the button
    expect(visit.page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    visit.page.wait_for_url(re.compile("#numbers=on$"))


def test_the_bars_keep_their_values_and_become_outlines(visit):
    decline(visit, "not-a-digit")
    assert visit.bars() == pytest.approx([100 * p for p in GUESSES], abs=0.06)
    assert visit.page.locator(".bar[data-best]").count() == 0
    bars = visit.page.get_by_role("group", name="Probability of each digit")
    assert set(map(tuple, bars.evaluate(INK_OF_BARS))) == {("rgba(0, 0, 0, 0)", "solid")}


@pytest.mark.parametrize(("reason", "spoken"), [
    ("not-a-digit", "Not a digit? perhaps a 3"),
    ("too-small", "Too small: draw it larger, perhaps a 3"),
    ("several", "That looks like several digits. They can be read as a number."),
])  # fmt: skip
def test_it_is_said_to_those_who_do_not_see_it(visit, reason, spoken):
    decline(visit, reason)
    expect(visit.spoken()).to_have_text(spoken)


def test_a_question_mark_stands_where_the_numeral_would_and_goes_with_the_doubt(visit):
    visit.draw(TAP)
    assert visit.verdict() == "declined"
    assert question_mark(visit).startswith('"?"')
    assert visit.read(digit(7)) == "7"
    assert question_mark(visit) == "none"
    for part in ("doubt", "guess"):
        expect(visit.by(part)).to_have_text("")
    assert visit.page.locator(".bar[data-best]").count() == 1
    visit.clear()
    assert question_mark(visit) == "none"


def test_a_picture_without_ink_has_nothing_to_read(visit):
    visit.on_element("""async (element) => {
      const canvas = new OffscreenCanvas(60, 60), context = canvas.getContext("2d");
      context.fillStyle = "white";
      context.fillRect(0, 0, 60, 60);
      await element.openPicture(await canvas.convertToBlob());
    }""")
    expect(visit.by("doubt")).to_have_text("Nothing to read")
    assert visit.verdict() == "empty"
    expect(visit.prediction).to_have_text("")
    assert question_mark(visit) == "none"
    assert visit.bars() == [0] * 10
    expect(visit.spoken()).to_have_text("Nothing to read")


@pytest.mark.parametrize("size", [PHONE, (320, 568), LANDSCAPE, TABLET, DESKTOP], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("reason", ["not-a-digit", "too-small", "several"])
def test_doubt_moves_nothing_and_fits(visit, size, reason):
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    visit.lay(digit(7))
    visit.answer()
    parts = ("pad", "preview")
    before = [visit.by(part).bounding_box() for part in parts]
    decline(visit, reason)
    assert [visit.by(part).bounding_box() for part in parts] == before
    pad, answer = visit.by("pad").bounding_box(), visit.page.get_by_role("group", name="Answer").bounding_box()
    for part in ("doubt", "offer" if reason == "several" else "guess"):
        box = visit.by(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= answer["x"] + answer["width"] + 4  # of the button's own margin
        beside = box["x"] >= pad["x"] + pad["width"]
        assert beside or box["y"] + box["height"] <= pad["y"] + 0.5
