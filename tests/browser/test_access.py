"""The page for those who can not see it well, or use no mouse: axe-core's rules, targets for thumbs, and a walk with the Tab key."""

import pytest
from accessibility import assert_accessible, needs_axe
from hand import digit, number
from playwright.sync_api import expect

TARGET = 44  # px
CONTROLS = ["Drawing area", "Pen", "Eraser", "Brush size", "Undo", "Redo", "Clear", "No, it’s a …", "Open a picture", "Save", "Learn", "Details",
            "Read whole numbers", "Network"]  # fmt: skip
FOCUSED = """
() => {
  const active = (root) => root.activeElement?.shadowRoot?.activeElement ? active(root.activeElement.shadowRoot) : root.activeElement;
  const { ariaLabel, labels, textContent } = active(document);
  return (ariaLabel ?? (labels?.length ? labels[0].firstChild : active(document)).textContent).split(":")[0].trim();
}
"""

pytestmark = needs_axe


@pytest.fixture(scope="module")
def visit(_visits, site):
    """A booted page with an answer."""
    made = _visits(site, bypass_csp=True, reduced_motion="reduce").open().ready()
    made.lay(digit(7))
    made.answer()
    return made


def test_ready_with_an_answer(visit):
    assert_accessible(visit)


def test_in_the_dark(visit):
    visit.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert_accessible(visit)
    visit.page.emulate_media(color_scheme="light", reduced_motion="reduce")


def test_on_a_phone(visit):
    before = visit.page.viewport_size
    visit.page.set_viewport_size({"width": 360, "height": 740})
    assert_accessible(visit)
    visit.page.set_viewport_size(before)


LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "light, phone": ("light", 360), "dark, phone": ("dark", 360)}


@pytest.fixture(params=LOOKS.values(), ids=LOOKS)
def look(visit, request):
    """Each look in turn; afterwards all is as it was."""
    scheme, width = request.param
    before = visit.page.viewport_size
    visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    visit.page.set_viewport_size({"width": width, "height": 800})
    yield visit
    visit.fresh()
    visit.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visit.page.set_viewport_size(before)
    visit.lay(digit(7))
    visit.answer()


@pytest.mark.parametrize("reason", ["too-small", "several", "not-a-digit"])
def test_when_it_declines(look, reason):
    look.pretend(accepted=False, reason=reason, text="")
    look.lay(digit(7))
    assert look.verdict() == "declined"
    expect(look.by("doubt")).to_have_css("opacity", "1")  # it comes after a moment
    assert_accessible(look)


def test_with_a_number(look):
    look.on_element("(element) => { element.numbers = true; }")
    look.lay([stroke for drawing in number("2026") for stroke in drawing])
    look.answer()
    expect(look.page.locator(".boxes > div")).to_have_count(4)
    assert_accessible(look)


def test_with_the_menu_open(visit):
    visit.page.locator("summary", has_text="Save").click()
    expect(visit.page.get_by_role("button", name="The drawing")).to_be_visible()
    assert_accessible(visit)
    visit.page.keyboard.press("Escape")


def test_with_the_details_unfolded(visit):
    visit.button("Details").click()
    expect(visit.button("Details")).to_have_attribute("aria-expanded", "true")
    expect(visit.page.get_by_text("sha256")).to_be_visible()
    assert_accessible(visit)
    visit.button("Details").click()
    expect(visit.page.get_by_text("sha256")).to_be_hidden()


def test_on_an_empty_pad(visit):
    visit.clear()
    assert_accessible(visit)
    visit.by("undo").click()


def test_while_it_loads(new_visit, site):
    early = new_visit(site, bypass_csp=True, reduced_motion="reduce")
    early.hold("**/pyodide.asm.wasm")
    early.open()
    early.draw([[(140, 60), (140, 220)]])
    expect(early.prediction).to_have_attribute("aria-busy", "true")
    assert_accessible(early)


def test_when_it_failed(new_visit, site):
    unlucky = new_visit(site, bypass_csp=True, reduced_motion="reduce")
    unlucky.expecting("404|convnet|fetch|Error")
    unlucky.page.route("**/pyodide.asm.wasm", lambda route: route.fulfill(status=404, body="gone"))
    unlucky.open()
    expect(unlucky.status).to_have_attribute("data-state", "error", timeout=60_000)
    expect(unlucky.button("Try again")).to_be_visible()
    assert_accessible(unlucky)


@pytest.mark.parametrize("width", [360, 1280])
def test_every_control_is_large_enough_for_a_thumb(visit, width):
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.page.locator("summary", has_text="Save").click()
    controls = visit.page.locator("button:visible, summary:visible, select:visible, input:visible")
    sizes = {control.evaluate("(control) => control.ariaLabel ?? control.textContent.trim()"): control.bounding_box() for control in controls.all()}
    visit.page.keyboard.press("Escape")
    assert len(sizes) >= 12
    small = {name: box for name, box in sizes.items() if min(box["width"], box["height"]) < TARGET - 0.01}
    assert not small


def test_the_tab_key_reaches_every_control_in_the_order_of_reading(visit):
    visit.lay(digit(7))
    visit.answer()
    visit.by("pad").focus()
    reached = []
    for _ in CONTROLS:
        reached.append(visit.page.evaluate(FOCUSED))
        visit.page.keyboard.press("Tab")
    assert reached == CONTROLS


def test_a_button_works_with_the_keyboard(visit):
    visit.lay(digit(7))
    visit.answer()
    visit.by("clear").focus()
    visit.page.keyboard.press("Enter")
    expect(visit.prediction).to_have_text("")
    expect(visit.by("clear")).to_be_focused()
