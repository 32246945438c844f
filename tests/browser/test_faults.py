"""Whatever goes wrong while loading or later: a message, one action, the drawing kept, and never a wrong answer or endless loading."""

import re
from pathlib import Path

import pytest
from hand import digit
from playwright.sync_api import Route, expect
from visit import BOOT, Visit

SOON = 20_000  # ms on a busy machine; the engine's and the downloads' own patience is longer, so this shows that a fault was noticed

FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "numpy.zip", "inkling.zip", "convnet.npz")
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm"}


def missing(route: Route, data: bytes, content_type: str):
    route.fulfill(status=404, body="404 Not Found", content_type="text/plain")


def page_instead(route: Route, data: bytes, content_type: str):
    """As a hotel's network answers, and a host that sends its front page for what it does not know."""
    route.fulfill(status=200, body="<!doctype html><title>Sign in</title>", content_type="text/html")


def truncated(route: Route, data: bytes, content_type: str):
    route.fulfill(status=200, body=data[: 2 * len(data) // 3], content_type=content_type)


def corrupted(route: Route, data: bytes, content_type: str):
    middle = len(data) // 2
    route.fulfill(status=200, body=data[:middle] + bytes(byte ^ 0x55 for byte in data[middle : middle + 64]) + data[middle + 64 :], content_type=content_type)


def unreachable(route: Route, data: bytes, content_type: str):
    route.abort("connectionreset")


def faulty(fault, data: bytes, content_type: str):
    return lambda route: fault(route, data, content_type)


FAULTS = (missing, page_instead, truncated, corrupted, unreachable)


@pytest.fixture
def rough_visit(new_visit, site):
    """A visit without a service worker, which would hide requests from the test; complaints on the console are due."""
    visit = new_visit(site, service_workers="block")
    visit.expecting("")
    return visit


def expect_error(visit: Visit, timeout: int = SOON) -> str:
    """The state is an error with a message and exactly one action. Returns the message."""
    expect(visit.status).to_have_attribute("data-state", "error", timeout=timeout)
    expect(visit.status.get_by_role("button")).to_have_count(1)
    message = visit.status.get_by_role("status").inner_text()
    assert re.search(r"\w{3,} \w+", message) and not re.search(r"undefined|null|NaN|\[object", message), message
    return message


def strokes(visit: Visit):
    return visit.on_element("(element) => element.strokes")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_comes_wrong_is_told_at_once_and_the_action_recovers(rough_visit, dist, name):
    visit = rough_visit
    file = next(path for path in dist.rglob(name))
    data, content_type = file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream")
    for fault in FAULTS:
        visit.page.unroute_all()
        visit.page.route(f"**/{name}", faulty(fault, data, content_type))
        if fault is FAULTS[0]:
            visit.open().draw(digit(4))
            drawing = strokes(visit)
        else:
            visit.by("action").click()
        print(fault.__name__, expect_error(visit))
        expect(visit.prediction).to_have_text("")
        assert strokes(visit) == drawing
    visit.page.unroute_all()
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "4"
    assert strokes(visit) == drawing
