"""Someone takes home what was drawn and what the network made of it, or comes back to the page and finds it there."""

import json
from pathlib import Path

import numpy as np
import pytest
from hand import digit
from PIL import Image
from playwright.sync_api import expect

PREDICTION = {"digit", "confidence", "probabilities", "accepted", "reason", "text", "digits", "image", "found", "model", "ms"}


@pytest.fixture(autouse=True)
def fresh(visit):
    visit.fresh()


def save(visit, name: str) -> Path:
    """Chooses an entry of the menu "Save" and returns the file that comes of it."""
    with visit.page.expect_download() as download:
        visit.page.get_by_text("Save", exact=True).click()
        visit.page.get_by_role("button", name=name).click()
    visit.page.keyboard.press("Escape")
    return Path(download.value.path()).rename(Path(download.value.path()).with_name(download.value.suggested_filename))


def test_the_drawing_is_saved_dark_on_white(visit):
    visit.lay(digit(3))
    visit.answer()
    picture = Image.open(save(visit, "The drawing"))
    assert (picture.format, picture.size) == ("PNG", (280, 280))
    assert np.array_equal(np.asarray(picture.convert("L")), 255 - visit.ink())


def test_what_the_network_sees_is_saved_as_28_by_28_pixels(visit):
    visit.lay(digit(3))
    visit.answer()
    picture = Image.open(save(visit, "What the network sees"))
    assert (picture.format, picture.size) == ("PNG", (28, 28))
    seen = np.array(visit.on_element("(element) => [...element.prediction.image]")).reshape(28, 28)
    assert np.asarray(picture.convert("L")) / 255 == pytest.approx(seen, abs=0.51 / 255)
    assert seen.max() > 0.9


def test_the_numbers_are_saved_as_json(visit):
    visit.lay(digit(3))
    visit.answer()
    numbers = json.loads(save(visit, "The numbers").read_text(encoding="utf-8"))
    assert numbers.keys() == PREDICTION
    assert (numbers["digit"], numbers["text"], numbers["accepted"], numbers["reason"]) == (3, "3", True, None)
    assert sum(numbers["probabilities"]) == pytest.approx(1)
    assert numbers["confidence"] == max(numbers["probabilities"]) == numbers["probabilities"][3]
    assert len(numbers["image"]) == 784
    assert numbers["found"].keys() == {"box", "centre_of_mass", "ink_fraction"}
    assert numbers["digits"][0]["box"] == numbers["found"]["box"]
    assert numbers["ms"].keys() == {"preprocess", "forward", "total"}


def choose(visit, name: str) -> None:
    visit.page.get_by_text("Save", exact=True).click()
    visit.page.get_by_role("button", name=name).click()


def test_the_menu_closes_after_a_choice(visit):
    visit.lay(digit(3))
    visit.answer()
    with visit.page.expect_download():
        choose(visit, "The drawing")
    expect(visit.page.get_by_role("button", name="The drawing")).to_be_hidden()
    expect(visit.page.locator("summary", has_text="Save")).to_be_focused()


def test_while_python_loads_the_drawing_is_saved_and_the_rest_says_why_not(new_visit, site):
    early = new_visit(site)
    early.hold("**/pyodide.asm.wasm")
    early.open().draw(digit(3))
    picture = Image.open(save(early, "The drawing"))
    assert np.array_equal(np.asarray(picture.convert("L")), 255 - early.ink())
    for name in ("What the network sees", "The numbers"):
        choose(early, name)
        expect(early.status).to_contain_text("The network has not read this yet")
        early.on_element("(element) => element.tell(null)")


def test_what_can_not_be_saved_is_said_in_the_error_state_too(rough_visit):
    visit = rough_visit
    visit.page.route("**/pyodide.asm.wasm", lambda route: route.abort())
    visit.open().draw(digit(3))
    visit.error()
    choose(visit, "The numbers")
    expect(visit.status).to_contain_text("The network has not read this yet")
    visit.on_element("(element) => element.tell(null)")
    assert "pyodide.asm.wasm" in visit.error()  # it comes back
    with visit.page.expect_download():
        choose(visit, "The drawing")


def test_on_an_empty_pad_there_is_nothing_to_save(visit):
    visit.page.get_by_text("Save", exact=True).click()
    visit.page.get_by_role("button", name="The drawing").click()
    expect(visit.status).to_contain_text("Draw a digit first")
    expect(visit.page.get_by_role("button", name="The drawing")).to_be_hidden()


def test_a_picture_that_was_brought_is_not_saved_as_a_drawing(visit, tmp_path):
    Image.fromarray(np.pad(np.full((120, 12), 0, np.uint8), 60, constant_values=255)).save(tmp_path / "one.png")
    visit.page.locator("#file").set_input_files(tmp_path / "one.png")
    assert visit.answer() == "1"
    visit.page.get_by_text("Save", exact=True).click()
    visit.page.get_by_role("button", name="The drawing").click()
    expect(visit.status).to_contain_text("There is a picture on the pad")


def test_the_drawing_outlives_a_reload(visit):
    visit.draw(digit(7))
    visit.answer()
    drawn = visit.ink()
    visit.page.reload()
    assert np.array_equal(visit.ink(), drawn)  # at once, not only when Python is there
    assert visit.answer() == "7"


def test_the_drawing_below_a_picture_outlives_a_reload(visit, tmp_path):
    Image.fromarray(np.pad(np.full((120, 12), 0, np.uint8), 60, constant_values=255)).save(tmp_path / "one.png")
    visit.draw(digit(7))
    assert visit.answer() == "7"
    visit.page.locator("#file").set_input_files(tmp_path / "one.png")
    expect(visit.prediction).to_have_text("1")
    visit.page.reload()
    assert visit.answer() == "7"


def test_what_is_drawn_right_after_a_reload_comes_before_what_was_kept(new_visit, as_written):
    early = new_visit(as_written)
    early.hold("**/pyodide.asm.wasm")
    early.open()
    early.draw([[(140, 60), (140, 220)]])
    release = early.hold("**/js/keeping.js")  # the pad works before the rest of the page is there
    early.page.reload(wait_until="commit")
    expect(early.by("pad")).to_be_visible()
    early.draw(digit(4))
    drawn = early.strokes()
    release()
    early.page.wait_for_load_state()
    assert early.strokes() == drawn
    early.clear()
    early.page.reload()
    assert early.page.evaluate("sessionStorage.length") == 0


def test_a_drawing_that_was_kept_badly_does_no_harm(new_visit, site):
    other = new_visit(site)
    other.page.add_init_script("""sessionStorage.setItem("inkling.strokes", '[{"tool": "knife"}]')""")
    other.open()
    assert other.n_strokes() == 0
    other.draw([[(140, 60), (140, 220)]])
    assert other.n_strokes() == 1
