"""The proof in the page: all of MNIST's test images, the same count as on the desktop; and how the panel looks and can be used."""

import json
import os

import pytest
from accessibility import assert_accessible, needs_axe
from hand import digit
from learning import LONG, correct, panel
from playwright.sync_api import expect

from builder.common import ROOT


@pytest.fixture(scope="module")
def look(_visits, site):
    """A page past whose policy axe-core can be put."""
    visit = _visits(site, bypass_csp=True, reduced_motion="reduce", service_workers="block").open().ready()
    correct(visit, digit(4), 4)
    yield visit


@pytest.mark.parametrize("name", ["mlp-128-64", "mlp-256-128", "convnet"] if os.environ.get("INKLING_ALL") else ["mlp-128-64"])
def test_all_ten_thousand_are_as_many_right_as_on_the_desktop(new_visit, site, name):
    visit = new_visit(f"{site}#model={name}", service_workers="block").open().ready()
    card = json.loads((ROOT / "weights" / f"{name}.json").read_text(encoding="utf-8"))
    panel(visit, "Test")
    visit.button("Test on all 10,000 MNIST images").click()
    result = visit.page.locator("#learning .result")
    right = 10_000 - card["mnist_test_errors"]
    expect(result).to_contain_text(f"{right:,} of 10,000 right", timeout=4 * LONG)
    expect(result).to_contain_text("exactly as many")
    counts = [[int(text or 0) for text in row.locator("td").all_inner_texts()] for row in result.locator(".confusion tbody tr").all()]
    assert sum(map(sum, counts)) == 10_000 and sum(counts[i][i] for i in range(10)) == right
    expect(result.locator(".samples li")).to_have_count(24)
    label, answer = result.locator(".samples li span").first.inner_text().split(" taken for ")
    assert label != answer and counts[int(label)][int(answer)] > 0


def test_the_test_can_be_cancelled(new_visit, site):
    visit = new_visit(site, service_workers="block").open("#learn=test").ready()
    visit.button("Test on all 10,000 MNIST images").click()
    expect(visit.page.get_by_role("progressbar", name="Progress")).to_be_visible()
    visit.button("Cancel").click()
    expect(visit.page.locator("#learning .note")).to_contain_text("cancelled")
    assert visit.read(digit(2)) == "2"


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["My digits", "Train", "Race", "Test"])
def test_the_panel_is_accessible(look, tab, scheme):
    look.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    panel(look, tab)
    if tab == "Train" and look.page.locator("#learning [name=dropout]").is_hidden():
        look.page.get_by_text("More settings").click()
    assert_accessible(look)


@needs_axe
def test_choosing_the_right_digit_is_accessible(look):
    look.lay(digit(7))
    look.answer()
    look.button("No, it’s a …").click()
    expect(look.button("It is 7")).to_be_focused()
    assert_accessible(look)
    look.page.keyboard.press("Escape")


@pytest.mark.parametrize("size", [(320, 568), (360, 740), (740, 360), (820, 1180), (1280, 800)], ids="{0[0]}x{0[1]}".format)
def test_the_panel_fits_every_screen_and_leaves_the_pad_as_it_is(look, size):
    panel(look, "My digits")
    look.button("Learn").click()
    look.page.set_viewport_size({"width": size[0], "height": size[1]})
    look.page.evaluate("() => scrollTo(0, 0)")
    before = look.by("pad").bounding_box()
    for tab in ("My digits", "Train", "Race", "Test"):
        panel(look, tab)
        assert look.page.evaluate("() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth") <= 0
        after = look.by("pad").bounding_box()
        assert (after["width"], after["height"]) == pytest.approx((before["width"], before["height"]), abs=1)
    look.page.evaluate("() => scrollTo(0, 0)")
    assert look.by("pad").bounding_box()["y"] == pytest.approx(before["y"], abs=1)


def test_every_control_of_the_panel_is_large_enough_for_a_thumb(look):
    look.page.set_viewport_size({"width": 360, "height": 740})
    small = {}
    for tab in ("My digits", "Train", "Race", "Test"):
        panel(look, tab)
        controls = look.page.locator("#learning :is(button, summary, select, input:not([type=checkbox])):visible")
        assert controls.count() >= 5
        name = "(control) => control.ariaLabel ?? control.name ?? control.textContent"
        boxes = {control.evaluate(name): control.bounding_box() for control in controls.all()}
        small |= {name: box for name, box in boxes.items() if min(box["width"], box["height"]) < 43.99}
    assert not small
