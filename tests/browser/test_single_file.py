"""inkling.html from a disk: no server, no network, and everything works; a damaged copy says so. The other engines' tests open it, too."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from hand import digit, ink_of
from learning import LONG, MEANT, answer_to, correct, note, panel, signs
from PIL import Image
from playwright.sync_api import expect
from visit import BOOT, Visit

BLOCK = re.compile(rb'(data-block="([^"]+)" data-bytes="\d+">)([^<]+)(</script>)')
LARGEST = 17_000_000  # bytes; as issue 4 promises

# Keeps hold of the workers, and ends one as the browser does when memory runs out.
HANDLES = """
window.workers = [];
window.kill = (worker) => {
  worker.terminate();
  worker.dispatchEvent(new ErrorEvent("error", { message: "out of memory" }));
};
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    window.workers.push(this);
  }
};
"""


@pytest.fixture(scope="session")
def single_file(dist) -> Path:
    return dist / "inkling.html"


@pytest.fixture(scope="module")
def opened(_visits, single_file):
    """The page, opened once for all tests that leave it as it was, and every address that it asked for."""
    visit = _visits(single_file.as_uri())
    visit.page.add_init_script(HANDLES)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.open().ready()
    yield visit, asked
    visit.page.unroute_all()


@pytest.fixture
def visit(opened) -> Visit:
    visit, _ = opened
    visit.fresh()
    yield visit
    assert visit.page.evaluate("() => violations.splice(0)") == []


@pytest.fixture
def altered(single_file, tmp_path, rough):
    """altered(change) -> a Visit, not opened yet, to a copy of the page of which change(bytes) -> bytes made another."""

    def visit(change) -> Visit:
        copy = tmp_path / "inkling.html"
        copy.write_bytes(change(single_file.read_bytes()))
        return rough(copy.as_uri())

    return visit


def test_it_is_small_enough_and_has_nothing_but_itself(opened, single_file):
    visit, asked = opened
    assert single_file.stat().st_size <= LARGEST
    assert [visit.read(digit(value)) for value in range(10)] == list("0123456789")
    assert {address.partition(":")[0] for address in asked} <= {"file", "blob", "data"}
    assert [address for address in asked if address.startswith("file:")] == [single_file.as_uri()]
    assert visit.page.evaluate("() => document.querySelectorAll('script[data-block]').length") == 0  # their memory is free


def test_it_starts_from_the_snapshot_and_is_ready_without_network(visit):
    boot = visit.on_element("(element) => element.recognizer.health()")["boot"]
    assert (boot["path"], boot["why_not_faster"]) == ("snapshot", None)
    visit.offline_ready()


def test_every_network_can_be_chosen_and_stands_in_the_address(visit):
    for model in ("mlp-128-64", "mlp-256-128", "convnet"):
        visit.page.get_by_role("combobox", name="Network").select_option(model)
        visit.page.wait_for_url(f"**#model={model}")
        visit.fresh()
        assert visit.read(digit(3)) == "3"
        assert visit.on_element("(element) => element.prediction.model") == model


def test_pictures_are_read_and_results_saved(visit, tmp_path):
    picture = tmp_path / "six.png"
    Image.fromarray(255 - ink_of(digit(6))).save(picture)
    visit.page.locator("#file").set_input_files(picture)
    expect(visit.prediction).to_have_text("6", timeout=BOOT)
    for name, check in (
        ("What the network sees", lambda data: Image.open(io.BytesIO(data)).size == (28, 28)),
        ("The numbers", lambda data: json.loads(data)["text"] == "6"),
    ):
        with visit.page.expect_download() as download:
            visit.page.get_by_text("Save", exact=True).click()
            visit.page.get_by_role("button", name=name).click()
        visit.page.keyboard.press("Escape")
        assert check(Path(download.value.path()).read_bytes())


@pytest.mark.thorough
def test_a_worker_that_dies_is_replaced(visit):
    visit.expecting("The worker died: out of memory")
    assert visit.read(digit(5)) == "5"
    visit.page.evaluate("kill(workers.at(-1))")
    expect(visit.status).to_contain_text("started again", timeout=BOOT)
    assert visit.answer() == "5"
    visit.on_element("(element) => element.useModel('mlp-128-64')")
    assert visit.read(digit(9)) == "9"
    assert visit.page.evaluate("workers.length") == 2
    visit.on_element("(element) => element.useModel('convnet')")


def test_its_policy_lets_no_other_script_in(visit):
    policy = visit.page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content")
    assert policy.startswith("default-src 'none'") and "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    visit.expecting("Content Security Policy")
    ran = visit.page.evaluate("""async () => {
      const script = document.createElement("script");
      script.textContent = "window.intruder = true";
      document.body.append(script);
      const asked = await fetch("data:text/plain,x").then(() => "answered", () => "refused");
      while (violations.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      return [window.intruder === true, asked, violations.splice(0).map((text) => text.split(":")[0]).sort()];
    }""")
    assert ran == [False, "refused", ["connect-src", "script-src-elem"]]


def test_without_storage_it_works_all_the_same(rough, single_file):
    visit = rough(single_file.as_uri())
    visit.page.add_init_script("""
      for (const name of ["sessionStorage", "localStorage", "indexedDB", "caches"]) {
        Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
      }""")
    visit.open().ready()
    assert visit.read(digit(2)) == "2"


@pytest.mark.parametrize("call", [
    "({ recognizer }) => recognizer.useModel('mlp-128-64')", "({ recognizer }) => recognizer.getWeights()", "({ recognizer }) => recognizer.resetWeights()",
    "({ recognizer }) => recognizer.setWeights(new Uint8Array(9)).catch(({ name }) => { if (name !== 'WeightsError') throw new Error(name); })",
], ids=["another network", "weights", "reset", "what are no weights"])
def test_what_is_asked_in_the_first_moment_is_answered_though_not_all_is_unpacked(rough, single_file, call):
    """Of Python's functions the second half is unpacked only when there is time, and here none can be fetched at once."""
    visit = rough(single_file.as_uri()).open().ready()
    visit.on_element(f"async (element) => {{ await ({call})(element); }}")
    assert visit.read(digit(3)) == "3"
    assert not [text for text in visit.log if "fatal" in text]


def test_a_link_to_another_network_starts_from_the_snapshot(rough, single_file):
    visit = rough(single_file.as_uri()).open("#model=mlp-128-64").ready()
    assert visit.read(digit(3)) == "3"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"
    boot = visit.on_element("(element) => element.recognizer.health()")["boot"]
    assert (boot["path"], boot["why_not_faster"]) == ("snapshot", None)


def with_wrong_letters(data: bytes, name: str) -> bytes:
    """Some letters in the middle of that block stand the other way round."""
    match = next(match for match in BLOCK.finditer(data) if match[2].decode().partition(" ")[0] == name)
    middle = (match.start(3) + match.end(3)) // 2
    return data[:middle] + data[middle : middle + 40][::-1] + data[middle + 40 :]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["worker.js", "pyodide.asm.wasm", "pyodide.asm.secondary.wasm", "convnet.npz", "heap.bin", "_multiarray_umath.wasm", "numpy.zip"])
def test_a_damaged_part_is_told_or_done_without(altered, name):
    visit = altered(lambda data: with_wrong_letters(data, name)).open()
    visit.draw(digit(4))
    settled = re.compile("ready|error")
    expect(visit.status).to_have_attribute("data-state", settled, timeout=BOOT)
    if visit.status.get_attribute("data-state") == "error":
        message = visit.error()
        assert "incomplete or damaged" in message and "Copy or download the page again" in message
        assert visit.strokes()
    else:
        assert name not in ("worker.js", "pyodide.asm.wasm")
        assert visit.answer() == "4"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.97])
def test_a_page_that_was_cut_off_says_so_and_the_pad_still_works(altered, kept):
    visit = altered(lambda data: data[: int(kept * len(data))]).open()
    message = visit.error()
    assert "incomplete or damaged" in message and "Copy or download the page again" in message
    visit.draw(digit(7))
    assert visit.strokes()


def test_a_page_whose_script_is_damaged_runs_none_of_it_and_gives_advice(altered):
    visit = altered(lambda data: data.replace(b"customElements.define(", b"customElements.defime(", 1)).open()
    advice = visit.page.get_by_text("reload the page")
    expect(advice).to_have_css("animation-delay", "6s")
    visit.page.evaluate("() => document.getAnimations().forEach((late) => late.finish())")
    expect(advice).to_be_visible()


def test_it_learns_from_corrected_drawings_and_tests_itself(visit):
    drawings = signs(3)
    for drawing in drawings:
        correct(visit, drawing, MEANT)
    visit.by("action").click()
    expect(visit.page.locator("#learning .result")).to_contain_text("1,000 MNIST test images", timeout=LONG)
    assert answer_to(visit, drawings[0]) == MEANT
    visit.button("Drop it").click()
    panel(visit, "Test")
    expect(note(visit)).to_contain_text("on a server there are all 10,000")
    visit.button("Test on 1,000 MNIST images").click()
    expect(visit.page.locator("#learning .result")).to_contain_text("of 1,000 right", timeout=LONG)
    visit.button("Learn").click()


def test_it_trains_from_nothing_on_the_images_that_it_carries(visit):
    visit.page.evaluate("() => { location.hash = '#learn=train&arch=784-32-10&epochs=1&learning_rate=0.003'; }")
    panel(visit, "Train")
    visit.page.get_by_role("tabpanel").get_by_role("button", name="Train", exact=True).click()
    expect(note(visit)).to_contain_text("This single file carries some 4,000 images")
    outcome = visit.page.get_by_role("tabpanel").get_by_role("status")
    expect(outcome).to_contain_text("Finished after", timeout=LONG)
    assert float(re.search(r"([\d.]+)% of 410 images", outcome.inner_text())[1]) >= 70
    expect(visit.page.locator("#learning .plot canvas")).to_have_count(2)
    visit.button("Drop").click()
    visit.button("Learn").click()
