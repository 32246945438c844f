"""Optimisers race: by clicks, by a link, and over a closed tab or a dead worker."""

import re

from hand import digit
from learning import FULL, LONG, answer_to, eventually, figures, model, note, outcome, panel, rows
from playwright.sync_api import expect
from test_worker import HANDLES

SHORT = "#learn=race&arch=784-32-10&images=1000&epochs=1"
# One that ends at once, as its loss is soon no number, and one that goes on; with so large a penalty what it learns is not much.
UNEVEN = "#learn=race&arch=784-32-10&l2=1&epochs=100&race=sgd:10,adam"
NAMES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
SAVED = """
() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("inkling");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction("runs").objectStore("runs").getAll();
    asking.onsuccess = () => resolve(asking.result.map(({ settings, checkpoint, result }) => `${settings.optimizer} ${result ? "result" : checkpoint ? "checkpoint" : "nothing"}`));
    opening.result.close();
  };
})
"""


def racing(visit) -> dict[str, str]:
    """Who is chosen, and the learning rate of each."""
    boxes = {name: visit.page.get_by_label(name, exact=True) for name in NAMES}
    return {name: visit.page.get_by_label(f"Learning rate of {name}", exact=True).input_value() for name, box in boxes.items() if box.is_checked()}


def steps_in_all(visit) -> int:
    """How many steps of all who race are done, 0 before the first."""
    found = re.search(r"Step ([\d,]+) of", figures(visit).inner_text())
    return int(found[1].replace(",", "")) if found else 0


def test_optimisers_race_and_a_sentence_says_who_won(at):
    visit = at("#learn=race&race=sgd,adam&arch=784-32-10&images=3000&epochs=1")
    visit.page.get_by_label("Learning rate of sgd").fill("0.0001")
    visit.lay(digit(6))
    visit.button("Start the race").click()
    expect(outcome(visit)).to_contain_text("adam won with", timeout=LONG)
    expect(outcome(visit)).to_contain_text("sgd")
    expect(visit.page.locator("#learning .plot canvas")).to_have_count(2)
    assert len(rows(visit)) == 3
    assert answer_to(visit, digit(6)) == 6 and model(visit) == "convnet"  # the pad's network has no part in it


def test_six_race_by_clicks(at):
    visit = at("#arch=784-32-10&images=1000&epochs=1")
    panel(visit, "Race")
    visit.page.get_by_label("nesterov", exact=True).click()
    visit.button("Start the race").click()
    expect(outcome(visit)).to_contain_text(re.compile("won with|end level"), timeout=LONG)
    assert list(racing(visit)) == NAMES[:6]
    expect(visit.page.locator("#learning .chart").first.locator(".key")).to_have_text(NAMES[:6])
    numbers = rows(visit)
    assert [row[0] for row in numbers] == ["0", "8", "16"] and all(len(row) == 7 for row in numbers)
    assert len(set(numbers[0][1:])) == 1  # all begin with the same network
    assert min(float(share.removesuffix("%")) for share in numbers[-1][1:]) > 20
    visit.page.reload()
    visit.ready()
    expect(visit.button("Start the race")).to_be_visible()
    expect(visit.button("Go on")).to_have_count(0)  # it came to its end


def test_at_most_six_can_race(at):
    visit = at("#learn=race&race=sgd,momentum,nesterov,adagrad,rmsprop,adam")
    expect(visit.page.locator("#learning .entries :checked")).to_have_count(6)
    visit.page.get_by_label("adamw", exact=True).click()
    expect(visit.page.locator("#learning .entries :checked")).to_have_count(6)
    expect(note(visit)).to_contain_text("At most 6")


def test_a_link_opens_the_same_race_and_a_change_changes_the_link(at):
    visit = at("#learn=race&race=sgd:0.5,adam")
    expect(visit.button("Start the race")).to_be_visible()
    assert racing(visit) == {"sgd": "0.5", "adam": "0.001"}
    visit.page.get_by_label("Learning rate of adam", exact=True).fill("0.005")
    visit.page.get_by_label("rmsprop", exact=True).click()
    changed = {"sgd": "0.5", "rmsprop": "0.001", "adam": "0.005"}
    assert racing(visit) == changed
    link = visit.page.url[visit.page.url.index("#"):]
    other = at(link)
    expect(other.button("Start the race")).to_be_visible()
    assert racing(other) == changed
    other.page.evaluate("() => { location.hash = '#learn=race&race=momentum,adagrad:0.04&epochs=7'; }")
    eventually(lambda: racing(other) == {"momentum": "0.03", "adagrad": "0.04"})
    expect(other.page.locator("#learning .quiet").first).to_contain_text("7 epochs")
    other.page.evaluate("() => { location.hash = '#learn=race'; }")
    eventually(lambda: list(racing(other)) == ["sgd", "momentum", "adagrad", "rmsprop", "adam"])


NONSENSE = [
    ("race=sgd:fast,adam", "learning_rate of sgd “fast” is no number; 0.1 is used", {"sgd": "0.1", "adam": "0.001"}),
    ("race=sgd:1e9,adam:-1", "learning_rate of sgd 1e9 became 10", {"sgd": "10", "adam": "0.000001"}),
    ("race=sgd,lion,<b>magic</b>,adam", "“lion, <b>magic</b>” is none of sgd, momentum", {"sgd": "0.1", "adam": "0.001"}),
    (f"race={','.join(NAMES)}", "At most 6 can race; adamw is left out", dict.fromkeys(NAMES[:6])),
    ("race=sgd:0.2,sgd:0.3,adam", "names sgd more than once", {"sgd": "0.2", "adam": "0.001"}),
    ("race=adam,lenet&epochs=1e9", "epochs 1e9 became 100", {"adam": "0.001"}),
]


def test_nonsense_in_a_link_to_a_race_is_clamped_and_told(at):
    visit = at(f"#learn=race&{NONSENSE[0][0]}")
    panel(visit, "Train")  # whose form looks at the address, too
    for tab in ("Race", "Train"):
        panel(visit, tab)
        for link, told, expected in NONSENSE:
            visit.page.evaluate("(hash) => { location.hash = hash; }", f"#learn=race&{link}")
            expect(note(visit)).to_contain_text(told)
            found = racing(visit)
            assert list(found) == list(expected) and all(rate in (None, found[name]) for name, rate in expected.items())
            panel(visit, tab)


def test_a_race_that_a_tab_was_closed_on_goes_on_with_those_who_were_not_through(at):
    visit = at(UNEVEN)
    visit.button("Start the race").click()
    eventually(lambda: visit.page.evaluate(SAVED) == ["adam checkpoint", "sgd result"])
    visit.page.reload()
    visit.ready()
    offer = visit.page.locator("#learning .result")
    expect(offer).to_contain_text(re.compile(r"A race with 784-32-10 was interrupted: sgd was through, adam at step [\d,]+\."))
    at_step = int(re.search(r"adam at step ([\d,]+)", offer.inner_text())[1].replace(",", ""))
    assert at_step > 0
    visit.button("Go on").click()
    eventually(lambda: steps_in_all(visit) > at_step)
    assert len(rows(visit)[0]) == 3
    expect(offer).to_have_text("")
    visit.button("Cancel").click()
    expect(note(visit)).to_contain_text("called off")
    expect(offer).to_have_text("")
    assert visit.page.evaluate(SAVED) == []


def test_a_race_that_was_called_off_leaves_the_interrupted_one_and_that_can_be_forgotten(at):
    visit = at(UNEVEN)
    visit.button("Start the race").click()
    eventually(lambda: "sgd result" in visit.page.evaluate(SAVED))
    visit.page.reload()
    visit.ready()
    offer = visit.page.locator("#learning .result")
    expect(offer).to_contain_text("sgd was through")
    said = offer.locator("p").inner_text()
    visit.button("Start the race").click()
    eventually(lambda: steps_in_all(visit) > 5)
    visit.button("Cancel").click()
    expect(offer.locator("p")).to_have_text(said)
    visit.button("Forget it").click()
    expect(offer).to_have_text("")
    eventually(lambda: visit.page.evaluate(SAVED) == [])


def test_a_race_whose_worker_dies_goes_on_to_its_end(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.expecting("The worker died")
    visit.page.add_init_script(HANDLES)
    visit.open(UNEVEN.replace("epochs=100", "epochs=10")).ready()
    visit.button("Start the race").click()
    eventually(lambda: "sgd result" in visit.page.evaluate(SAVED))
    visit.page.evaluate("() => kill(workers.at(-1))")
    expect(note(visit)).to_contain_text("the race goes on")
    expect(outcome(visit)).to_contain_text("as the only one to arrive", timeout=LONG)
    expect(outcome(visit)).to_contain_text("sgd diverged")
    assert visit.page.evaluate("workers.length") == 2 and visit.page.evaluate(SAVED) == []


def test_a_race_where_nothing_can_be_kept_is_told_and_goes_on(new_visit, site):
    visit = new_visit(site, service_workers="block")
    visit.page.add_init_script(FULL)
    visit.open(SHORT).ready()
    visit.button("Start the race").click()
    expect(outcome(visit)).to_contain_text(re.compile("won with|end level"), timeout=LONG)
    expect(note(visit)).to_contain_text("storage is full")
