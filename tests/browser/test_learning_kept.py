"""What is left of a training when its tab is closed, its worker dies or nothing can be kept: it goes on, or it is said what was lost."""

import re

import pytest
from hand import digit
from learning import FULL, LONG, NO_STORAGE, QUICK, SLOW, answer_to, eventually, figures, model, note, outcome, reading, rows, start, steps_done
from playwright.sync_api import expect
from test_worker import HANDLES

STEP_SAVED = """
() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("inkling");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction("runs").objectStore("runs").get("last");
    asking.onsuccess = () => resolve(asking.result?.checkpoint && asking.result.curves.steps.at(-1).step);
    opening.result.close();
  };
})
"""
HOLDS_STORAGE = """
{
  window.isHeld = false;
  window.held = []; // what is to happen once a transaction is complete
  Object.defineProperty(IDBTransaction.prototype, "oncomplete", {
    set(done) { this.addEventListener("complete", () => (isHeld ? held.push(done) : done())); },
  });
}
"""
COUNTS_WRITES = """
() => {
  window.writes = []; // the last step of each record
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (value, key) {
    writes.push(value.curves.steps.at(-1).step);
    return put.call(this, value, key);
  };
}
"""
DIES_SOON = """
({ recognizer }) => {
  const { train } = recognizer;
  recognizer.train = (settings, options) => {
    recognizer.train = train;
    let isDead = false;
    return train.call(recognizer, settings, { ...options, onProgress(progress) {
      options.onProgress(progress);
      if (progress.step > 5 && !isDead) kill(workers.at(-1));
      isDead ||= progress.step > 5;
    } });
  };
}
"""


def test_a_run_whose_worker_can_not_be_replaced_offers_what_it_saved(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.expecting("The worker died|no module workers")
    visit.page.add_init_script(HANDLES)
    visit.open(SLOW).ready()
    start(visit)
    eventually(lambda: steps_done(visit) > 5)
    visit.button("Pause").click()  # a checkpoint is made with it
    expect(figures(visit)).to_contain_text("paused")
    done = steps_done(visit)
    visit.page.evaluate("() => { kill(workers.at(-1)); window.spare = Worker; window.Worker = undefined; }")
    expect(visit.page.locator("#learning .result")).to_contain_text(f"interrupted at step {done:,}", timeout=LONG)
    expect(outcome(visit)).to_contain_text("no module workers")
    visit.page.evaluate("() => { window.Worker = spare; }")
    visit.by("action").click()
    visit.ready()
    visit.button("Go on").click()
    eventually(lambda: steps_done(visit) > done)


def test_a_tab_closed_in_mid_run_can_go_on(at):
    visit = at(SLOW)
    start(visit)
    eventually(lambda: steps_done(visit) > 20)
    visit.button("Pause").click()  # a checkpoint is made with it
    expect(figures(visit)).to_contain_text("paused")
    done = steps_done(visit)
    visit.page.reload()
    visit.ready()
    expect(visit.page.locator("#learning")).to_contain_text(f"interrupted at step {done:,}")
    visit.button("Go on").click()
    eventually(lambda: steps_done(visit) > done)
    visit.button("Stop").click()
    expect(outcome(visit)).to_contain_text("Stopped after", timeout=LONG)
    visit.button("Drop").click()
    expect(reading(visit)).to_contain_text("as it was shipped")
    visit.page.reload()
    expect(visit.button("Train")).to_be_visible()
    expect(visit.button("Go on")).to_have_count(0)


def test_a_pause_is_called_one_once_its_checkpoint_is_kept(new_visit, site):
    visit = new_visit(site)
    visit.expecting("IndexedDB: Error: too late")
    visit.page.add_init_script(HOLDS_STORAGE)
    visit.open(SLOW).ready()
    start(visit)
    eventually(lambda: steps_done(visit) > 5)
    visit.page.evaluate("() => { isHeld = true; }")
    visit.button("Pause").click()
    expect(figures(visit)).to_contain_text("pausing")
    visit.page.evaluate("() => { isHeld = false; held.splice(0).forEach((done) => done()); }")
    expect(figures(visit)).to_contain_text("paused")
    visit.page.evaluate("() => { isHeld = true; }")
    done = steps_done(visit)
    visit.button("One step").click()
    expect(figures(visit)).to_contain_text(f"Step {done + 1:,} of")
    expect(figures(visit)).to_contain_text("pausing")
    expect(figures(visit)).to_contain_text("paused", timeout=10_000)  # storage that does not answer keeps nobody
    expect(note(visit)).to_contain_text("keeps nothing")


def test_a_single_step_and_a_changed_rate_are_kept_with_the_pause_and_nothing_is_written_twice(at):
    visit = at(SLOW)
    start(visit)
    visit.page.evaluate(COUNTS_WRITES)
    visit.button("Pause").click()
    expect(figures(visit)).to_contain_text("paused")
    assert visit.page.evaluate("writes.at(-1)") == steps_done(visit)
    done = steps_done(visit)
    visit.button("One step").click()
    expect(figures(visit)).to_contain_text(f"Step {done + 1:,} of")
    expect(figures(visit)).to_contain_text("paused")
    assert visit.page.evaluate("writes.at(-1)") == done + 1
    written = visit.page.evaluate("writes.length")
    visit.page.wait_for_timeout(7000)  # longer than the time between two checkpoints of a run that goes on
    assert visit.page.evaluate("writes.length") == written


def test_a_tab_closed_without_a_word_keeps_the_last_checkpoint(at):
    visit = at(SLOW)
    start(visit)
    saved = eventually(lambda: visit.page.evaluate(STEP_SAVED))
    visit.page.reload()
    visit.ready()
    offer = visit.page.locator("#learning .result")
    expect(offer).to_contain_text("interrupted at step")
    found = int(re.search(r"step ([\d,]+)", offer.inner_text())[1].replace(",", ""))
    assert found >= saved
    visit.button("Go on").click()
    eventually(lambda: steps_done(visit) > found)


def test_a_new_run_that_is_cancelled_or_dies_leaves_the_interrupted_one_as_it_was(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.expecting("The worker died|no module workers")
    visit.page.add_init_script(HANDLES)
    visit.open(SLOW).ready()
    start(visit)
    visit.button("Pause").click()
    expect(figures(visit)).to_contain_text("paused")
    done = steps_done(visit)
    visit.page.reload()
    visit.ready()
    offer = visit.page.locator("#learning .result")
    expect(offer).to_contain_text(f"interrupted at step {done:,}")
    for has_saved in (False, True):
        start(visit)
        if has_saved:
            visit.button("Pause").click()
            expect(figures(visit)).to_contain_text("paused")
        visit.button("Cancel").click()
        expect(outcome(visit)).to_contain_text("Cancelled")
        expect(offer).to_contain_text(f"interrupted at step {done:,}")
    start(visit)
    visit.page.evaluate("() => { window.spare = Worker; window.Worker = undefined; kill(workers.at(-1)); }")
    expect(outcome(visit)).to_contain_text("no module workers")
    expect(offer).to_contain_text(f"interrupted at step {done:,}")
    visit.page.evaluate("() => { window.Worker = spare; }")
    visit.by("action").click()
    visit.ready()
    visit.button("Go on").click()
    eventually(lambda: steps_done(visit) > done)


def test_a_network_that_was_neither_kept_nor_dropped_outlives_a_reload(at):
    visit = at(QUICK)
    start(visit)
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet", timeout=LONG)
    answers = [answer_to(visit, digit(value)) for value in range(10)]
    visit.page.reload()
    visit.ready()
    expect(visit.page.locator("#learning .result")).to_contain_text("ended at step 126, and its network is not kept")
    visit.button("Try it again").click()
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet")
    assert [answer_to(visit, digit(value)) for value in range(10)] == answers
    visit.button("Drop").click()
    expect(reading(visit)).to_contain_text("as it was shipped")
    expect(visit.button("Try it again")).to_have_count(0)
    visit.page.reload()
    expect(visit.button("Train")).to_be_visible()
    expect(visit.button("Try it again")).to_have_count(0)


def test_a_worker_that_dies_in_mid_run_is_followed_by_one_that_goes_on(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.expecting("The worker died")
    visit.page.add_init_script(HANDLES)
    visit.open(SLOW).ready()
    start(visit)
    eventually(lambda: steps_done(visit) > 20)
    visit.button("Pause").click()
    expect(figures(visit)).to_contain_text("paused")
    done = steps_done(visit)
    visit.page.evaluate("() => kill(workers.at(-1))")
    expect(note(visit)).to_contain_text("goes on from the last checkpoint")
    eventually(lambda: steps_done(visit) > done)
    visit.button("Stop").click()
    expect(outcome(visit)).to_contain_text("Stopped after", timeout=LONG)


def test_a_worker_that_dies_before_the_first_checkpoint_is_followed_by_one_that_begins_again_to_the_same_curve(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.expecting("The worker died")
    visit.page.add_init_script(HANDLES)
    visit.open(QUICK).ready()
    visit.on_element(DIES_SOON)
    visit.button("Train").click()
    expect(note(visit)).to_contain_text("the training begins again", timeout=LONG)
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
    disturbed = rows(visit)
    visit.button("Train").click()
    expect(figures(visit)).to_be_visible()
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
    assert rows(visit) == disturbed and len(disturbed) == 5
    assert visit.page.evaluate("workers.length") == 2


@pytest.mark.parametrize("fault, words", [(NO_STORAGE, "keeps nothing for this page"), (FULL, "storage is full")])
def test_where_no_checkpoint_can_be_kept_it_is_told_and_the_run_goes_on(new_visit, site, fault, words):
    visit = new_visit(site, service_workers="block")
    visit.page.add_init_script(fault)
    visit.open(SLOW).ready()
    start(visit)
    expect(note(visit)).to_have_text("")
    visit.button("Pause").click()  # a checkpoint is made with it
    expect(note(visit)).to_contain_text(words)
    done = steps_done(visit)
    visit.button("Go on").click()
    eventually(lambda: steps_done(visit) > done)
    visit.button("Stop").click()
    expect(outcome(visit)).to_contain_text("Stopped after", timeout=LONG)
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet")
    visit.lay(digit(1))
    eventually(lambda: model(visit) == "784-32-10")
