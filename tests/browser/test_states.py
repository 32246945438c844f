"""What the page says of itself while it loads, while it thinks, and where it cannot run."""

import re

from hand import digit
from learning import eventually, note, panel
from playwright.sync_api import expect

WATCH_BAR = """
() => {
  const bar = document.querySelector("digit-recognizer").shadowRoot.querySelector("[role=progressbar]");
  window.values = [bar.ariaValueNow];
  new MutationObserver(() => values.push(bar.ariaValueNow)).observe(bar, { attributes: true, attributeFilter: ["aria-valuenow"] });
}
"""
PROGRESS = """
() => ["[role=progressbar]", ".bytes"].map((selector) => document.querySelector("digit-recognizer").shadowRoot.querySelector(selector))
  .map((part) => part.ariaValueNow ?? part.textContent)
"""
# The recogniser gives no answer until `release` is called.
HOLD_ANSWERS = """
({ recognizer }) => {
  const { predict } = Object.getPrototypeOf(recognizer);
  const released = new Promise((resolve) => (window.release = resolve));
  recognizer.predict = async (...given) => (await released, predict.apply(recognizer, given));
}
"""
SEEN_IN_FRAME = """
() => {
  const { contentDocument } = document.querySelector("iframe");
  const [why, advice] = ["noscript", "digit-recognizer > p"].map((selector) => contentDocument.querySelector(selector));
  return [why.checkVisibility() && why.getBoundingClientRect().height > 10 ? why.innerText : "", getComputedStyle(advice).display];
}
"""
AFTER = "(words) => getComputedStyle(words, '::after').content"


def progress(visit) -> tuple[float, float, float]:
    """How many megabytes have come, of how many, and what the bar says in percent: of one moment."""
    value, text = visit.page.evaluate(PROGRESS)
    found = re.fullmatch(r", ([\d.]+) of ([\d.]+) MB", text)
    return (*map(float, found.groups()), float(value)) if found else (0, 0, 0)


def test_while_it_loads_bar_and_bytes_grow_and_in_the_end_they_are_gone(new_visit, site):
    visit = new_visit(site, service_workers="block")
    releases = [visit.hold(f"**/{name}*") for name in ("pyodide.asm.wasm", "heap.bin")]
    visit.open()
    visit.page.evaluate(WATCH_BAR)
    bar = visit.page.get_by_role("progressbar", name="Loading")
    expect(bar).to_be_visible()
    before = 0
    for release in releases:
        eventually(lambda: progress(visit)[0] > before)  # noqa: B023, it is called at once
        loaded, total, percent = progress(visit)
        assert before < loaded < total
        assert abs(percent - 100 * loaded / total) < 1
        before = loaded
        release()
    visit.ready()
    values = [int(value) for value in visit.page.evaluate("values")]
    assert values == sorted(values) and values[-1] == 100
    expect(bar).to_be_hidden()
    expect(visit.page.locator("digit-recognizer .bytes")).to_have_text("")


def test_an_answer_that_takes_long_is_said_to_be_on_its_way_until_it_comes(new_visit, site):
    visit = new_visit(site, service_workers="block").open().ready()
    answer = visit.page.get_by_role("group", name="Answer")
    words = visit.page.locator("digit-recognizer .words")
    assert visit.read(digit(7)) == "7"
    visit.on_element(HOLD_ANSWERS)
    visit.lay(digit(4))
    expect(answer).to_have_attribute("data-slow", "")
    expect(visit.prediction).to_have_attribute("aria-busy", "true")
    assert "still reading" in words.evaluate(AFTER)
    visit.page.evaluate("release()")
    expect(answer).not_to_have_attribute("data-slow", "")
    assert visit.answer() == "4"
    assert words.evaluate(AFTER) == "none"


def test_nothing_that_is_drawn_leaves_the_device_and_the_page_says_so(new_visit, site):
    visit = new_visit(site, service_workers="block").open().ready()
    expect(visit.page.get_by_role("contentinfo")).to_contain_text("Nothing you draw leaves this device.")
    expect(visit.page.get_by_role("contentinfo")).to_be_in_viewport(ratio=1)
    sent = []
    visit.page.on("request", lambda request: sent.append((request.method, request.url, request.post_data)))
    assert visit.read(digit(4)) == "4"
    assert all(method == "GET" and "?" not in url and body is None for method, url, body in sent)  # the rest of Python may still be coming


def test_without_javascript_the_page_says_why_nothing_works(new_visit, site):
    """Within a frame that may run no scripts: where a driver switches them off, noscript stays unseen."""
    visit = new_visit(site)
    frame = '<iframe sandbox="allow-same-origin" src="./" width="1280" height="720"></iframe>'
    visit.page.route("**/frame.html", lambda route: route.fulfill(body=frame, content_type="text/html"))
    visit.expecting("sandboxed")
    visit.open("frame.html")
    why, advice = visit.page.evaluate(SEEN_IN_FRAME)
    assert why.startswith("Inkling needs JavaScript") and advice == "none"


def test_a_tab_of_the_panel_that_does_not_come_is_told_and_comes_after_a_reload(new_visit, site):
    visit = new_visit(site, service_workers="block").open().ready()
    panel(visit, "Train")
    visit.page.route("**/learn/race.js", lambda route: route.abort())
    visit.expecting("race.js|Failed to load resource|could not be loaded")
    visit.page.get_by_role("tab", name="Race").click()
    expect(note(visit)).to_contain_text("A part of the page could not be loaded.")
    expect(visit.page.get_by_role("tabpanel")).to_be_empty()
    visit.page.unroute("**/learn/race.js")
    visit.page.reload()
    visit.ready()
    if not visit.page.get_by_role("tab", name="Race").is_visible():
        panel(visit, "Train")
    visit.page.get_by_role("tab", name="Race").click()
    expect(visit.button("Start the race")).to_be_visible()
