"""Every file that a page can ask for comes wrong in every way: the page works, or says so and what to do, and never reads a digit wrongly.

What is asked for when a part of the page is opened belongs to that part. The first files of a part come wrong in all ways, the others, which
fail as these do, in two of them, by turns: so every file is tried, and every way in every part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest
from faulty import ALL, corrupted, faulty, hasty, missing, page_instead, stalled, swapped, truncated, untyped
from hand import digit
from learning import eventually
from playwright.sync_api import Locator, expect
from test_pictures import dark_on_light, file_of
from visit import BOOT, Visit

STAY = (truncated, corrupted, swapped, stalled)  # are not tried one after the other on a page that has begun to fail
PASS = tuple(fault for fault in ALL if fault not in STAY)
TOLD = re.compile("ould not (be )?load|The recogniser stopped|had to be started again")
TRAINING = "arch=784-32-10&epochs=20&images=10000&batch_size=16"
GUEST = ('<!doctype html><html lang="de"><meta charset="utf-8"><title>Guest</title><link rel="icon" href="data:,">'
         '<digit-recognizer><p>Nothing to draw on here.</p></digit-recognizer><script type="module" src="./js/digit-recognizer.js"></script>')


def scripts(*names: str) -> list[str]:
    return [f"app-*/js/{name}.js" for name in names]


# Of Python and NumPy: they come in idle time, and at once when something of them is called before.
SECOND_HALVES = [f"runtime-*/{name}.secondary.wasm" for name in ("pyodide.asm", "_multiarray_umath", "_umath_linalg")]


@dataclass
class Part:
    """What is opened on a page that runs."""

    name: str
    first: list[str]
    others: list[str]
    open: Callable[[Visit], None]
    opened: Callable[[Visit], Locator]
    address: str = ""


def save(visit: Visit) -> None:
    visit.clear()
    visit.page.locator("summary", has_text="Save").click()
    visit.page.get_by_role("button", name="The drawing").click()
    visit.page.keyboard.press("Escape")


def read_number(visit: Visit) -> None:
    visit.on_element("(element) => { element.numbers = true; }")
    assert visit.read(digit(3)) == "3"


def open_picture(visit: Visit) -> None:
    visit.clear()
    visit.page.locator("#file").set_input_files({"name": "digit.png", "mimeType": "image/png", "buffer": file_of(dark_on_light(5))})


def choose_network(name: str) -> Callable[[Visit], None]:
    return lambda visit: visit.page.get_by_role("combobox", name="Network").select_option(name)


def come_back(visit: Visit) -> None:
    """To the network that the page starts with."""
    if "mlp-128-64" not in visit.page.url:
        choose_network("mlp-128-64")(visit)
        visit.page.wait_for_url("**#model=mlp-128-64")
    choose_network("convnet")(visit)


def learn(visit: Visit) -> None:
    if visit.button("Learn").get_attribute("aria-expanded") == "true":
        visit.button("Learn").click()
    visit.button("Learn").click()


def correct(visit: Visit) -> None:
    visit.read(digit(5))
    visit.button("No, it’s a …").click()


def press(name: str) -> Callable[[Visit], None]:
    """A button of the panel, which is opened by a link."""
    def open_and_press(visit: Visit) -> None:
        button = visit.page.locator("#learning").get_by_role("button", name=name, exact=True)
        if not button.is_visible():
            learn(visit)
        expect(button.or_(told(visit)).first).to_be_visible(timeout=BOOT)
        if button.is_visible():
            button.click()

    return open_and_press


def learn_from_one(visit: Visit) -> None:
    if visit.n_strokes() == 0:
        visit.read(digit(5))
        visit.button("No, it’s a …").click()
        visit.button("It is 5").click()
        visit.button("Learn from it").click()
    else:
        press("Learn from my digits")(visit)


def shown(selector: str) -> Callable[[Visit], Locator]:
    return lambda visit: visit.page.locator(selector)


def told(visit: Visit) -> Locator:
    """What the page says of a part that did not come."""
    return visit.page.get_by_role("status").filter(has_text=TOLD, visible=True)


PARTS = [
    Part("details", scripts("details"), scripts("models", "address", "assets"), lambda visit: visit.button("Details").click(), shown("#facts div >> nth=0")),
    Part("saving", [], scripts("saving"), save, shown("digit-recognizer .status .text:has-text('Draw a digit first')")),
    Part("pictures", scripts("image-file"), scripts("decoding", "source", "errors"), open_picture, shown(".prediction:text-is('5')")),
    Part("numbers", [], scripts("boxes"), read_number, shown(".prediction:text-is('3')")),
    Part("networks", ["app-*/weights/mlp-128-64.npz"], ["app-*/weights/mlp-128-64.json"], choose_network("mlp-128-64"),
         shown("digit-recognizer[model='mlp-128-64']")),
    Part("networks, another", [], [f"app-*/weights/mlp-256-128.{ending}" for ending in ("npz", "json")], choose_network("mlp-256-128"),
         shown("digit-recognizer[model='mlp-256-128']")),
    Part("networks, back", [], ["app-*/weights/convnet.json"], come_back, shown("digit-recognizer[model=convnet]")),
    Part("learning", scripts("learn/panel"), ["app-*/learn.css", *scripts("learn", "styles", *(f"learn/{name}" for name in (
        "ahead", "busy", "dom", "footer", "look", "mine", "networks", "picker", "samples", "store")))], learn,
         shown("#learning h2:has-text('No drawings yet')")),
    Part("correcting", [], scripts("learn/correct"), correct, shown(".picker")),
    Part("learning from drawings", [], ["data-*/rehearsal.npz", "data-*/mnist-1000.npz"], learn_from_one, shown("#learning button:text-is('Drop it')")),
    Part("testing", [*scripts("lessons"), "data-*/mnist-test.npz"],
         ["runtime-*/numpy_random.zip", *SECOND_HALVES, *scripts("learning", "learn/prove", "data", "downloads", "image-sets")],
         press("Test on all 10,000 MNIST images"), shown("#learning .bar:has-text('Reading image')"), "#learn=test"),
    Part("training", [], [*scripts("learn/train", "vendor/uplot/uPlot.esm", *(f"learn/{name}" for name in ("curves", "form", "run", "settings"))),
         "data-*/mnist-train.npz", "app-*/js/vendor/uplot/*.css"], press("Train"), shown("#learning .figures:has-text('Step')"), f"#learn=train&{TRAINING}"),
    Part("racing", [], scripts(*(f"learn/{name}" for name in ("race", "race-store", "entrants", "verdict"))), press("Start the race"),
         shown("#learning .figures:has-text('Step')"), f"#learn=race&{TRAINING}"),
]

# (address, the first, the others) of what the page starts with; test_faults.py tries more ways for the runtime's files, and the action that recovers.
STARTS = [
    ("", [*scripts("ahead", "page", "worker"), "app-*/style.css"], ["app-*/paper.css", "app-*/digit-recognizer.css", "app-*/icons/inkling.svg"]),
    ("", [], ["heap-*/heap.bin", *(f"runtime-*/{name}" for name in (
        "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "_multiarray_umath.wasm", "_umath_linalg.wasm"))]),
    ("?boot=slim", [], ["runtime-*/pyodide.asm.secondary.wasm", "runtime-*/python_stdlib.zip", "runtime-*/numpy.zip", "app-*/inkling.zip", "app-*/weights/convnet.npz"]),
]
GUESTS = (["js/digit-recognizer.js"], scripts("embedded", *(
    "answer", "backdrop", "bars", "digit-recognizer", "engine", "inkling", "languages", "languages/de", "loading", "pad", "parts", "preview", "reading",
    "sharing", "start", "status", "strokes", "surface", "template", "texts", "tools", "words")))
OFFLINE = (["sw.js"], [*scripts("offline", "machine-code"), "manifest.webmanifest", "app-*/icons/*.png"])
NOT_ASKED_FOR = {
    "_headers",  # for the host
    "inkling.html",  # is downloaded, and tried in test_single_file.py
    "js/inkling.js",  # an embedder's own import of it fails
    *(f"app/js/{name}.js" for name in (  # are in ahead.js, page.js or worker.js
        "booting", "checksum", "define", "halves", "keeping", "linking", "menus", "numbers", "pictures", "restore", "wrapping")),
}


def ways(first: list[str], others: list[str], folder: Path) -> list[tuple[str, list]]:
    """The files, each with the faults that are tried, those that stay in the page last."""
    found = [[path.relative_to(folder).as_posix() for pattern in patterns for path in sorted(folder.glob(pattern))] for patterns in (first, others)]
    assert all(len(names) >= len(patterns) for names, patterns in zip(found, (first, others))), "a file is not there"
    return [*((name, [*PASS, *STAY]) for name in found[0]),
            *((name, [PASS[i % len(PASS)], STAY[i % len(STAY)]]) for i, name in enumerate(found[1]))]


class Host:
    """A server of dist/, or where something stalls, of a copy that waits less long."""

    def __init__(self, server, patient: Path, hasty: Path):
        self.server, self.patient, self.hasty = server, patient, hasty

    def sends(self, name: str, fault) -> None:
        """From now on that file comes wrong, and no other."""
        self.server.directory = self.hasty if fault is stalled else self.patient
        self.server.faults = {name: fault}
        self.server.asked.clear()

    def was_asked_for(self, name: str) -> None:
        eventually(lambda: name in self.server.asked)


@pytest.fixture(scope="module")
def host(dist, tmp_path_factory):
    with faulty(dist) as server:
        server.pages["guest.html"] = GUEST
        yield Host(server, dist, hasty(dist, tmp_path_factory.mktemp("hasty") / "dist"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_that_comes_wrong_when_it_is_opened_is_told_and_the_pad_reads_on(host, dist, rough, subtests, part):
    for name, faults in ways(part.first, part.others, dist):
        visit = None
        for fault in faults:
            with subtests.test(file=name.rpartition("/")[2], fault=fault.__name__):
                if visit and fault is stalled:
                    visit.close()  # it is of those that wait long
                    visit = None
                visit = visit or rough(host.server.url)
                visit = open_with(visit, host, part, name, fault)
        if visit:
            visit.close()


def open_with(visit: Visit, host, part: Part, name: str, fault) -> Visit | None:
    """Opens the part while the file comes wrong; returns the page if the next fault can be tried on it."""
    host.sends(name, fault)
    if visit.page.url == "about:blank":
        visit.open(part.address).ready()
    else:
        visit.on_element("(element) => element.tell(null)")
    part.open(visit)
    expect(told(visit).or_(part.opened(visit)).first).to_be_visible(timeout=BOOT)
    host.was_asked_for(name)
    has_come = part.opened(visit).is_visible()
    if has_come and part.address:
        visit.button("Cancel").click()
        expect(visit.button("Cancel")).to_have_count(0)
    visit.ready()
    visit.clear()
    visit.lay(digit(4))  # not by the mouse: what has just opened may still move the pad
    assert visit.answer() == "4"
    # A script that did not come is not asked for again until the page is loaded anew: some browsers do, Chromium 150 does not.
    if not has_come and fault not in STAY and not name.endswith(".js"):
        return visit
    visit.close()
    return None


def go(visit: Visit, address: str, fault) -> None:
    """Until all that the page names has come or failed, if it ever does."""
    visit.page.goto(visit.url + address, wait_until="commit" if fault is stalled else "load")


def ends_well(visit: Visit, instead: str = "This takes long. If it stays so, reload the page.") -> None:
    """A digit is read right; or an error is told with one action; or what stands in the element's place, and says what to do, is seen."""
    state = visit.page.locator("digit-recognizer .status:is([data-state=ready], [data-state=error])")
    advice = visit.page.locator("digit-recognizer:not(:defined) > p", has_text=instead)
    expect(state.or_(advice).filter(visible=True).first).to_be_visible(timeout=BOOT)
    if advice.is_visible():
        return
    if visit.status.get_attribute("data-state") == "ready":
        visit.draw(digit(4))
        assert visit.answer() == "4"
    else:
        visit.error()


@pytest.mark.parametrize("address, first, others", STARTS, ids=["page", "runtime", "slim"])
def test_whatever_comes_wrong_at_the_start_the_page_reads_or_says_what_to_do(host, dist, rough, subtests, address, first, others):
    for name, faults in ways(first, others, dist):
        for fault in faults:
            if (name.endswith("style.css") or name.endswith("paper.css")) and fault is stalled:
                continue  # the browser itself shows nothing before it has the page's style sheets, and says that it waits
            with subtests.test(file=name.rpartition("/")[2], fault=fault.__name__):
                host.sends(name, fault)
                visit = rough(host.server.url)
                go(visit, address, fault)
                ends_well(visit)
                host.was_asked_for(name)
                visit.close()


@pytest.mark.parametrize("fault", [truncated, corrupted, swapped], ids=lambda fault: fault.__name__)
def test_where_the_page_itself_comes_damaged_it_reads_or_says_what_to_do(host, rough, fault):
    """Where it does not come at all, the browser or the host says so."""
    host.sends("index.html", fault)
    ends_well(rough(host.server.url).open())


def test_on_a_page_of_others_a_field_whose_script_comes_wrong_reads_or_shows_what_stands_in_its_place(host, dist, rough, subtests):
    for name, faults in ways(*GUESTS, dist):
        for fault in faults:
            with subtests.test(file=name.rpartition("/")[2], fault=fault.__name__):
                host.sends(name, fault)
                visit = rough(host.server.url)
                go(visit, "guest.html", fault)
                ends_well(visit, "Nothing to draw on here")
                host.was_asked_for(name)
                visit.close()


INSTALLED = "async () => { const found = await navigator.serviceWorker.getRegistration(); return !found || !found.installing; }"


def test_what_comes_wrong_for_use_without_network_is_not_promised_and_the_page_reads(dist, new_visit, subtests):
    with faulty(dist) as server:
        for name, faults in ways(*OFFLINE, dist):
            for fault in faults:
                with subtests.test(file=name.rpartition("/")[2], fault=fault.__name__):
                    server.faults = {name: fault}
                    server.asked.clear()
                    visit = new_visit(server.url)
                    visit.expecting("")
                    visit.open().ready()
                    assert visit.read(digit(4)) == "4"
                    eventually(lambda: name in server.asked)  # noqa: B023
                    if fault is not stalled:
                        eventually(lambda: visit.page.evaluate(INSTALLED))  # noqa: B023
                    if fault is not untyped:  # which is no hindrance
                        expect(visit.status).not_to_have_attribute("data-offline", "ready")
                    visit.ready()
                    visit.close()


@pytest.mark.parametrize("fault", [missing, page_instead, stalled], ids=lambda fault: fault.__name__)
def test_after_one_visit_it_does_not_matter_that_everything_comes_wrong(dist, new_visit, fault):
    with faulty(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        visit.expecting("")
        server.faults = {path.relative_to(dist).as_posix(): fault for path in dist.rglob("*")}
        visit.page.reload()
        visit.ready()
        assert visit.read(digit(4)) == "4"


def test_every_file_of_dist_is_among_those_that_are_tried(dist):
    tried = [pattern for part in PARTS for pattern in (*part.first, *part.others)]
    tried += [pattern for _, first, others in STARTS for pattern in (*first, *others)]
    tried += [pattern for group in (*GUESTS, *OFFLINE, ["index.html"]) for pattern in group]
    names = [path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file() and path.suffix not in (".br", ".gz", ".txt")]
    left = {name for name in names if not any(fnmatch(name, pattern) for pattern in tried)}
    assert {re.sub("-[0-9a-f]+/", "/", name) for name in left} == NOT_ASKED_FOR
