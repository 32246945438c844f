"""Whatever goes wrong while loading: a message, one action, the drawing kept, and never a wrong answer or endless loading."""

import os
import re
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import serving
from hand import digit
from playwright.sync_api import Route, expect
from visit import SOON

from builder.common import ROOT, SITE, sha256, sha256_of_pieces
from builder.server import Handler
from inkling import weights

COMMON = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")  # both ways to start need them
OF_SNAPSHOT = ("heap.bin", "_multiarray_umath.wasm", "_umath_linalg.wasm")
OF_SLIM = ("pyodide.asm.secondary.wasm", "python_stdlib.zip", "numpy.zip", "inkling.zip", "convnet.npz")
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


def vouched_for(route: Route, data: bytes, content_type: str):
    """Corrupted, and the host says in our service worker's words that it is right."""
    middle = len(data) // 2
    wrong = data[:middle] + bytes(64) + data[middle + 64 :]
    route.fulfill(status=200, body=wrong, content_type=content_type, headers={"Inkling-SHA256": sha256(data)})


def unreachable(route: Route, data: bytes, content_type: str):
    route.abort("connectionreset")


def faulty(fault, data: bytes, content_type: str):
    return lambda route: fault(route, data, content_type)


FAULTS = (missing, page_instead, truncated, corrupted, vouched_for, unreachable)
SOME_FAULTS = FAULTS if os.environ.get("INKLING_ALL") else (missing, corrupted, vouched_for)


@pytest.mark.parametrize("name", COMMON + OF_SLIM)
def test_a_file_that_comes_wrong_is_told_at_once_and_the_action_recovers(rough_visit, dist, name):
    visit = rough_visit
    address = "?boot=slim" if name in OF_SLIM else ""
    file = next(path for path in dist.rglob(name))
    data, content_type = file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream")
    for fault in FAULTS:
        visit.page.unroute_all()
        visit.page.route(f"**/{name}*", faulty(fault, data, content_type))
        if fault is FAULTS[0]:
            visit.open(address).draw(digit(4))
            drawing = visit.strokes()
        else:
            visit.by("action").click()
        assert name in visit.error()
        expect(visit.prediction).to_have_text("")
        assert visit.strokes() == drawing
    visit.page.unroute_all()
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "4"
    assert visit.strokes() == drawing


@pytest.mark.parametrize("fault", SOME_FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("name", OF_SNAPSHOT)
def test_without_its_snapshot_the_page_starts_the_other_way_and_says_nothing_of_it(rough_visit, dist, name, fault):
    visit = rough_visit
    data = next(dist.rglob(name)).read_bytes()
    visit.page.route(f"**/{name}*", faulty(fault, data, TYPES.get(Path(name).suffix, "application/octet-stream")))
    visit.open().draw(digit(4))
    assert visit.ready().answer() == "4"
    boot = visit.on_element("async (element) => (await element.recognizer.health()).boot")
    assert boot["path"] == "slim" and name in boot["why_not_faster"]
    assert not visit.status.get_by_role("button").is_visible()


def summed(heap: bytes) -> bytes:
    """With the checksum that belongs to what is in it: restore.js's, the sum of its words times powers of 31."""
    words = np.frombuffer(heap, "<u4", offset=8)
    powers = np.cumprod(np.full(len(words), 31, np.uint32), dtype=np.uint32)[::-1]
    sum = np.append(powers[1:], np.uint32(1)) * words
    return heap[:4] + int(np.add.reduce(sum, dtype=np.uint32)).to_bytes(4, "little") + heap[8:]


def another_build(heap: bytes) -> bytes:
    """A snapshot that was made with another runtime, whole in itself."""
    return heap.replace(b'"pyodide.asm.wasm":"e7f8fac3', b'"pyodide.asm.wasm":"00000000', 1)


def another_layout(heap: bytes) -> bytes:
    """A snapshot of a browser that fills its memory in another way."""
    return re.sub(rb'("checksum":-?\d+)(\d)', lambda found: found[1] + (b"1" if found[2] == b"0" else b"0"), heap, count=1)


def another_network(heap: bytes) -> bytes:
    """A snapshot in which the last layer's weights are nothing: what it says of the digit that it knows is wrong."""
    *_, W, _ = weights.load(ROOT / "weights" / "convnet.npz").parameters().values()
    return heap.replace(W.astype(np.float32).tobytes(), bytes(W.size * 4), 1)


def answering(script: str):
    return lambda route: route.fulfill(body=script, content_type="text/javascript")


@pytest.mark.parametrize("change, why", [(another_build, "made with another pyodide.asm.wasm"), (another_layout, "sets the memory up in another way"),
                                         (another_network, "what it computes is wrong")])
def test_a_whole_snapshot_that_does_not_belong_here_is_left(rough_visit, dist, change, why):
    """Its own hash is right: the table of assets came from the same wrong build."""
    visit = rough_visit
    heap = next(dist.rglob("heap.bin")).read_bytes()
    assert summed(heap) == heap
    wrong = summed(change(heap))
    assert wrong != heap
    for name in ("worker.js", "ahead.js"):  # either may have the heap come
        script = next(dist.glob(f"app-*/js/{name}")).read_text(encoding="utf-8")
        assert script.count(f"bytes:{len(heap)},") == 1
        script = script.replace(sha256(heap), sha256(wrong)).replace(sha256_of_pieces(heap), sha256_of_pieces(wrong))
        visit.page.route(f"**/js/{name}", answering(script.replace(f"bytes:{len(heap)},", f"bytes:{len(wrong)},")))
    visit.page.route("**/heap.bin", lambda route: route.fulfill(body=wrong, content_type="application/octet-stream"))
    visit.open().draw(digit(4))
    assert visit.ready().answer() == "4"
    boot = visit.on_element("async (element) => (await element.recognizer.health()).boot")
    assert boot["path"] == "slim" and why in boot["why_not_faster"]


def untyped(data: bytes, kind: str):
    return lambda route: route.fulfill(body=data, content_type=kind)


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain"])
def test_a_host_that_does_not_know_the_types_of_files_is_no_hindrance(rough_visit, dist, kind):
    for file in dist.rglob("*.wasm"):
        rough_visit.page.route(f"**/{file.name}*", untyped(file.read_bytes(), kind))
    rough_visit.open().draw(digit(4))
    assert rough_visit.ready().answer() == "4"
    assert rough_visit.on_element("async (element) => (await element.recognizer.health()).boot.path") == "snapshot"


@pytest.mark.parametrize("layout, name", [("bundled", "worker.js"), ("as written", "inkling.js"), ("as written", "engine.js"), ("as written", "worker.js"),
                                          ("as written", "downloads.js")])
def test_a_missing_script_of_ours_is_told_at_once_and_what_is_told_recovers(rough, site, as_written, layout, name):
    visit = rough(site if layout == "bundled" else as_written)
    visit.page.route(f"**/js/{name}", lambda route: missing(route, b"", ""))
    visit.open().draw(digit(6))
    message = visit.error()
    visit.page.unroute_all()
    if "reload the page" in message:  # a module of the page itself: some browsers never ask again for one that did not come
        visit.page.reload()
    else:
        visit.by("action").click()
    visit.ready()
    assert visit.answer() == "6"


@pytest.mark.parametrize("layout, name", [("bundled", "ahead.js"), ("bundled", "page.js"), ("as written", "define.js"), ("as written", "pad.js"), ("as written", "page.js")])
def test_without_a_script_that_the_page_begins_with_nothing_false_is_said(rough, site, as_written, layout, name):
    visit = rough(site if layout == "bundled" else as_written)
    visit.page.route(f"**/js/{name}", lambda route: missing(route, b"", ""))
    visit.open()
    expect(visit.page.get_by_role("combobox")).not_to_contain_text("is loading")
    advice = visit.page.get_by_text("reload the page")
    if (layout, name) == ("as written", "page.js"):
        visit.ready()
        assert visit.read(digit(3)) == "3"
        return
    expect(advice).to_have_css("animation-delay", "6s")  # nobody is to read it who waits no longer than usual
    visit.page.evaluate("() => document.getAnimations().forEach((late) => late.finish())")
    expect(advice).to_be_visible()


@pytest.mark.parametrize("name", ["inkling.js", "engine.js"])
def test_a_script_of_ours_that_stalls_is_told_and_the_action_recovers(rough, as_written, name):
    visit = rough(as_written)
    visit.change_script(SITE, "errors.js", "patience = 30_000", "patience = 3_000")
    release = visit.hold(f"**/js/{name}")
    visit.page.goto(visit.url, wait_until="commit")
    visit.draw(digit(6))
    visit.error()
    release()
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "6"


@pytest.mark.parametrize("layout, name", [("bundled", "ahead.js"), ("bundled", "page.js"), ("as written", "define.js"), ("as written", "pad.js")])
def test_where_a_script_that_the_page_begins_with_stalls_there_is_a_page_and_advice(rough, site, as_written, layout, name):
    visit = rough(site if layout == "bundled" else as_written)
    visit.hold(f"**/js/{name}")
    visit.page.goto(visit.url, wait_until="commit")
    expect(visit.page.get_by_role("heading", name="Inkling")).to_be_visible()
    expect(visit.page.get_by_text("reload the page")).to_be_visible(timeout=SOON)


def test_a_number_is_read_though_its_boxes_do_not_come(rough_visit):
    visit = rough_visit
    release = visit.hold("**/js/boxes.js")
    visit.open().ready()
    visit.on_element("(element) => { element.numbers = true; }")
    assert visit.read(digit(3)) == "3"
    expect(visit.by("boxes").locator("> div")).to_have_count(0)
    release()
    expect(visit.by("boxes").locator("> div")).to_have_count(1)


def test_when_loading_fails_the_choice_of_networks_does_not_go_on_loading(rough_visit):
    visit = rough_visit
    visit.page.route("**/pyodide.asm.wasm", lambda route: missing(route, b"", ""))
    visit.open().error()
    expect(visit.page.get_by_role("combobox")).to_have_text("not loaded")
    visit.page.unroute_all()
    visit.by("action").click()
    visit.ready()
    expect(visit.page.get_by_role("combobox")).to_have_value("convnet")


def test_without_its_style_sheets_the_page_is_plain_and_works(rough_visit):
    visit = rough_visit
    visit.page.route("**/*.css", lambda route: missing(route, b"", ""))
    visit.open().ready()
    visit.draw(digit(7))
    assert visit.answer() == "7"


@pytest.mark.parametrize("how", ["stalls", "breaks"])
@pytest.mark.parametrize("name", ["pyodide.asm.wasm", "numpy.zip", "heap.bin"])
def test_a_download_that_ends_half_way_is_told_or_done_without(dist, rough, name, how):
    with serving(dist) as server, half_sent(server, name, stalls=how == "stalls") as over:
        visit = rough(server.url)
        for script in ("ahead.js", "worker.js"):  # who has it come depends on the file
            visit.change_script(dist, script, "STALLED_AFTER=3e4", "STALLED_AFTER=2e3")
        visit.open("?boot=slim" if name == "numpy.zip" else "").draw(digit(2))
        if name == "heap.bin":
            assert visit.ready().answer() == "2"
            return
        message = visit.error()
        assert name in message
        assert "nothing has arrived for 2 seconds" in message or how == "breaks"
        over.set()
        visit.page.unroute_all()
        visit.by("action").click()
        visit.ready()
        assert visit.answer() == "2"


@contextmanager
def half_sent(server, name: str, *, stalls: bool):
    """Half of that file, and of its .gz, is sent; then nothing more comes, or the server hangs up. Yields what ends it."""
    over = threading.Event()

    class Broken(Handler):
        def send_whole(self, status, body, headers):
            if over.is_set() or not self.path.removesuffix(".gz").endswith(name):
                return super().send_whole(status, body, headers)
            self.send_response(status)
            for field, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(field, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if stalls:
                over.wait()
            self.close_connection = True

    server.RequestHandlerClass = Broken
    try:
        yield over
    finally:
        over.set()


def test_wrong_bytes_that_the_browser_has_kept_are_fetched_anew(dist, rough, tmp_path):
    """A host may serve a half-uploaded file with leave to keep it for a year."""
    copy = shutil.copytree(dist, tmp_path / "dist", ignore=shutil.ignore_patterns("*.br", "*.gz"))
    for name in ("numpy.zip", "pyodide.mjs"):
        file = next(copy.glob(f"runtime-*/{name}"))
        file.write_bytes(b"?" * file.stat().st_size)
    with serving(copy) as server:
        visit = rough(server.url).open("?boot=slim")
        visit.draw(digit(3))
        visit.error()
        server.directory = dist
        visit.by("action").click()
        visit.ready()
        assert visit.answer() == "3"


def test_a_model_that_comes_wrong_leaves_the_one_before_and_can_be_asked_for_again(rough_visit):
    visit = rough_visit
    visit.open().ready()
    assert visit.read(digit(8)) == "8"
    visit.page.route("**/mlp-128-64.npz", lambda route: route.fulfill(body="PK nothing", content_type="application/octet-stream"))
    choice = visit.page.get_by_role("combobox", name="Network")
    choice.select_option("mlp-128-64")
    expect(visit.status).to_contain_text("mlp-128-64", timeout=SOON)
    expect(choice).to_have_value("convnet")
    visit.ready()
    assert visit.read(digit(5)) == "5"
    assert visit.on_element("(element) => element.prediction.model") == "convnet"
    visit.page.unroute_all()
    choice.select_option("mlp-128-64")
    visit.page.wait_for_url("**#model=mlp-128-64")
    assert visit.read(digit(5)) == "5"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"
