"""The worker may die, fall silent or be impossible from the start: that is said, repaired where it can be, and the drawing stays."""

import pytest
from hand import digit
from playwright.sync_api import expect
from visit import BOOT, SOON, Visit

# Keeps hold of the workers; `stillborn` lets so many die while they start, `doomed` each at the first drawing that it is given, `deaf` lets it ignore them.
# So many as `asleep` says never start.
HANDLES = """
window.workers = [];
window.stillborn = window.asleep = 0;
window.kill = (worker) => {
  worker.terminate();
  worker.dispatchEvent(new ErrorEvent("error", { message: "out of memory" }));
};
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    window.workers.push(this);
    if (window.workers.length <= window.stillborn) setTimeout(() => window.kill(this)); // by then whoever made it listens
  }
  postMessage(message, transfer) {
    if (message.name === "predict" && window.deaf) return;
    if (message.name === "boot" && window.workers.length <= window.asleep) return;
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
    watched.change_script(dist, "ahead.js", "PATIENCE=2e4", "PATIENCE=2e3")
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


@pytest.mark.thorough
def test_a_model_that_comes_slowly_or_not_at_all_does_not_cost_the_worker(watched, dist):
    watched.change_script(dist, "ahead.js", "PATIENCE=2e4", "PATIENCE=1e3")
    watched.change_script(dist, "worker.js", "STALLED_AFTER=3e4", "STALLED_AFTER=3e3")
    visit = watched.open().ready()
    visit.hold("**/mlp-128-64.npz")
    choice = visit.page.get_by_role("combobox")
    choice.select_option("mlp-128-64")
    expect(visit.status).to_contain_text("nothing has arrived for 3 seconds", timeout=SOON)
    expect(choice).to_have_value("convnet")
    visit.page.unroute_all()
    alive = visit.on_element("""async (element) => {
      let alive = 0;
      workers[0].addEventListener("message", ({ data }) => { if (data.event === "progress") alive++; });
      await element.useModel("mlp-128-64");
      return alive;
    }""")
    assert alive > 0
    assert workers(visit) == 1


def test_the_network_that_was_chosen_last_answers_though_it_arrived_first(watched):
    visit = watched.open().ready()
    visit.lay(digit(6))
    release = visit.hold("**/mlp-128-64.npz")
    choice = visit.page.get_by_role("combobox")
    choice.select_option("mlp-128-64")
    choice.select_option("mlp-256-128")
    visit.page.wait_for_url("**#model=mlp-256-128")
    visit.page.evaluate("""() => {
      const refused = (resolve) => workers[0].addEventListener("message", ({ data }) => data.ok === false && resolve(data.error.type));
      window.outcome = new Promise(refused);
    }""")
    release()
    assert visit.page.evaluate("() => outcome") == "AbortError"
    expect(choice).to_have_value("mlp-256-128")
    assert visit.answer() == "6"
    assert visit.on_element("(element) => element.recognizer.health().then(({ model }) => model.name)") == "mlp-256-128"
    expect(visit.status).to_contain_text("Ready")


@pytest.mark.thorough
def test_a_picture_that_ends_the_worker_is_taken_off_the_pad_and_not_read_again(watched):
    visit = watched.open().ready()
    visit.lay(digit(4))
    visit.answer()
    visit.page.evaluate("window.doomed = true")
    visit.on_element("""async (element) => {
      const picture = new Blob(['<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><path d="M22 5h6v40h-6z"/></svg>'], { type: "image/svg+xml" });
      await element.openPicture(picture);
      while (element.source === picture) await new Promise(requestAnimationFrame);
      window.doomed = false;
    }""")
    expect(visit.status).to_contain_text("This picture could not be read here")
    expect(visit.status).to_contain_text("started again", timeout=BOOT)
    assert visit.answer() == "4"
    assert workers(visit) == 2


@pytest.mark.thorough
def test_after_an_error_the_network_that_was_chosen_answers_again(watched):
    visit = watched.open().ready()
    visit.page.get_by_role("combobox").select_option("mlp-128-64")
    visit.page.wait_for_url("**#model=mlp-128-64")
    visit.button("Details").click()
    visit.page.route("**/*.wasm*", lambda route: route.abort())
    visit.page.evaluate("kill(workers[0])")
    visit.draw(digit(7))
    visit.error()
    expect(visit.page.locator("#facts")).to_contain_text("Not read yet")
    visit.page.unroute_all()
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "7"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"
    expect(visit.page.get_by_role("combobox")).to_have_value("mlp-128-64")
    expect(visit.page.locator("#facts")).to_contain_text("mlp-128-64")


@pytest.mark.thorough
def test_details_survive_a_worker_that_dies_under_them(watched):
    visit = watched.open().ready()
    visit.button("Details").click()
    expect(visit.page.locator("#facts")).to_contain_text("sha256")
    visit.page.evaluate("""() => {
      window.unhandled = 0;
      addEventListener("unhandledrejection", () => unhandled++);
      document.querySelector("#details").click();
      document.querySelector("#details").click();
      setTimeout(() => kill(workers[0]));
    }""")
    expect(visit.status).to_contain_text("started again", timeout=BOOT)
    expect(visit.page.locator("#facts")).to_contain_text("sha256")
    assert visit.page.evaluate("() => unhandled") == 0


def test_a_recogniser_that_the_page_gives_is_taken_at_once_and_stays_the_pages(watched, site):
    visit = watched
    release = visit.hold("**/pyodide.asm.wasm")
    visit.open()
    visit.draw(digit(7))
    visit.page.evaluate("async () => { while (!workers.length) await new Promise(requestAnimationFrame); }")
    release()
    mine, closed, digits = visit.on_element("""async (element) => {
      const { createRecognizer } = await import(new URL("js/inkling.js", document.baseURI).href);
      const [own] = workers;
      let closed = false;
      own.terminate = () => { closed = true; Worker.prototype.terminate.call(own); };
      const given = await createRecognizer({ model: "mlp-128-64" });
      element.recognizer = given;
      await new Promise((resolve) => setTimeout(resolve, 500));
      const mine = element.recognizer === given;
      element.remove();
      await new Promise((resolve) => setTimeout(resolve));
      const data = new Uint8Array(60 * 80);
      for (let y = 10; y < 70; y++) data.fill(255, y * 60 + 25, y * 60 + 35);
      return [mine, closed, [(await given.predict({ data, width: 60, height: 80 })).digit]];
    }""")
    assert (mine, closed, digits) == (True, True, [1])


@pytest.mark.thorough
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


def test_a_worker_that_dies_while_it_starts_is_followed_by_one_that_starts_the_other_way(watched):
    watched.page.add_init_script("window.stillborn = 1")
    visit = watched.open("#model=convnet")
    visit.draw(digit(0))
    assert visit.ready().answer() == "0"
    boot = visit.on_element("async (element) => (await element.recognizer.health()).boot")
    assert boot["path"] == "slim" and "out of memory" in boot["why_not_faster"]


def test_workers_that_die_while_they_start_are_told_at_once(watched):
    watched.page.add_init_script("window.stillborn = 2")
    visit = watched.open("#model=convnet")
    visit.draw(digit(0))
    assert "out of memory" in visit.error()
    visit.by("action").click()
    visit.ready()
    assert visit.answer() == "0"
    assert workers(visit) == 3


def test_a_recogniser_that_dies_for_good_before_it_was_shown_is_an_error(watched):
    release = watched.hold("**/pyodide.asm.wasm")
    visit = watched.open()
    visit.on_element("""async (element) => {
      element.preparation = new Promise((resolve) => (window.prepared = resolve));
      while (!workers.length) await new Promise(requestAnimationFrame);
      workers[0].addEventListener("message", ({ data }) => (window.booted ||= data.ok === true));
    }""")
    release()
    visit.page.evaluate("async () => { while (!window.booted) await new Promise((resolve) => setTimeout(resolve, 50)); }")
    visit.page.evaluate("() => { window.stillborn = 99; kill(workers[0]); }")
    assert "out of memory" in visit.error()
    visit.page.evaluate("() => { window.stillborn = 0; window.prepared(); }")
    visit.by("action").click()
    assert visit.ready().read(digit(2)) == "2"


@pytest.mark.thorough
def test_a_start_that_hangs_is_given_up_for_the_other_way_and_that_for_an_error(watched, dist):
    watched.change_script(dist, "ahead.js", "LOADING_PATIENCE=6e4", "LOADING_PATIENCE=8e3")
    watched.page.add_init_script("window.asleep = 1")
    visit = watched.open()
    visit.draw(digit(6))
    assert visit.ready().answer() == "6"
    boot = visit.on_element("async (element) => (await element.recognizer.health()).boot")
    assert boot["path"] == "slim" and "did not answer for 8 s" in boot["why_not_faster"]
    visit.page.add_init_script("window.asleep = 2")
    visit.page.reload()
    assert "did not answer for 8 s" in visit.error()
    visit.by("action").click()
    assert visit.ready().read(digit(1)) == "1"


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
