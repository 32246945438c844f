"""The page on screens of all sizes: nothing has to be scrolled to, nothing is cut off, and it comes as a light load."""

import gzip
import re

import pytest
from hand import digit
from playwright.sync_api import expect

PHONE, SMALL_PHONE, LANDSCAPE, TABLET, DESKTOP = (360, 740), (320, 568), (740, 360), (820, 1180), (1280, 800)
ALL = [PHONE, SMALL_PHONE, LANDSCAPE, TABLET, DESKTOP]
name = "{0[0]}x{0[1]}".format
LIGHT_LOAD = 60_000  # bytes of gzip: our own HTML, CSS and JavaScript
AT_ONCE = ("paper.css", "style.css", "digit-recognizer.css", "js/ahead.js", "js/page.js", "js/worker.js")


@pytest.fixture(scope="module")
def answered(visit):
    """The page with an answer on it."""
    visit.lay(digit(7))
    visit.answer()
    return visit


@pytest.fixture
def on_screen(answered):
    """on_screen(size) -> the page on a screen of that size."""
    def resize(size):
        answered.page.set_viewport_size({"width": size[0], "height": size[1]})
        answered.page.evaluate("() => scrollTo(0, 0)")
        return answered

    return resize


def overflow(visit) -> int:
    """By how many pixels the page is wider than the screen."""
    return visit.page.evaluate("() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")


def assert_in_view(visit, *test_ids: str) -> None:
    for test_id in test_ids:
        expect(visit.by(test_id)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", ALL, ids=name)
def test_nothing_is_wider_than_the_screen(on_screen, size):
    assert overflow(on_screen(size)) <= 0


@pytest.mark.parametrize("size", ALL, ids=name)
def test_pad_and_answer_are_in_view_without_scrolling(on_screen, size):
    visit = on_screen(size)
    assert_in_view(visit, "pad", "prediction", "confidence", "bar-0", "bar-9", "preview", "clear", "undo")


@pytest.mark.parametrize("size", [PHONE, (390, 844)], ids=name)
def test_on_a_phone_the_pad_fills_the_width(on_screen, size):
    visit = on_screen(size)
    assert visit.by("pad").bounding_box()["width"] >= 0.9 * size[0]


def test_on_a_desktop_everything_is_in_view_without_scrolling(on_screen):
    visit = on_screen(DESKTOP)
    assert_in_view(visit, "status")
    for part in ("heading", "combobox", "contentinfo"):
        expect(visit.page.get_by_role(part)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", ALL, ids=name)
def test_the_pad_is_square_and_as_sharp_as_the_screen(on_screen, size):
    visit = on_screen(size)
    pad = visit.by("pad")
    box = pad.bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=0.5)
    expect(pad).to_have_js_property("width", round(box["width"]))


def test_long_words_do_not_push_the_page_wide(on_screen):
    visit = on_screen(SMALL_PHONE)
    message = "The network had to be started again. Your drawing is still here. " * 2
    visit.on_element("(element, text) => element.tell({ text, action: { label: 'Try again', run() {} } }, 'update')", message)
    expect(visit.by("action")).to_be_visible()
    assert overflow(visit) <= 0
    visit.on_element("(element) => element.tell(null, 'update')")


def test_an_embedder_can_set_the_size_of_the_pad(on_screen):
    visit = on_screen(DESKTOP)
    visit.on_element("(element) => element.style.setProperty('--pad-size', '300px')")
    assert visit.by("pad").bounding_box()["width"] == pytest.approx(300, abs=0.5)
    visit.on_element("(element) => element.style.removeProperty('--pad-size')")


def test_our_own_html_css_and_javascript_are_a_light_load(dist):
    """Of the page, its worker and the recogniser; what is loaded only when somebody opens it does not count."""
    [folder] = dist.glob("app-*")
    own = [dist / "index.html", *(folder / name for name in AT_ONCE)]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in own) < LIGHT_LOAD


def test_nothing_else_is_loaded_before_the_first_answer(site, new_visit):
    visit = new_visit(site, service_workers="block")
    asked = []
    visit.page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
    visit.open().ready()
    visit.lay(digit(7))
    assert visit.answer() == "7"
    own = {match[1] for address in asked if (match := re.search(r"/app-\w+/(.+\.(?:js|css))$", address))}
    at_ready = "js/offline.js"  # which it is asked for as soon as an answer can be given
    assert own - {at_ready} == set(AT_ONCE)
