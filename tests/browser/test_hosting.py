"""dist/ on other hosts: below a path, on a server that knows nothing of it, and with the page's security policy where it is sent."""

import re
import subprocess
import sys
from urllib.request import urlopen

import pytest
from conftest import _close, _left, serving
from hand import digit

from builder.headers import POLICY

# DESIGN 8, word for word: nothing of it may be loosened without this test being told.
STRICT = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "'wasm-unsafe-eval'"],
    "connect-src": ["'self'"],
    "worker-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'"],
    "manifest-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
}
LOADED = '() => performance.getEntriesByType("resource").map(({ name }) => name)'


@pytest.fixture
def plain_server(dist):
    """The address of dist/ on Python's own file server: no headers, no compression, no idea of .mjs being special."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(dist)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            port = re.search(r"port (\d+)", process.stdout.readline())[1]
            yield f"http://localhost:{port}/"
        finally:
            process.kill()


def use(visit) -> None:
    """What every host must make possible: draw, read, change the network."""
    assert visit.read(digit(3)) == "3"
    visit.on_element("(element) => element.useModel('mlp-128-64')")
    assert visit.read(digit(7)) == "7"
    assert visit.on_element("(element) => element.prediction.model") == "mlp-128-64"


def test_the_site_works_below_a_path_now_and_offline(dist, new_visit):
    with serving(dist, prefix="/some/sub(path)+1/") as server:  # names that mean something in the rules of sw.js, too
        visit = new_visit(server.url).open().ready()
        use(visit)
        visit.offline_ready()
        assert all(address.startswith(visit.url) for address in visit.page.evaluate(LOADED))
    visit.page.reload()
    visit.ready()
    use(visit)


def test_the_site_works_on_any_static_server(plain_server, new_visit):
    visit = new_visit(plain_server).open().ready()
    use(visit)
    visit.offline_ready()


def test_every_answer_of_our_server_carries_the_policy_and_nothing_offends_it(site, new_visit):
    assert {name: values for name, *values in (part.split() for part in POLICY.split(";"))} == STRICT
    visit = new_visit(site)
    answers = []
    visit.page.on("response", lambda response: answers.append(response))
    visit.open().ready()
    use(visit)
    sent = {answer.url: answer.headers.get("content-security-policy") for answer in answers if answer.url.startswith(site)}
    assert {"", "worker.js", "pyodide.asm.wasm"} <= {url.rpartition("/")[2] for url in sent}
    assert set(sent.values()) == {POLICY}


def test_a_page_of_the_policy_that_offends_it_is_noticed(site, new_visit):
    """The watch that all these tests keep over the console and the policy is awake."""
    visit = new_visit(site).open()
    visit.page.evaluate('() => { document.body.append(Object.assign(new Image(), { src: "http://example.invalid/spy.png" })); }')
    visit.page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    problems = visit.problems()
    assert any("img-src" in problem and problem.startswith("policy:") for problem in problems)
    assert any(problem.startswith("error:") for problem in problems)


def test_what_a_page_complained_of_before_it_was_closed_is_still_told(_visits, site):
    visit = _visits(site).open()
    visit.page.evaluate("() => console.error('too late?')")
    _close([visit])
    told = _left.copy()
    _left.clear()  # or this test would fail
    assert told == ["error: too late?"]


def test_the_door_for_embedders_is_where_it_always_is(site):
    with urlopen(site + "js/inkling.js") as answer:
        assert re.fullmatch(r'export \* from "\.\./app-[0-9a-f]+/js/inkling\.js";\n', answer.read().decode())
