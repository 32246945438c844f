"""The worker may die, fall silent or be impossible from the start: that is said, repaired where it can be, and the drawing stays."""

import pytest
from hand import digit
from playwright.sync_api import expect
from visit import BOOT, Visit

# Keeps hold of the workers; `doomed` lets each die at the first drawing that it is given, `deaf` lets it ignore them.
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
  postMessage(message, transfer) {
    if (message.name === "predict" && window.deaf) return;
    super.postMessage(message, transfer);
    if (message.name === "predict" && window.doomed) setTimeout(() => window.kill(this));
  }
};
"""


@pytest.fixture
def watched(rough_visit) -> Visit:
    rough_visit.page.add_init_script(HANDLES)
    return rough_visit


def workers(visit: Visit) -> int:
    return visit.page.evaluate("workers.length")


def test_a_worker_that_dies_fails_what_is_pending_restarts_and_reads_the_drawing_again(watched):
    visit = watched.open().ready()
    assert visit.read(digit(5)) == "5"
    drawing = visit.strokes()
    pending, restarted, digit_after, model = visit.on_element("""async (element) => {
      const { recognizer } = element;
      await recognizer.useModel("mlp-128-64");
      const restarted = new Promise((resolve) => recognizer.addEventListener("restart", () => resolve("restart"), { once: true }));
      const outcome = (promise) => promise.then(() => "answered", ({ name, message, hint }) => ({ name, message, hint }));
      const pending = [outcome(recognizer.predict(element.ink())), outcome(recognizer.health())];
      await new Promise((resolve) => setTimeout(resolve)); // so that both have been sent
      kill(workers.at(-1));
      const between = recognizer.predict(element.ink()); // asked while the new one starts
      return [await Promise.all(pending), await restarted, (await between).digit, (await between).model];
    }""")
    for failed in pending:
        assert failed["name"] == "WorkerError" and "out of memory" in failed["message"] and failed["hint"]
    assert (restarted, digit_after, model) == ("restart", 5, "mlp-128-64")
    assert workers(visit) == 2
    visit.ready()
    expect(visit.status).to_contain_text("Your drawing is still here")
    assert visit.strokes() == drawing
    assert visit.answer() == "5"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"  # the page has read it anew
    assert visit.read(digit(9)) == "9"


def test_a_worker_that_falls_silent_is_replaced(watched, dist):
    source = next(dist.glob("app-*/js/engine.js")).read_text(encoding="utf-8")
    assert source.count("PATIENCE = 20_000") == 1
    watched.page.route("**/js/engine.js", lambda route: route.fulfill(body=source.replace("PATIENCE = 20_000", "PATIENCE = 2_000"), content_type="text/javascript"))
    visit = watched.open().ready()
    visit.page.evaluate("window.deaf = true")
    visit.draw(digit(4))
    expect(visit.prediction).to_have_attribute("aria-busy", "true")
    visit.page.evaluate("""async () => {
      const { recognizer } = document.querySelector("digit-recognizer");
      setTimeout(() => (window.deaf = false), 1000); // before the patience ends
      await new Promise((resolve) => recognizer.addEventListener("restart", resolve, { once: true }));
    }""")
    assert visit.answer() == "4"
    assert workers(visit) == 2


def test_a_worker_that_keeps_dying_ends_in_an_error_with_one_action_that_recovers(watched):
    visit = watched.open().ready()
    visit.page.evaluate("window.doomed = true")
    visit.draw(digit(7))
    drawing = visit.strokes()
    expect(visit.status).to_have_attribute("data-state", "error", timeout=BOOT)
    assert "keeps stopping" in visit.error()
    assert workers(visit) == 4
    assert visit.strokes() == drawing
    visit.page.evaluate("window.doomed = false")
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "7"


def test_a_worker_that_dies_while_it_starts_is_told_at_once(watched):
    visit = watched.open("#model=convnet")
    visit.page.wait_for_load_state()
    visit.draw(digit(0))
    visit.on_element("""async (element) => {
      const later = () => new Promise(requestAnimationFrame);
      while (!workers.length) await later();
      kill(workers[0]);
    }""")
    assert "out of memory" in visit.error()
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "0"


LACKS = {
    "no WebAssembly": ("delete window.WebAssembly", "WebAssembly"),
    "no workers": ("delete window.Worker", "module workers"),
    "workers that know no modules": ("window.Worker = class extends Worker { constructor(url) { super(url); } }", "module workers"),
}


@pytest.mark.parametrize(("script", "named"), LACKS.values(), ids=LACKS)
def test_a_browser_that_lacks_something_is_told_what_and_the_pad_still_works(rough_visit, script, named):
    visit = rough_visit
    visit.page.add_init_script(script)
    visit.open()
    message = visit.error()
    assert named in message and "current version of" in message
    visit.draw(digit(1))
    assert len(visit.strokes()) == 1
    visit.by("undo").click()
    assert visit.strokes() == []
