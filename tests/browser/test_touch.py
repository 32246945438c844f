"""Someone draws with a finger on a phone, with a second finger in the way, or with a pen and the hand on the glass."""

import time

import pytest
from hand import SIDE, digit
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


class Glass:
    """Fingers and a pen on the pad, in pad units, through the DevTools protocol: Playwright's own touch screen only taps."""

    def __init__(self, visit):
        self._protocol = visit.context.new_cdp_session(visit.page)
        self._pad = visit.by("pad").bounding_box()
        self._clock = time.time()

    def touch(self, kind: str, **fingers) -> None:
        """kind: touchStart, touchMove, touchEnd or touchCancel (of all).   fingers: name=(x, y), all that are on the glass from now on."""
        points = [{"id": number, **self._place(*point)} for number, point in enumerate(fingers.values())]
        self._protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points, "timestamp": self._tick()})

    def swipe(self, stroke) -> None:
        first, *rest = stroke
        self.touch("touchStart", finger=first)
        for point in rest:
            self.touch("touchMove", finger=point)
        self.touch("touchEnd")

    def pen(self, kind: str, point) -> None:
        """kind: mousePressed, mouseMoved or mouseReleased, with the tip of a pen."""
        self._protocol.send("Input.dispatchMouseEvent", {
            "type": kind, **self._place(*point), "pointerType": "pen", "button": "left", "clickCount": 1,
            "buttons": 0 if kind == "mouseReleased" else 1, "timestamp": self._tick()})

    def wait(self, seconds: float) -> None:
        """So much later is the next event, by its own time stamp."""
        self._clock += seconds

    def _tick(self) -> float:
        self._clock += 0.01
        return self._clock

    def _place(self, x: float, y: float) -> dict[str, float]:
        scale = self._pad["width"] / SIDE
        return {"x": self._pad["x"] + float(x) * scale, "y": self._pad["y"] + float(y) * scale}


@pytest.fixture(scope="module")
def visit(_visits, site):
    """A phone with the page on it, which is made longer than the screen, so that it can be scrolled."""
    made = _visits(site, **PHONE).open().ready()
    made.page.evaluate("() => { document.body.style.minHeight = '3000px'; }")
    return made


@pytest.fixture
def glass(visit):
    visit.fresh()
    visit.page.evaluate("() => scrollTo(0, 0)")
    return Glass(visit)


def scrolled(visit) -> float:
    """How far the page has scrolled, two frames from now."""
    return visit.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY))))")


def test_a_finger_draws_a_digit(visit, glass):
    for stroke in digit(5):
        glass.swipe(stroke)
    assert visit.answer() == "5"
    assert visit.n_strokes() == len(digit(5))


def test_the_page_does_not_scroll_under_the_finger(visit, glass):
    glass.swipe([(140, y) for y in range(250, 20, -10)])
    assert visit.n_strokes() == 1
    assert scrolled(visit) == 0


def test_a_second_finger_is_ignored(visit, glass):
    glass.touch("touchStart", first=(60, 60))
    glass.touch("touchMove", first=(60, 100))
    glass.touch("touchStart", first=(60, 100), second=(200, 100))
    glass.touch("touchMove", first=(60, 140), second=(200, 200))
    glass.touch("touchMove", first=(60, 200), second=(200, 240))
    glass.touch("touchEnd")
    assert visit.n_strokes() == 1
    ink = visit.ink()
    assert ink[60:200, 60].all()
    assert not ink[:, 120:].any()


def test_a_touch_that_the_system_takes_away_leaves_no_stroke(visit, glass):
    glass.touch("touchStart", finger=(60, 60))
    glass.touch("touchMove", finger=(60, 160))
    glass.touch("touchCancel")
    assert visit.n_strokes() == 0
    expect(visit.prediction).to_have_text("")


def test_a_pen_draws(visit, glass):
    glass.pen("mousePressed", (140, 60))
    glass.pen("mouseMoved", (140, 220))
    glass.pen("mouseReleased", (140, 220))
    assert visit.answer() == "1"


def test_the_pen_takes_over_from_the_palm(visit, glass):
    glass.touch("touchStart", palm=(240, 240))
    glass.touch("touchMove", palm=(236, 236))
    glass.pen("mousePressed", (100, 60))
    glass.pen("mouseMoved", (100, 200))
    glass.pen("mouseReleased", (100, 200))
    glass.touch("touchEnd")
    assert visit.n_strokes() == 1
    assert not visit.ink()[:, 140:].any()


def test_a_palm_that_rests_after_the_pen_is_ignored_for_a_moment(visit, glass):
    glass.pen("mousePressed", (100, 60))
    glass.pen("mouseReleased", (100, 60))
    glass.wait(0.5)
    glass.swipe([(240, 240), (200, 240)])
    assert visit.n_strokes() == 1
    glass.wait(1)
    glass.swipe([(240, 240), (200, 240)])
    assert visit.n_strokes() == 2


def test_beside_the_pad_the_page_scrolls_as_ever(visit, glass):
    glass.touch("touchStart", finger=(140, 400))
    for y in range(390, 190, -10):
        glass.touch("touchMove", finger=(140, y))
    glass.wait(1)  # a finger that rests before it lifts does not fling the page
    glass.touch("touchMove", finger=(140, 190))
    glass.touch("touchEnd")
    assert visit.n_strokes() == 0
    assert scrolled(visit) > 100
