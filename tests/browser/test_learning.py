"""Someone corrects the network, and it learns their hand: from the first wrong answer to a better one, and what is kept of it."""

import json
import time

import numpy as np
import pytest
from hand import digit
from learning import FULL, LONG, MEANT, NO_STORAGE, answer_to, choose, correct, download, eventually, model, note, panel, reading, signs
from playwright.sync_api import expect
from test_worker import HANDLES

from builder.common import ROOT
from inkling import weights
from inkling.training import as_float, evaluate

ANSWERS = """
window.answers = [];
addEventListener("change", ({ detail }) => detail?.model && answers.push(detail.model));
"""
MORTAL = """
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (message, ...more) {
  if (message.name !== "setWeights") return postMessage.call(this, message, ...more);
  Worker.prototype.postMessage = postMessage;
  this.terminate();
  setTimeout(() => this.dispatchEvent(new ErrorEvent("error", { message: "out of memory" })));
};
"""


@pytest.fixture
def visit(new_visit, site):
    """Everything here is kept on the device, so every test has a device of its own."""
    return new_visit(site, service_workers="block").open().ready()


def items(visit):
    return visit.page.locator("#learning .samples li:has(button)")


def test_a_newcomer_is_read_better_within_a_minute(new_visit, site):
    visit = new_visit(site, service_workers="block")
    start = time.monotonic()
    visit.open().ready()
    *drawings, another = signs(9)
    for drawing in drawings:
        correct(visit, drawing, MEANT)
    visit.by("action").click()
    expect(visit.button("Keep it")).to_be_visible(timeout=LONG)
    visit.clear()
    visit.draw(another)
    assert visit.verdict() in ("sure", "unsure")
    assert visit.answer() == str(MEANT)
    visit.button("Keep it").click()
    expect(note(visit)).to_contain_text("Kept")
    assert time.monotonic() - start < 60


@pytest.mark.thorough
def desktops_share_of_1000() -> float:
    """Of the 1,000 MNIST test images that the page shows before and after, the share that the shipped convnet has right."""
    with np.load(ROOT / "site" / "data" / "mnist-1000.npz") as file:
        return evaluate(weights.load(ROOT / "weights" / "convnet.npz"), as_float(file["images"]), file["labels"])[0]


def test_what_was_learned_shows_before_and_after_and_outlives_a_reload(visit):
    drawings = signs(20)
    assert [answer_to(visit, drawing) for drawing in drawings].count(MEANT) <= 2
    for drawing in drawings[:10]:
        correct(visit, drawing, MEANT)
    panel(visit, "My digits")
    visit.button("Learn from my digits").click()
    result = visit.page.locator("#learning .result")
    expect(result).to_contain_text("Learned from 8 drawings", timeout=LONG)
    mine, mnist = ([cell.inner_text() for cell in row.locator("td").all()] for row in result.locator("tbody tr").all())
    assert mine == ["0 of 2 right", "2 of 2 right"]
    before, after = (float(text.removesuffix("%")) for text in mnist)
    assert mnist[0] == f"{desktops_share_of_1000():.1%}" and before - after <= 0.5
    visit.button("Keep it").click()
    expect(reading(visit)).to_contain_text("convnet + mine, kept")
    right = [answer_to(visit, drawing) for drawing in drawings[10:]].count(MEANT)
    assert right >= 9

    visit.page.reload()
    visit.ready()
    expect(visit.page.locator("#model")).to_have_value("own:convnet + mine")
    assert [answer_to(visit, drawing) for drawing in drawings[10:]].count(MEANT) == right
    assert [answer_to(visit, digit(value)) for value in range(10)] == list(range(10))
    visit.button("Back to the shipped one").click()
    expect(reading(visit)).to_contain_text("as it was shipped")
    assert [answer_to(visit, drawing) for drawing in drawings[10:]].count(MEANT) <= 2
    visit.page.locator("#model").select_option("own:convnet + mine")
    expect(reading(visit)).to_contain_text("convnet + mine, kept")
    assert [answer_to(visit, drawing) for drawing in drawings[10:]].count(MEANT) == right


def turned() -> bytes:
    """The shipped network with its answers shifted: a 3 is a 4 to it."""
    network = weights.load(ROOT / "weights" / "convnet.npz")
    *_, W, b = network.parameters().values()
    W[...], b[...] = np.roll(W, 1, axis=1), np.roll(b, 1)
    return weights.dumps(network)


def keep_turned(visit):
    panel(visit, "My digits")
    choose(visit, "Load a network", {"name": "turned.npz", "mimeType": "application/octet-stream", "buffer": turned()})
    visit.button("Keep").click()
    expect(reading(visit)).to_contain_text("turned, kept on this device")


def answers(visit) -> list:
    """The networks that gave the answers that were shown since the page was loaded."""
    return visit.page.evaluate("() => answers")


@pytest.mark.thorough
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_the_first_answer_after_a_start_is_the_kept_networks(visit, late):
    keep_turned(visit)
    visit.page.add_init_script(ANSWERS)
    release = visit.hold("**/learn/networks.js") if late else None
    with visit.page.expect_request("**/numpy_random.zip", timeout=LONG):  # which the worker asks for when it has been ready for a while
        visit.page.reload()
        visit.draw(digit(3))
    if late:
        expect(visit.status).not_to_have_attribute("data-state", "ready")
        assert answers(visit) == []
        release()
    visit.ready()
    assert visit.answer() == "4"
    assert set(answers(visit)) == {"turned"}
    expect(visit.page.locator("#model")).to_have_value("own:turned")


@pytest.mark.thorough
def test_a_worker_that_dies_while_a_network_is_put_back_does_not_take_it_with_it(visit):
    keep_turned(visit)
    visit.expecting("The worker died")
    visit.page.add_init_script(MORTAL)
    visit.page.reload()
    expect(visit.status).to_contain_text("started again", timeout=LONG)
    visit.ready()
    visit.lay(digit(3))
    eventually(lambda: model(visit) == "turned")
    expect(visit.page.locator("#model")).to_have_value("own:turned")


@pytest.mark.thorough
def test_code_that_does_not_come_keeps_nobody_from_the_shipped_network(visit):
    keep_turned(visit)
    release = visit.hold("**/learn/networks.js")
    visit.page.reload()
    visit.ready()
    assert answer_to(visit, digit(3)) == 3
    release()
    eventually(lambda: model(visit) == "turned")  # late, but not lost


@pytest.mark.thorough
def test_storage_that_does_not_answer_keeps_nobody_from_the_shipped_network(visit):
    keep_turned(visit)
    visit.page.add_init_script("IDBFactory.prototype.open = () => ({})")
    visit.page.reload()
    visit.ready()
    assert answer_to(visit, digit(3)) == 3
    assert model(visit) == "convnet"

def test_the_first_corrected_drawing_has_the_network_prepared(visit):
    visit.on_element("""({ recognizer }) => {
      const { prepare } = recognizer;
      window.prepared = 0;
      recognizer.prepare = (...given) => prepare(...given).then(() => window.prepared++);
    }""")
    correct(visit, signs(1)[0], MEANT)
    eventually(lambda: visit.page.evaluate("window.prepared") >= 1)
    panel(visit, "My digits")
    eventually(lambda: visit.page.evaluate("window.prepared") >= 2)
    visit.button("Learn from my digits").click()
    visit.button("Keep it").click(timeout=LONG)
    eventually(lambda: visit.page.evaluate("window.prepared") >= 3)  # for what is drawn and learned next, of another network


def test_what_is_dropped_leaves_no_trace(visit):
    [drawing] = signs(1)
    visit.lay(drawing)
    visit.verdict()
    before = visit.bars()
    correct(visit, drawing, MEANT)
    visit.by("action").click()
    visit.button("Drop it").click(timeout=LONG)
    expect(note(visit)).to_contain_text("Dropped")
    visit.lay(drawing)
    visit.verdict()
    assert visit.bars() == before
    expect(visit.button("Keep it")).to_have_count(0)


@pytest.mark.thorough
def test_a_shipped_network_can_be_chosen_again_and_stays(visit):
    correct(visit, signs(1)[0], MEANT)
    visit.by("action").click()
    visit.button("Keep it").click(timeout=LONG)
    expect(reading(visit)).to_contain_text("kept on this device")
    visit.page.locator("#model").select_option("mlp-128-64")
    expect(reading(visit)).to_contain_text("as it was shipped")
    visit.page.reload()
    visit.ready()
    assert answer_to(visit, digit(3)) == 3
    assert model(visit) == "mlp-128-64"


@pytest.mark.thorough
def test_a_worker_that_dies_comes_back_with_what_was_learned(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.expecting("The worker died")
    visit.page.add_init_script(HANDLES)
    visit.open().ready()
    [drawing] = signs(1)
    correct(visit, drawing, MEANT)
    visit.by("action").click()
    visit.button("Keep it").click(timeout=LONG)
    expect(reading(visit)).to_contain_text("kept on this device")
    visit.page.evaluate("() => kill(workers.at(-1))")
    expect(visit.status).to_contain_text("started again", timeout=LONG)
    visit.lay(drawing)
    eventually(lambda: model(visit) == "convnet + mine")


def test_my_drawings_can_be_relabelled_deleted_taken_home_and_brought_back(visit):
    for value in (4, 7, 9):
        correct(visit, digit(value), value)
    panel(visit, "My digits")
    expect(items(visit)).to_have_count(3)
    items(visit).nth(1).get_by_role("button").first.click()
    visit.button("It is 1").click()
    expect(items(visit).nth(1)).to_have_text("1")
    items(visit).nth(0).get_by_role("button").first.click()
    visit.button("Delete").click()
    expect(items(visit)).to_have_text(["1", "9"])
    file = download(visit, "Download the drawings")
    visit.button("Delete all").click()
    visit.button("Really delete 2 drawings?").click()
    expect(items(visit)).to_have_count(0)
    visit.page.reload()
    visit.ready()
    panel(visit, "My digits")
    choose(visit, "Load drawings", file)
    expect(items(visit)).to_have_text(["1", "9"])
    choose(visit, "Load drawings", file)
    expect(note(visit)).to_contain_text("0 new drawings")
    visit.page.reload()
    expect(items(visit)).to_have_text(["1", "9"])


NO_DRAWINGS = {
    "text.json": ("no json", "no file of drawings"),
    "other.json": ('{"format": "other"}', "no file of drawings"),
    "null.json": ('{"format": "inkling-samples-1", "samples": [null]}', "Drawing 1 of the file is damaged"),
    "letter.json": ('{"format": "inkling-samples-1", "samples": [{"label": 3, "image": "A"}]}', "Drawing 1 of the file is damaged"),
    "short.json": (json.dumps({"format": "inkling-samples-1", "samples": [{"label": 3, "image": "AAAA"}]}), "Drawing 1 of the file is damaged"),
    "twelve.json": (json.dumps({"format": "inkling-samples-1", "samples": [{"label": 12, "image": "A" * 1048}]}), "Drawing 1 of the file is damaged"),
}


def test_a_file_that_holds_no_drawings_is_refused(visit):
    panel(visit, "My digits")
    for name, (content, words) in NO_DRAWINGS.items():
        choose(visit, "Load drawings", {"name": name, "mimeType": "application/json", "buffer": content.encode()})
        expect(note(visit)).to_contain_text(name)
        expect(note(visit)).to_contain_text(words)
        expect(items(visit)).to_have_count(0)


def test_a_drawing_that_is_corrected_while_a_file_loads_overwrites_none_of_it(visit):
    assert visit.page.evaluate("""async () => {
      const { samples } = await import(new URL("learn/samples.js", document.querySelector("script[type=module]").src));
      await samples.load();
      const drawing = (value) => ({ label: 1, image: btoa(String.fromCharCode(...new Uint8Array(784).fill(value))) });
      const file = { format: "inkling-samples-1", samples: [1, 2, 3, 4].map(drawing) };
      await Promise.all([samples.addText(JSON.stringify(file)), samples.add({ image: new Uint8Array(784), digit: 3 }, 7)]);
      return samples.list.map(({ label }) => label);
    }""") == [1, 1, 1, 1, 7]
    panel(visit, "My digits")
    expect(items(visit)).to_have_count(5)
    visit.page.reload()
    expect(items(visit)).to_have_count(5)


def test_by_the_keyboard_alone(visit):
    visit.lay(digit(4))
    visit.answer()
    visit.button("No, it’s a …").focus()
    visit.page.keyboard.press("Enter")
    expect(visit.button("It is 4")).to_be_focused()
    visit.page.keyboard.press("Escape")
    expect(visit.button("It is 4")).to_have_count(0)
    expect(visit.button("No, it’s a …")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.button("It is 4")).to_be_focused()
    visit.page.keyboard.press("7")
    expect(visit.status.get_by_role("status")).to_contain_text("Noted: a 7")
    visit.button("Learn").focus()
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("tab", name="My digits").focus()
    visit.page.keyboard.press("ArrowRight")
    expect(visit.page.get_by_role("tab", name="Train")).to_be_focused()
    expect(visit.page.get_by_role("tab", name="Train")).to_have_attribute("aria-selected", "true")


@pytest.mark.thorough
@pytest.mark.parametrize("fault, words", [(NO_STORAGE, "keeps nothing for this page"), (FULL, "storage is full")])
def test_where_nothing_can_be_kept_it_is_told_and_learning_works(new_visit, site, fault, words):
    visit = new_visit(site, service_workers="block")
    visit.page.add_init_script(fault)
    visit.open().ready()
    drawings = signs(2)
    correct(visit, drawings[0], MEANT)
    expect(visit.status.get_by_role("status")).to_contain_text(words)
    visit.by("action").click()
    visit.button("Keep it").click(timeout=LONG)
    expect(note(visit)).to_contain_text(words)
    assert answer_to(visit, drawings[1]) == MEANT


def test_nothing_is_offered_where_there_is_nothing_to_correct(visit):
    offer = visit.button("No, it’s a …")
    expect(offer).to_be_hidden()
    visit.lay([[(140, 140)]])
    visit.verdict()
    expect(offer).to_be_hidden()  # too small
    visit.lay(digit(7))
    visit.answer()
    expect(offer).to_be_visible()
    visit.clear()
    expect(offer).to_be_hidden()
