"""<digit-recognizer> on other people's pages: several that share one worker, fields of a form, other languages, themes, parts."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from conftest import _close
from guests import HEAD, Field, guests, page_with
from hand import digit, number
from playwright.sync_api import expect

from builder.common import SITE

SEVERAL = page_with('<digit-recognizer id="a"></digit-recognizer><digit-recognizer id="b"></digit-recognizer>')
FORM = page_with(
    '<form><label for="digit">Digit</label><digit-recognizer id="digit" name="digit" required></digit-recognizer>'
    '<digit-recognizer id="number" name="number" numbers></digit-recognizer><button>Send</button></form>'
    "<script>addEventListener('submit', (event) => { event.preventDefault(); window.sent = [...new FormData(event.target)]; });</script>"
)
SPOKEN = page_with('<digit-recognizer id="own" lang="de-AT"></digit-recognizer><digit-recognizer id="around"></digit-recognizer>', lang="de")
DRESSED = page_with(
    "<style>digit-recognizer { --accent: rgb(1, 2, 3) } ::part(hint) { letter-spacing: 7px }</style>"
    '<digit-recognizer id="dark" theme="dark"></digit-recognizer><digit-recognizer id="light" theme="light"></digit-recognizer>'
    '<digit-recognizer id="auto"></digit-recognizer>'
)
# A service worker of the page's own, which has all that the page asks for come from the network.
OWN_WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));
"""
CONTROLLED = """
() => new Promise((resolve) => {
  navigator.serviceWorker.addEventListener("controllerchange", resolve);
  navigator.serviceWorker.register("sw.js");
})
"""
PAGES = {"several": SEVERAL, "form": FORM, "spoken": SPOKEN, "dressed": DRESSED}


@pytest.fixture(scope="module")
def guest(dist, tmp_path_factory):
    """The address of a server with the pages above."""
    folder = tmp_path_factory.mktemp("guest")
    for name, text in PAGES.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    with guests(dist, folder) as address:
        yield address


@pytest.fixture
def fields(guest, new_visit):
    """fields(page, *ids) -> the Fields, ready."""

    def open_page(name: str, *ids: str, **options):
        visit = new_visit(guest, **options)
        visit.open(f"{name}.html")
        return [Field(visit.page, id).ready() for id in ids]

    return open_page


def workers(page, n: int) -> None:
    """Waits until the page has n workers."""
    for _ in range(100):
        if len(page.workers) == n:
            return
        page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 50))")
    assert len(page.workers) == n


def test_elements_with_the_same_network_share_one_worker(fields):
    a, b = fields("several", "a", "b")
    workers(a.page, 1)
    a.lay(digit(3))
    b.lay(digit(7))  # at the same time: neither takes the other's place
    a.says("3")
    b.says("7")


def test_what_is_only_to_be_read_cannot_be_drawn_on(fields):
    a, _ = fields("several", "a", "b")
    box = a.js("(element) => { element.readonly = true; return element.shadowRoot.querySelector('canvas').getBoundingClientRect().toJSON(); }")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3

    def stroke():
        a.page.mouse.move(x, y)
        a.page.mouse.down()
        a.page.mouse.move(x, y + box["height"] / 3, steps=5)
        a.page.mouse.up()
        return a.js("(element) => element.strokes.length")

    assert stroke() == 0
    a.lay(digit(3))  # a script may, and what is there is read
    a.says("3")
    a.js("(element) => (element.strokes = [], element.readonly = false)")
    assert stroke() == 1


def test_each_element_keeps_the_network_of_its_choice(fields):
    a, b = fields("several", "a", "b")
    b.js("(element) => element.useModel('mlp-128-64')")
    workers(a.page, 2)
    a.reads(digit(3), "3")
    b.reads(digit(7), "7")
    assert [field.js("({ prediction }) => prediction.model") for field in (a, b)] == ["convnet", "mlp-128-64"]
    a.js("(element) => element.useModel('mlp-128-64')")
    workers(a.page, 1)  # they meet again
    a.reads(digit(5), "5")
    assert a.js("({ prediction }) => prediction.model") == "mlp-128-64"


def test_two_wishes_at_once_leave_no_worker_over(fields):
    """Whichever comes last: the cards of the networks are fetched first, and may overtake each other."""
    a, b = fields("several", "a", "b")
    b.js("(element) => Promise.all(['mlp-128-64', 'convnet', 'mlp-256-128', 'convnet'].map((name) => element.useModel(name)))")
    chosen = b.js("({ recognizer }) => recognizer.model")
    workers(a.page, 1 if chosen == "convnet" else 2)
    a.reads(digit(3), "3")
    b.reads(digit(7), "7")
    assert [field.js("({ prediction }) => prediction.model") for field in (a, b)] == ["convnet", chosen]


def test_an_element_that_is_alone_changes_its_network_in_the_same_worker(fields):
    a, b = fields("several", "a", "b")
    b.js("(element) => element.remove()")
    a.js("(element) => element.useModel('mlp-128-64')")
    workers(a.page, 1)
    a.reads(digit(3), "3")
    assert a.js("(element) => [element.prediction.model, element.recognizer.model]") == ["mlp-128-64", "mlp-128-64"]


def test_a_network_that_there_is_not_leaves_both_as_they_were(fields, new_visit, guest):
    visit = new_visit(guest)
    visit.expecting("There is no model")
    visit.open("several.html")
    a, b = (Field(visit.page, id).ready() for id in "ab")
    refused = b.js("(element) => element.useModel('nope').catch(({ name, hint }) => [name, hint])")
    assert refused == ["ModelError", "Choose one of these."]
    a.reads(digit(3), "3")
    b.reads(digit(7), "7")
    workers(a.page, 1)


def test_the_worker_goes_with_the_last_element(fields):
    a, b = fields("several", "a", "b")
    a.js("(element) => element.remove()")
    b.reads(digit(7), "7")
    workers(b.page, 1)
    page = b.page
    b.js("(element) => element.remove()")
    workers(page, 0)


def test_an_element_that_comes_later_finds_the_worker_running(fields):
    [a, _] = fields("several", "a", "b")
    a.page.evaluate("() => { document.body.append(Object.assign(document.createElement('digit-recognizer'), { id: 'c' })); }")
    Field(a.page, "c").ready().reads(digit(2), "2")
    workers(a.page, 1)


def test_when_the_shared_worker_dies_all_of_them_go_on(new_visit, guest):
    visit = new_visit(guest)
    visit.expecting("The worker died")
    visit.page.add_init_script("""
      const Native = Worker;
      window.Worker = class extends Native { constructor(...given) { super(...given); window.newest = this; } };
    """)
    visit.open("several.html")
    a, b = (Field(visit.page, id).ready() for id in "ab")
    visit.page.evaluate("""() => {
      window.restarts = 0;
      for (const one of document.querySelectorAll("digit-recognizer")) one.addEventListener("ready", () => restarts++);
    }""")
    visit.page.evaluate("() => newest.dispatchEvent(new ErrorEvent('error', { message: 'shot', cancelable: true }))")
    expect(a.by("status").get_by_role("status")).to_have_text(re.compile("started again"), timeout=60_000)
    expect(b.by("status").get_by_role("status")).to_have_text(re.compile("started again"))
    a.reads(digit(3), "3")
    b.reads(digit(7), "7")
    assert visit.page.evaluate("() => restarts") == 2


def test_when_the_worker_can_not_start_each_says_so_and_each_comes_back(new_visit, guest):
    visit = new_visit(guest)
    visit.expecting("")
    visit.page.route("**/*.wasm*", lambda route: route.abort())
    visit.page.add_init_script("""
        window.heard = [];
        addEventListener("error", ({ target, detail }) => target.localName === "digit-recognizer" && heard.push([target.id, detail.name, detail.message, detail.hint]), true);
    """)
    visit.open("several.html")
    a, b = Field(visit.page, "a"), Field(visit.page, "b")
    for field in (a, b):
        expect(field.by("status")).to_have_attribute("data-state", "error", timeout=60_000)
    heard = visit.page.evaluate("heard")
    assert sorted(name for name, *_ in heard) == ["a", "b"]
    assert all(kind == "LoadError" and "Could not load" in message and hint for _, kind, message, hint in heard)
    visit.page.unroute("**/*.wasm*")
    a.by("action").click()
    a.ready().reads(digit(3), "3")
    expect(b.by("status")).to_have_attribute("data-state", "error")
    b.by("action").click()
    b.ready().reads(digit(7), "7")
    workers(visit.page, 1)


# A form

AS_IT_WAS = """
() => {
  document.forms[0].reset();
  delete window.sent;
  digit.required = true;
  for (const field of [digit, number]) field.setCustomValidity("");
}
"""


@pytest.fixture(scope="module")
def form_page(_visits, guest):
    """One page with a form for all tests that leave it as it was."""
    visit = _visits(guest)
    visit.open("form.html")
    for name in ("digit", "number"):
        Field(visit.page, name).ready()
    yield visit.page
    _close([visit])


@pytest.fixture
def form(form_page):
    """(the field for a digit, the one for a number), both empty."""
    form_page.evaluate(AS_IT_WAS)
    one, many = Field(form_page, "digit"), Field(form_page, "number")
    one.says("")
    many.says("")
    return one, many


def test_a_form_sends_what_was_read(form):
    one, many = form
    one.reads(digit(3), "3")
    many.reads([stroke for drawing in number("42") for stroke in drawing], "42")
    assert [field.js("({ value, validity }) => [value, validity.valid]") for field in (one, many)] == [["3", True], ["42", True]]
    one.page.get_by_role("button", name="Send").click()
    assert one.page.evaluate("() => window.sent") == [["digit", "3"], ["number", "42"]]


def test_what_is_required_and_missing_holds_the_form_back_and_takes_the_focus(form):
    one, many = form
    assert one.js("({ validity }) => validity.valueMissing") and many.js("({ validity }) => validity.valid")
    one.page.get_by_role("button", name="Send").click()
    assert one.page.evaluate("() => window.sent") is None
    expect(one.by("pad")).to_be_focused()
    one.js("(element) => { element.required = false; }")
    assert one.js("(element) => element.checkValidity() && element.form.checkValidity()")
    one.page.get_by_role("button", name="Send").click()
    assert one.page.evaluate("() => window.sent") == [["digit", ""], ["number", ""]]


def test_what_is_not_read_is_no_value(form):
    one, _ = form
    one.lay([[(140, 140), (141, 141)]])
    one.says("")
    assert one.js("({ value, validity, validationMessage }) => [value, validity.badInput, validationMessage]") == [
        "", True, "It is not read as a digit. Draw it again."]  # fmt: skip


def test_a_drawing_that_is_not_read_yet_is_no_value_either(fields):
    [one, _] = fields("form", "digit", "number")
    one.reads(digit(3), "3")
    one.js("(element) => { const { recognizer } = element; recognizer.predict = () => new Promise(() => {}); }")
    one.lay(digit(7))
    one.js("() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")  # by then the page has noticed
    assert one.js("({ value, validationMessage }) => [value, validationMessage]") == ["", "Your drawing is read in a moment"]


def test_resetting_the_form_empties_the_sheet(form):
    one, _ = form
    one.reads(digit(3), "3")
    one.page.evaluate("() => document.forms[0].reset()")
    one.says("")
    assert one.js("({ value, strokes, validity }) => [value, strokes.length, validity.valueMissing]") == ["", 0, True]


def test_a_disabled_fieldset_disables_it(fields):
    [one, _] = fields("form", "digit", "number")
    one.reads(digit(3), "3")
    one.page.evaluate("""() => {
      const set = document.createElement("fieldset");
      document.forms[0].append(set);
      set.append(document.querySelector("#digit"));
      set.disabled = true;
    }""")
    assert one.js("(element) => [element.inert, element.willValidate, new FormData(element.form).has('digit')]") == [True, False, False]
    one.page.evaluate("() => { document.querySelector('fieldset').disabled = false; }")
    assert one.js("(element) => [element.inert, new FormData(element.form).get('digit')]") == [False, "3"]


def test_a_complaint_of_the_page_makes_it_invalid(form):
    one, _ = form
    one.reads(digit(3), "3")
    one.js("(element) => element.setCustomValidity('Not that one.')")
    assert one.js("({ validity, validationMessage }) => [validity.customError, validationMessage]") == [True, "Not that one."]
    one.js("(element) => element.setCustomValidity('')")
    assert one.js("(element) => element.checkValidity()")


def test_the_drawing_comes_back_with_the_page(fields):
    [one, _] = fields("form", "digit", "number")
    one.reads(digit(3), "3")
    one.page.goto(one.page.url.replace("form", "several"))
    one.page.go_back()
    one.ready()
    one.says("3")
    assert one.js("({ value }) => value") == "3"


def test_its_label_leads_to_the_pad(form):
    one, _ = form
    one.page.get_by_text("Digit", exact=True).click()
    expect(one.by("pad")).to_be_focused()
    assert one.js("({ labels, form, type, name }) => [labels[0].textContent, form.tagName, type, name]") == ["Digit", "FORM", "digit-recognizer", "digit"]


# Languages

QUOTED = r'"((?:[^"\\]|\\.)*)"'
GERMAN = dict(re.findall(rf"^  {QUOTED}: {QUOTED},$", (SITE / "js" / "languages" / "de.js").read_text(encoding="utf-8"), re.MULTILINE))
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((SITE / "js").glob("*.js")))


def test_every_text_of_the_table_is_said_somewhere():
    texts = [text for text in GERMAN if not re.fullmatch(r"Digit \d|\{\}%|>\{\}%|\.", text)]
    said = " ".join(SOURCES.split())
    assert len(texts) > 50
    assert [text for text in texts if f'"{text}"' not in said and f"`{text}`" not in said and f">{text}<" not in said] == []


def test_every_label_and_every_text_that_is_put_through_the_table_is_in_it():
    markup = re.findall(r'(?:aria-label|alt)="([^"]+)"', (SITE / "js" / "template.js").read_text(encoding="utf-8"))
    said = re.findall(rf"\bt\({QUOTED}", SOURCES) + re.findall(rf"^  \w+: {QUOTED},$", (SITE / "js" / "status.js").read_text(encoding="utf-8"), re.MULTILINE)
    for_programmers = ("Send plain values.", "Copy the picture to this site.", "Choose one of these.",
                       "The site has all of them; the single file carries the small ones.")
    hints = [hint for hint in re.findall(rf"\bhint: {QUOTED}", SOURCES) if hint not in for_programmers]
    assert len(markup) > 8 and len(said) > 8 and len(hints) > 3
    assert [text for text in [*markup, *said, *hints] if text and text not in GERMAN] == []
    assert all(english.count("{}") == german.count("{}") for english, german in GERMAN.items())


@pytest.mark.parametrize("name", ["own", "around"])
def test_it_speaks_the_language_of_the_page_or_its_own(fields, name):
    own, around = fields("spoken", "own", "around")
    field = {"own": own, "around": around}[name]
    expect(field.by("clear")).to_have_text("Löschen")
    expect(field.by("undo")).to_have_attribute("title", "Rückgängig (Strg+Z)")
    expect(field.host.locator(".hint")).to_have_text("Ziffer schreiben")
    expect(field.by("status").get_by_role("status")).to_have_text(re.compile("Bereit"))
    expect(field.by("bar-3")).to_have_attribute("aria-label", "Ziffer 3")
    field.reads(digit(3), "3")
    expect(field.by("confidence")).to_have_text(re.compile(r"^(\d\d,\d|> 99,9) %$"))
    expect(field.by("bar-3")).to_have_attribute("aria-valuetext", re.compile("Prozent"))
    expect(field.by("time")).to_have_text(re.compile(r"^\d+,\d ms$"))
    expect(field.host.locator(".spoken")).to_have_text(re.compile(r"^3, \d+ Prozent"))
    assert field.js("({ shadowRoot }) => shadowRoot.querySelector('.recognizer').lang") == "de"


def test_its_language_can_change_and_one_that_it_does_not_know_is_english(fields):
    [own, _] = fields("spoken", "own", "around")
    for language, clear, draw in (("en", "Clear", "Draw a digit"), ("de", "Löschen", "Ziffer schreiben"), ("tlh", "Clear", "Draw a digit")):
        own.js("(element, language) => { element.lang = language; }", language)
        expect(own.by("clear")).to_have_text(clear)
        expect(own.host.locator(".hint")).to_have_text(draw)
    assert own.js("({ shadowRoot }) => shadowRoot.querySelector('.recognizer').lang") == "en"


# Look

SHEET = "({ shadowRoot }) => getComputedStyle(shadowRoot.querySelector('.sheet')).backgroundColor"
SLATE, PAPER = "rgb(39, 45, 49)", "rgb(255, 253, 248)"


@pytest.mark.parametrize("system", ["dark", "light"])
def test_a_theme_holds_whatever_the_system_says(fields, system):
    dark, light, auto = fields("dressed", "dark", "light", "auto", color_scheme=system)
    assert (dark.js(SHEET), light.js(SHEET)) == (SLATE, PAPER)
    assert auto.js(SHEET) == (SLATE if system == "dark" else PAPER)
    dark.js("(element) => { element.theme = 'light'; }")
    auto.js("(element) => { element.theme = 'dark'; }")
    assert (dark.js(SHEET), auto.js(SHEET)) == (PAPER, SLATE)
    dark.js("(element) => { element.theme = 'auto'; }")
    assert dark.js(SHEET) == (SLATE if system == "dark" else PAPER)


def test_ink_on_the_pad_has_the_colour_of_the_theme(fields):
    dark, light, _ = fields("dressed", "dark", "light", "auto", color_scheme="light")
    inked = """async ({ shadowRoot }) => {
      await new Promise(requestAnimationFrame);
      const pad = shadowRoot.querySelector(".pad");
      return [...pad.getContext("2d").getImageData(pad.width / 2, pad.height / 2, 1, 1).data];
    }"""
    for field, colour in ((dark, [196, 211, 238, 255]), (light, [32, 57, 111, 255])):
        field.reads([[(140, 60), (140, 220)]], "1")
        assert field.js(inked) == colour


def test_parts_and_custom_properties_can_be_styled_from_outside(fields):
    [auto] = fields("dressed", "auto")
    style = "({ shadowRoot }, [selector, name]) => getComputedStyle(shadowRoot.querySelector(selector))[name]"
    assert auto.js(style, [".hint", "letterSpacing"]) == "7px"
    assert auto.js(style, [".prediction", "color"]) == "rgb(1, 2, 3)"


@pytest.mark.parametrize("how", ["slow", "breaks off once"])
def test_under_a_service_worker_of_the_page_itself_all_is_as_without(dist, new_visit, tmp_path, how):
    broken = []

    def send(handler, source, outputfile):
        with suppress(ConnectionError):  # the page has cancelled it
            while part := source.read(65_536):
                outputfile.write(part)
                if handler.path.endswith("/heap.bin.gz"):
                    if how == "slow":
                        time.sleep(0.13)  # of a hundred parts
                    elif not broken:
                        return broken.append(handler.path)

    (tmp_path / "index.html").write_text(page_with('<digit-recognizer id="a"></digit-recognizer>'), encoding="utf-8")
    (tmp_path / "before.html").write_text(HEAD.format(lang="en"), encoding="utf-8")
    (tmp_path / "sw.js").write_text(OWN_WORKER, encoding="utf-8")
    with guests(dist, tmp_path, copyfile=send) as address:
        script = next((tmp_path / "inkling").glob("app-*/js/downloads.js"))
        script.write_text(script.read_text(encoding="utf-8").replace("STALLED_AFTER = 30_000", "STALLED_AFTER = 8_000"), encoding="utf-8")
        visit = new_visit(address)
        visit.expecting("heap.bin|net::ERR")
        visit.open("before.html").page.evaluate(CONTROLLED)
        visit.open()
        field = Field(visit.page, "a").ready()
        assert visit.page.evaluate("navigator.serviceWorker.controller.scriptURL").endswith("/sw.js")
        boot = field.js("async (element) => (await element.recognizer.health()).boot")
        assert (boot["path"], boot["why_not_faster"]) == ("snapshot", None)
