"""The page for those who can not see it well, or use no mouse: axe-core's rules, targets for thumbs, and a walk with the Tab key."""

from pathlib import Path

import pytest
from hand import digit
from playwright.sync_api import expect

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
TARGET = 44  # px
CONTROLS = ["Drawing area", "Pen", "Eraser", "Brush size", "Undo", "Redo", "Clear", "Open a picture", "Save", "Details", "Network"]
FINDINGS = """
async () => (await axe.run()).violations.map(({ id, help, nodes }) => `${id}: ${help} at ${nodes.map(({ target }) => target.flat()).join(", ")}`)
"""
FOCUSED = """
() => {
  const active = (root) => root.activeElement?.shadowRoot?.activeElement ? active(root.activeElement.shadowRoot) : root.activeElement;
  const { ariaLabel, labels, textContent } = active(document);
  return (ariaLabel ?? (labels?.length ? labels[0].firstChild : active(document)).textContent).split(":")[0].trim();
}
"""

pytestmark = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci")


@pytest.fixture(scope="module")
def visit(_visits, site):
    """A booted page with an answer; axe-core has to be put past the page's security policy."""
    made = _visits(site, bypass_csp=True, reduced_motion="reduce").open().ready()
    made.page.add_script_tag(path=AXE)
    made.lay(digit(7))
    made.answer()
    return made


def assert_accessible(visit) -> None:
    if not visit.page.evaluate("() => 'axe' in window"):
        visit.page.add_script_tag(path=AXE)
    assert visit.page.evaluate(FINDINGS) == []


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
    unlucky.page.route("**/convnet.npz", lambda route: route.fulfill(status=404, body="gone"))
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
