"""The second halves of Python's and NumPy's WebAssembly: reading digits needs none of them, they come when there is time, and at once where one is called for."""

from __future__ import annotations

import re
import threading

import pytest
from faulty import corrupted, cut_off, faulty, missing, page_instead, truncated, unreachable
from hand import digit, number
from learning import eventually
from playwright.sync_api import expect
from test_pictures import dark_on_light, file_of, light_on_dark, photograph, transparent
from visit import BOOT, Visit

HALVES = [f"{name}.secondary.wasm" for name in ("_multiarray_umath", "_umath_linalg", "pyodide.asm")]
SMALL = {"arch": "784-16-10", "epochs": 1, "batch_size": 100, "learning_rate": 0.005, "images": 1000, "augment": False}

TRAIN = "({ recognizer }, settings) => recognizer.train(settings, { live: false }).then(({ weights }) => weights.length)"
BEGIN = """(settings) => {
  const end = new AbortController();
  const { recognizer } = document.querySelector("digit-recognizer");
  const done = recognizer.train(settings, { live: false, signal: end.signal });
  done.catch(() => {});
  return { done, end };
}"""
ENOUGH = 10_000  # bytes of a network's file, at least
EVALUATE = """({ recognizer }) => recognizer.evaluate({ images: new Uint8Array(784 * 4), labels: Uint8Array.of(1, 2, 3, 4) })
  .then(({ n }) => n, ({ name }) => name)"""
WEIGHTS = "({ recognizer }) => recognizer.getWeights().then(({ npz }) => npz.length, ({ name }) => name)"


class InOrder(list):
    """What was asked for, each request, oldest first."""

    add = list.append

    def halves(self) -> list[str]:
        return sorted(name.rpartition("/")[2] for name in self if name.endswith(".secondary.wasm"))


class Held:
    """Sends nothing before `release`."""

    def __init__(self):
        self.release = threading.Event()

    def __call__(self, answer) -> None:
        self.release.wait()
        answer.send(200, answer.data)


@pytest.fixture
def host(dist):
    with faulty(dist) as server:
        server.asked = InOrder()
        server.held = Held()
        yield server
        server.held.release.set()


@pytest.fixture
def sends(host, dist):
    """sends(fault, names): from now on those of the second halves come wrong, with None right again."""

    def set_faults(fault, names=HALVES):
        host.faults = {path.relative_to(dist).as_posix(): fault for name in names for path in dist.glob(f"runtime-*/{name}")} if fault else {}

    return set_faults


@pytest.fixture
def visit(rough, host) -> Visit:
    return rough(host.url)


@pytest.fixture
def busy(visit, dist) -> Visit:
    """One on whose page there is never time."""
    visit.change_script(dist, "worker.js", "IDLE_AFTER=1500", "IDLE_AFTER=1e9")
    return visit


def came_to_start(visit: Visit) -> str:
    return visit.on_element("async ({ recognizer }) => (await recognizer.health()).boot.path")


def reads_everything(visit: Visit) -> None:
    """Drawn digits, by the pen; numbers, as one sees them and as a program does."""
    for value in (3, 8, 1, 6, 0):
        assert visit.read(digit(value)) == str(value)
    visit.clear()
    visit.lay([stroke for drawing in number("27") for stroke in drawing])
    assert visit.on_element("(element) => element.recognizer.predict(element.ink(), { numbers: true }).then(({ text }) => text)") == "27"
    visit.clear()


def test_starting_and_reading_ask_for_nothing_of_them(busy, host):
    """So it is noticed if the functions that the build notes (builder/called.mjs) get too few: on a slow line each answer would wait for megabytes."""
    busy.open().ready()
    for value in range(10):
        for style in range(3):
            busy.clear()
            if style == 0:
                busy.draw(digit(value))
                assert busy.answer() == str(value)
            else:
                busy.lay(digit(value, style))
                busy.verdict()
    reads_everything(busy)
    busy.on_element("(element) => { element.numbers = true; }")
    assert busy.read([stroke for drawing in number("407") for stroke in drawing]) == "407"
    assert busy.on_element("({ recognizer }) => recognizer.health().then(({ self_test }) => self_test.ok)")
    assert came_to_start(busy) == "snapshot"
    assert host.asked.halves() == []


@pytest.mark.parametrize("picture", [dark_on_light, light_on_dark, transparent, photograph], ids=lambda picture: picture.__name__)
def test_reading_a_picture_asks_for_nothing_of_them(busy, host, picture):
    busy.open().ready()
    busy.page.locator("#file").set_input_files({"name": "digit.png", "mimeType": "image/png", "buffer": file_of(picture(5))})
    expect(busy.prediction).to_have_text("5", timeout=BOOT)
    assert host.asked.halves() == []


def test_they_come_after_the_first_answer_once_each_and_then_everything_works(visit, host):
    visit.open()
    visit.draw(digit(4))  # while it loads
    assert visit.answer() == "4"
    assert host.asked.halves() == []
    eventually(lambda: host.asked.halves() == HALVES)
    eventually(lambda: any(name.endswith("/python_stdlib.zip") for name in host.asked))  # behind them
    assert visit.on_element(TRAIN, SMALL) > ENOUGH
    assert visit.on_element(EVALUATE) == 4
    assert visit.on_element(WEIGHTS) > ENOUGH
    assert visit.read(digit(7)) == "7"
    assert host.asked.halves() == HALVES and came_to_start(visit) == "snapshot"


def test_while_they_are_on_their_way_digits_are_read(visit, host, sends):
    sends(host.held)
    visit.open().ready()
    assert visit.read(digit(2)) == "2"
    eventually(lambda: host.asked.halves() != [])
    reads_everything(visit)
    training = visit.page.evaluate_handle(BEGIN, SMALL)
    reads_everything(visit)  # and it waits
    assert len(set(host.asked.halves())) == 1  # one after the other
    host.held.release.set()
    assert visit.page.evaluate("async ({ done }) => (await done).weights.length", training) > ENOUGH
    assert visit.read(digit(9)) == "9"
    assert sorted(set(host.asked.halves())) == HALVES and came_to_start(visit) == "snapshot"


@pytest.mark.parametrize("call, outcome", [
    (WEIGHTS, ENOUGH), ("({ recognizer }) => recognizer.resetWeights().then(() => 1)", 1), ("(element) => element.useModel('mlp-128-64').then(() => 1)", 1),
    (EVALUATE, 4), ("(element) => element.recognizer.debugImage(element.ink()).then(({ image }) => image.length)", 784),
], ids=["weights", "reset", "another network", "evaluation", "what the network sees"])
def test_what_is_called_for_before_there_was_time_comes_at_once(busy, host, call, outcome):
    busy.open().ready()
    assert busy.read(digit(5)) == "5"
    assert busy.on_element(call) >= outcome
    asked = host.asked.halves()
    assert len(asked) == len(set(asked))
    assert busy.read(digit(6)) == "6"
    assert busy.on_element(TRAIN, SMALL) > ENOUGH  # which waits for all
    assert host.asked.halves() == HALVES
    assert came_to_start(busy) == "snapshot"


def test_a_link_to_another_network_starts_from_the_snapshot_too(visit, host):
    visit.open("#model=mlp-128-64").draw(digit(3))
    assert visit.ready().answer() == "3"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"
    assert came_to_start(visit) == "snapshot"
    eventually(lambda: host.asked.halves() == HALVES)
    assert visit.on_element(TRAIN, SMALL) > ENOUGH
    assert host.asked.halves() == HALVES


@pytest.mark.parametrize("fault", [missing, page_instead, corrupted, truncated, unreachable, cut_off], ids=lambda fault: fault.__name__)
def test_one_that_comes_wrong_in_its_time_does_no_harm_and_is_asked_for_again(visit, host, sends, fault):
    sends(fault)
    visit.open().ready()
    assert visit.read(digit(1)) == "1"
    eventually(lambda: visit.page.evaluate("() => true") and any("Some of Python's modules are not there" in text for text in visit.log))
    reads_everything(visit)
    assert visit.on_element(EVALUATE) == "LoadError"
    assert visit.read(digit(5)) == "5"
    sends(None)
    assert visit.on_element(TRAIN, SMALL) > ENOUGH
    assert visit.on_element(WEIGHTS) > ENOUGH
    assert visit.read(digit(8)) == "8"
    assert came_to_start(visit) == "snapshot"


@pytest.mark.parametrize("fault", [missing, corrupted, unreachable], ids=lambda fault: fault.__name__)
def test_one_that_comes_wrong_when_it_is_called_for_fails_that_call_alone_and_the_next_one_works(busy, sends, fault):
    busy.open().ready()
    assert busy.read(digit(5)) == "5"
    sends(fault)
    assert busy.on_element(WEIGHTS) == "LoadError"
    assert busy.read(digit(6)) == "6"
    assert came_to_start(busy) == "snapshot"  # the same worker
    sends(None)
    assert busy.on_element(WEIGHTS) > ENOUGH
    assert busy.on_element(TRAIN, SMALL) > ENOUGH


def test_a_training_waits_for_them_longer_than_the_page_for_a_silent_worker(busy, host, sends, dist):
    busy.change_script(dist, "ahead.js", "PATIENCE=2e4", "PATIENCE=3e3")
    busy.open().ready()
    sends(host.held)
    training = busy.page.evaluate_handle(BEGIN, SMALL)
    busy.page.wait_for_timeout(5000)
    assert busy.read(digit(6)) == "6"
    host.held.release.set()
    assert busy.page.evaluate("async ({ done }) => (await done).weights.length", training) > ENOUGH
    assert came_to_start(busy) == "snapshot"


def test_a_training_that_waits_for_them_can_be_cancelled(busy, host, sends):
    busy.open().ready()
    sends(host.held)
    training = busy.page.evaluate_handle(BEGIN, SMALL)
    eventually(lambda: host.asked.halves() != [])
    assert busy.page.evaluate("""({ done, end }) => {
      end.abort();
      const late = new Promise((resolve) => setTimeout(resolve, 5000, "not within 5 seconds"));
      return Promise.race([late, done.then(() => "finished", ({ name }) => name)]);
    }""", training) == "AbortError"
    assert busy.read(digit(6)) == "6"


@pytest.mark.parametrize("name", HALVES)
def test_a_link_to_another_network_works_without_any_one_of_them_or_is_told(visit, sends, name):
    sends(missing, [name])
    visit.open("#model=mlp-128-64").draw(digit(3))
    expect(visit.status).to_have_attribute("data-state", re.compile("ready|error"), timeout=BOOT)
    if visit.status.get_attribute("data-state") == "error":
        visit.error()
        sends(None)
        visit.by("action").click()
    assert visit.ready().answer() == "3"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"


def test_without_network_they_come_at_once_out_of_what_is_kept(dist, new_visit):
    with faulty(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
    visit.expecting("ERR_CONNECTION_REFUSED|Failed to (load|fetch)|Failed to update a ServiceWorker")
    visit.open("#model=mlp-128-64").ready()
    assert visit.on_element(WEIGHTS) > ENOUGH
    assert visit.read(digit(4)) == "4"
    assert came_to_start(visit) == "snapshot"
    assert visit.on_element(EVALUATE) == 4
