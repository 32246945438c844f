"""After one visit everything works without network, and a new version replaces the old one whole or not at all."""

import re
import shutil
import threading
import time

import pytest
from conftest import serving
from hand import digit
from playwright.sync_api import expect
from visit import BOOT, Visit

from builder.assemble import build
from builder.common import SITE, sha256
from builder.server import Handler

# Looks for a new version until one has got as far as is asked for: "installed" (it waits to be accepted) or "redundant" (given up).
UPDATE = """
async (wanted) => {
  const registration = await navigator.serviceWorker.getRegistration();
  const reached = new Promise((resolve) => registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => worker.state === wanted && resolve(wanted));
  }));
  const late = new Promise((resolve) => setTimeout(resolve, 60_000, `not ${wanted} within a minute`));
  const look = () => registration.update().catch(() => {}); // its failure shows in the state
  const looking = setInterval(look, 3000); // the browser also looks by itself, and takes two such wishes for one
  look();
  return Promise.race([reached, late]).finally(() => clearInterval(looking));
}
"""
# Of which versions the page's own parts are.
PARTS = """
() => [...new Set(performance.getEntriesByType("resource").map(({ name }) => /app-[0-9a-f]+/.exec(name)?.[0]).filter(Boolean))]
"""

# What has become of a new version, from where a page stands.
WORKERS = """
async () => {
  const { active, waiting, installing } = await navigator.serviceWorker.getRegistration();
  const states = { controller: navigator.serviceWorker.controller, active, waiting, installing };
  return { title: document.title, text: document.querySelector("digit-recognizer").shadowRoot.textContent.includes("new version"),
    ...Object.fromEntries(Object.entries(states).map(([name, worker]) => [name, worker?.state ?? null])) };
}
"""


@pytest.fixture(scope="module")
def next_dist(tmp_path_factory):
    """The next version: its markup and its script both say so."""
    folder = tmp_path_factory.mktemp("next")
    site = shutil.copytree(SITE, folder / "site")
    page, script = site / "index.html", site / "js" / "page.js"
    page.write_text(page.read_text(encoding="utf-8").replace("<title>Inkling</title>", "<title>Next</title>"), encoding="utf-8")
    script.write_text(script.read_text(encoding="utf-8") + '\ndocument.documentElement.dataset.version = "next";\n', encoding="utf-8")
    return build(dist=folder / "dist", site=site, compress=False)


@pytest.fixture
def damaged_dist(next_dist, tmp_path):
    """The next version as a broken upload left it: one file is not what the list says."""
    copy = shutil.copytree(next_dist, tmp_path / "dist")
    damaged = next(copy.glob("app-*/js/bars.js"))
    damaged.write_text(damaged.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return copy


def expect_version(visit: Visit, name: str) -> None:
    """The page is wholly of that version: markup, script, and every part it has loaded from one folder."""
    expect(visit.page).to_have_title({"old": "Inkling", "next": "Next"}[name], timeout=BOOT)
    visit.ready()
    assert visit.page.evaluate("document.documentElement.dataset.version ?? 'old'") == name
    assert len(visit.page.evaluate(PARTS)) == 1


def expect_no_network(visit: Visit) -> None:
    visit.expecting("ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED")
    assert visit.page.evaluate("fetch('nothing-of-ours').then(() => 'answered', () => 'no network')") == "no network"


def test_after_one_visit_everything_works_without_a_server(dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
    expect_no_network(visit)
    visit.page.reload()
    visit.ready().offline_ready()
    assert visit.read(digit(5)) == "5"
    for model in ("mlp-128-64", "mlp-256-128", "convnet"):
        visit.page.get_by_role("combobox", name="Network").select_option(model)
        visit.page.wait_for_url(f"**#model={model}")
        assert visit.read(digit(3)) == "3"
        assert visit.on_element("(element) => element.prediction.model") == model
    visit.page.goto(visit.url + "index.html?from=home-screen#model=mlp-128-64")
    assert visit.ready().read(digit(8)) == "8"


def test_small_files_are_kept_a_few_at_a_time(dist, new_visit):
    lock, running, most = threading.Lock(), 0, 0

    class Slow(Handler):
        def send_whole(self, *answer):
            nonlocal running, most
            if self.headers.get("Sec-Fetch-Dest") != "empty" or not self.path.endswith(".js"):  # what the page itself wants it imports
                return super().send_whole(*answer)
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            super().send_whole(*answer)
            with lock:
                running -= 1

    with serving(dist) as server:
        server.RequestHandlerClass = Slow
        new_visit(server.url).open().ready().offline_ready()
    assert 2 <= most <= 6


WAYS = """
() => "workerFinalSourceType" in PerformanceResourceTiming.prototype && Object.fromEntries(
  ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type)).map((entry) => [entry.name.split("/").pop(), entry.workerFinalSourceType]))
"""


def test_a_browser_that_can_takes_page_and_scripts_from_the_cache_without_the_service_worker(site, new_visit):
    visit = new_visit(site).open().ready().offline_ready()
    visit.page.reload()
    visit.ready()
    ways = visit.page.evaluate(WAYS)
    if not ways:
        pytest.skip("this browser does not tell where a file came from")
    assert {ways[name] for name in ("", "style.css", "ahead.js", "page.js")} == {"cache"}


STARTED = "async (element) => (await element.recognizer.health()).boot"

HASHED = """
const { digest } = SubtleCrypto.prototype;
self.hashed = 0; // bytes
SubtleCrypto.prototype.digest = function (name, data) {
  self.hashed += data.byteLength;
  return digest.call(this, name, data);
};
"""


@pytest.fixture
def telling_dist(tmp_path):
    """A version whose worker says how much it has hashed."""
    site = shutil.copytree(SITE, tmp_path / "site")
    worker = site / "js" / "worker.js"
    worker.write_text(HASHED + worker.read_text(encoding="utf-8"), encoding="utf-8")
    return build(dist=tmp_path / "dist", site=site, compress=False)


def test_the_heap_that_the_service_worker_has_checked_is_not_hashed_again(telling_dist, new_visit):
    heap, scripts, modules = (sum(path.stat().st_size for path in telling_dist.glob(pattern) if ".secondary." not in path.name) for pattern in (
        "heap-*/heap.bin", "runtime-*/pyodide*.mjs", "runtime-*/*.wasm"))
    with serving(telling_dist) as server:
        visit = new_visit(server.url)
        visit.page.add_init_script(HASHED)
        visit.open().ready()
        first = [by.evaluate("self.hashed") for by in (visit.page, visit.page.workers[0])]
        visit.offline_ready()
        visit.page.reload()
        visit.ready()
        assert visit.page.evaluate("self.hashed") == 0  # it has the heap come
        again = visit.page.workers[0].evaluate("self.hashed")
    assert first[0] >= heap + modules and first[1] >= scripts  # each what it has had come
    assert scripts + modules <= again < scripts + modules + heap  # by the worker, which compiles; what comes in idle time is smaller; these are hashed at every start
    assert visit.on_element(STARTED)["path"] == "snapshot"


FETCHED = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => /\\.(wasm|bin)$/.test(name) && !name.endsWith(".secondary.wasm")).map(({ name, workerStart }) => [name.split("/").pop(), workerStart > 0])"""
WEBASSEMBLY = ("_multiarray_umath.wasm", "_umath_linalg.wasm", "pyodide.asm.wasm")


SECOND_HALVES = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.endsWith(".secondary.wasm")).map(({ name }) => name.split("/").pop()).sort()"""


def fetched(by) -> list[tuple[str, bool]]:
    """What a page or its worker has had come of WebAssembly and heap to start with, by name, and whether a service worker gave it."""
    return sorted(map(tuple, by.evaluate(FETCHED)))


def second_halves(by) -> list[str]:
    """Of the WebAssembly those that come when there is time."""
    return by.evaluate(SECOND_HALVES)


MACHINE_CODE_KEPT = "() => performance.getEntriesByName('inkling:machine-code').length"


def wait_for_machine_code(visit, worker):
    deadline = time.monotonic() + BOOT / 1000
    while not worker.evaluate(MACHINE_CODE_KEPT):
        assert time.monotonic() < deadline, visit.log
        visit.page.wait_for_timeout(100)


def test_page_and_worker_share_what_comes_and_what_the_page_compiled_is_compiled_once_more(site, new_visit):
    visit = new_visit(site).open().ready()
    (worker,) = visit.page.workers
    kept = [(name, True) for name in WEBASSEMBLY]
    assert fetched(visit.page) == sorted((name, False) for name in (*WEBASSEMBLY, "heap.bin")) and fetched(worker) == []
    later = [name.replace(".wasm", ".secondary.wasm") for name in WEBASSEMBLY]
    visit.offline_ready()
    wait_for_machine_code(visit, worker)
    assert fetched(worker) == kept
    assert second_halves(worker) == later and second_halves(visit.page) == []  # once each, and by the worker, which compiles them itself
    assert visit.read(digit(4)) == "4"
    visit.page.reload()
    visit.ready().offline_ready()
    visit.page.wait_for_timeout(3000)  # longer than a worker waits that has nothing to do
    assert fetched(visit.page) == [("heap.bin", True)]
    assert fetched(visit.page.workers[0]) == kept  # once each: what it has compiled itself is kept anyway
    assert second_halves(visit.page.workers[0]) == later and second_halves(visit.page) == []


TRAIN = """({ recognizer }) => {
  window.training = new AbortController();
  recognizer.train({ arch: "784-20-10", epochs: 1000 }, { signal: training.signal }).catch(() => {});
}"""


def test_machine_code_can_wait_for_a_training(site, new_visit):
    visit = new_visit(site).open().ready()
    (worker,) = visit.page.workers
    visit.on_element(TRAIN)
    visit.offline_ready()
    visit.page.wait_for_timeout(3000)
    assert fetched(worker) == []
    visit.page.evaluate("() => training.abort()")
    wait_for_machine_code(visit, worker)


@pytest.mark.thorough
def test_two_copies_on_one_host_leave_each_other_their_files(dist, next_dist, new_visit, tmp_path):
    for name, version in (("a", dist), ("b", next_dist)):
        shutil.copytree(version, tmp_path / name, ignore=shutil.ignore_patterns("*.br"))
    with serving(tmp_path) as server:
        visit = new_visit(server.url)
        for name in ("a", "b"):
            visit.open(f"{name}/").ready().offline_ready()
    expect_no_network(visit)
    for name, version in (("a", "old"), ("b", "next")):
        visit.open(f"{name}/")
        expect_version(visit, version)
        assert visit.read(digit(2)) == "2"


SPOIL = """
async (name) => {
  for (const key of await caches.keys()) {
    const cache = await caches.open(key);
    for (const request of await cache.keys()) {
      if (!request.url.endsWith(name)) continue;
      const response = await cache.match(request);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const { headers } = response;
      bytes.fill(0x55, bytes.length / 2, bytes.length / 2 + 64);
      await cache.put(request, new Response(bytes, { headers }));
    }
  }
}
"""


KEPT = """
async (name) => {
  for (const key of await caches.keys()) {
    const cache = await caches.open(key);
    for (const request of await cache.keys()) {
      if (!request.url.endsWith(name)) continue;
      const digest = await crypto.subtle.digest("SHA-256", await (await cache.match(request)).arrayBuffer());
      return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  }
}
"""


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["heap.bin", "pyodide.asm.mjs", "pyodide.asm.wasm", "_multiarray_umath.wasm"])
def test_what_went_bad_in_the_cache_is_noticed_and_fetched_anew(dist, new_visit, name):
    right = sha256(next(dist.rglob(name)).read_bytes())
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        visit.expecting("Unexpected token")
        visit.page.evaluate(SPOIL, name)
        visit.open().ready()
        assert visit.page.evaluate(KEPT, name) == right
        boot = visit.on_element(STARTED)
        assert boot["path"] == "snapshot" and boot["why_not_faster"] is None
    visit.open().ready()  # without network: what is kept is right again
    boot = visit.on_element(STARTED)
    assert boot["path"] == "snapshot" and boot["why_not_faster"] is None
    visit.draw(digit(5))
    assert visit.answer() == "5"


# Before sw.js: once it is told so, nothing more can be kept.
FULL = """
addEventListener("message", ({ data }) => {
  if (data === "full") Cache.prototype.put = async () => { throw new DOMException("no room", "QuotaExceededError"); };
});
"""


@pytest.mark.thorough
def test_what_is_fetched_anew_is_used_though_the_disk_is_full(dist, new_visit, tmp_path):
    copy = shutil.copytree(dist, tmp_path / "dist", ignore=shutil.ignore_patterns("*.br", "sw.js.gz", "inkling.html"))
    (copy / "sw.js").write_text(FULL + (copy / "sw.js").read_text(encoding="utf-8"), encoding="utf-8")
    with serving(copy) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        visit.page.evaluate(SPOIL, "heap.bin")
        visit.page.evaluate("navigator.serviceWorker.controller.postMessage('full')")
        visit.open().ready()
        boot = visit.on_element(STARTED)
        assert boot["path"] == "snapshot" and boot["why_not_faster"] is None
        visit.draw(digit(5))
        assert visit.answer() == "5"


@pytest.mark.thorough
def test_files_that_the_browser_threw_away_are_fetched_again_before_offline_use_is_promised(dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        visit.page.evaluate("async () => { for (const name of await caches.keys()) await caches.delete(name); }")
        visit.page.reload()
        visit.ready().offline_ready()
    expect_no_network(visit)
    visit.page.reload()
    assert visit.ready().read(digit(5)) == "5"


# As another tab does where its person accepts the new version.
ACCEPT = """
async () => {
  const { waiting } = await navigator.serviceWorker.getRegistration();
  const activated = new Promise((resolve) => waiting.addEventListener("statechange", () => waiting.state === "activated" && resolve()));
  waiting.postMessage("activate");
  await activated;
}
"""


@pytest.mark.thorough
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another tab before"])
def test_after_a_hard_reload_a_new_version_can_be_accepted(elsewhere, dist, next_dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        with visit.page.expect_navigation():
            visit.context.new_cdp_session(visit.page).send("Page.reload", {"ignoreCache": True})
        visit.ready().offline_ready()
        assert visit.page.evaluate("navigator.serviceWorker.controller") is None
        server.directory = next_dist
        assert visit.page.evaluate(UPDATE, "installed") == "installed"
        if elsewhere:
            visit.page.evaluate(ACCEPT)
        visit.by("action").click()
        expect_version(visit, "next")


def test_a_new_version_waits_until_it_is_accepted_and_the_drawing_survives(dist, next_dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        server.directory = next_dist
        visit.page.reload()
        expect(visit.status).to_contain_text("new version", timeout=BOOT)
        expect_version(visit, "old")
        assert visit.read(digit(4)) == "4"
        visit.page.reload()  # not accepted yet
        expect_version(visit, "old")
        assert visit.answer() == "4"
        expect(visit.status).to_contain_text("new version", timeout=BOOT)
        strokes = visit.on_element("(element) => element.strokes")
        visit.by("action").click()
        expect_version(visit, "next")
        assert visit.on_element("(element) => element.strokes") == strokes
        assert visit.answer() == "4"
    expect_no_network(visit)
    visit.page.reload()
    expect_version(visit, "next")
    assert len(visit.page.evaluate("caches.keys()")) == 1  # nothing of the old one is kept


@pytest.mark.thorough
def test_two_tabs_end_on_the_same_version_each_with_its_drawing(dist, next_dist, new_visit):
    with serving(dist) as server:
        one = new_visit(server.url).open().ready().offline_ready()
        other = Visit(one.context, one.url).open().ready()
        for tab, drawn in ((one, 2), (other, 6)):
            tab.page.bring_to_front()  # as who draws in it has it
            assert tab.read(digit(drawn)) == str(drawn)
        server.directory = next_dist
        assert one.page.evaluate(UPDATE, "installed") == "installed"
        for tab in (one, other):
            expect(tab.status).to_contain_text("new version", timeout=BOOT)
        other.by("action").click()
        try:
            expect(one.page).to_have_title("Next", timeout=BOOT)
        except AssertionError:
            pytest.fail(f"one: {one.page.evaluate(WORKERS)}\nother: {other.page.evaluate(WORKERS)}")
        for tab, answer in ((one, "2"), (other, "6")):
            expect_version(tab, "next")
            assert tab.answer() == answer
            assert not tab.problems()


@pytest.mark.thorough
def test_a_version_with_a_wrong_file_is_not_installed_until_it_is_put_right(dist, damaged_dist, next_dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        server.directory = damaged_dist
        assert visit.page.evaluate(UPDATE, "redundant") == "redundant"
        expect(visit.status).not_to_contain_text("new version")
        assert visit.read(digit(9)) == "9"
        visit.page.reload()
        expect_version(visit, "old")
        assert visit.read(digit(0)) == "0"
        server.directory = next_dist
        assert visit.page.evaluate(UPDATE, "installed") == "installed"  # though the browser's own cache was told to keep the wrong file for a year
        visit.by("action").click()
        expect_version(visit, "next")


# `installed` tells what became of the worker that the page registers, whether it has done so yet or not.
OUTCOME = """
const { register } = ServiceWorkerContainer.prototype;
let tell;
window.installed = new Promise((resolve) => (tell = resolve));
ServiceWorkerContainer.prototype.register = async function (...given) {
  const registration = await register.apply(this, given);
  const worker = registration.installing;
  if (worker) worker.addEventListener("statechange", () => tell(worker.state), { once: true });
  else tell("no worker is installing");
  return registration;
};
"""
# Gives all that is kept a header that no server sends; tells which files those are.
MARK = """
async () => {
  const [name] = await caches.keys();
  const cache = await caches.open(name);
  const requests = await cache.keys();
  for (const request of requests) {
    const response = await cache.match(request);
    const headers = new Headers([...response.headers, ["x-kept", "before"]]);
    await cache.put(request, new Response(await response.arrayBuffer(), { headers }));
  }
  return requests.map(({ url }) => url);
}
"""
MARKED = """
async () => {
  const [name] = await caches.keys();
  const cache = await caches.open(name);
  const marked = async (request) => [request.url, (await cache.match(request)).headers.has("x-kept")];
  return Object.fromEntries(await Promise.all((await cache.keys()).map(marked)));
}
"""


def test_a_first_visit_to_a_half_uploaded_site_works_and_promises_nothing(damaged_dist, new_visit):
    with serving(damaged_dist) as server:
        visit = new_visit(server.url)
        visit.page.add_init_script(OUTCOME)
        visit.open().ready()
        assert visit.read(digit(1)) == "1"
        assert visit.page.evaluate("window.installed") == "redundant"
        expect(visit.status).not_to_have_attribute("data-offline", re.compile("."))


@pytest.mark.thorough
def test_an_install_that_was_interrupted_goes_on_where_it_ended(damaged_dist, next_dist, new_visit):
    with serving(damaged_dist) as server:
        visit = new_visit(server.url)
        visit.page.add_init_script(OUTCOME)
        visit.open().ready()
        assert visit.page.evaluate("window.installed") == "redundant"
        begun = visit.page.evaluate(MARK)
        assert begun and not any(name.endswith("bars.js") for name in begun)
        server.directory = next_dist
        visit.page.reload()
        visit.ready().offline_ready()
        kept = visit.page.evaluate(MARKED)
    assert {name for name, is_marked in kept.items() if is_marked} == set(begun)  # and was not fetched twice
    assert any(name.endswith("bars.js") for name in kept)
    expect_no_network(visit)
    visit.page.reload()
    expect_version(visit, "next")


DENIED = """
const refused = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
for (const name of ["sessionStorage", "localStorage", "indexedDB", "caches"]) Object.defineProperty(window, name, { get: refused });
ServiceWorkerContainer.prototype.register = async () => refused();
"""


def test_the_page_works_where_all_storage_is_denied(site, new_visit):
    visit = new_visit(site)
    visit.expecting("Not kept for use without network|insecure")
    visit.page.add_init_script(DENIED)
    visit.open().ready()
    assert visit.read(digit(2)) == "2"
    visit.page.get_by_role("combobox").select_option("mlp-128-64")
    visit.page.wait_for_url("**#model=mlp-128-64")
    assert visit.read(digit(3)) == "3"


def test_the_page_works_where_there_are_no_service_workers(site, new_visit):
    visit = new_visit(site)
    visit.page.add_init_script("delete Navigator.prototype.serviceWorker")
    visit.open().ready()
    assert visit.page.evaluate("navigator.serviceWorker === undefined")
    assert visit.read(digit(2)) == "2"
    expect(visit.status).to_have_attribute("data-state", "ready")
    expect(visit.status).not_to_have_attribute("data-offline", re.compile("."))


def test_losing_the_network_is_said_and_is_no_error(site, new_visit):
    visit = new_visit(site).open().ready().offline_ready()
    visit.context.set_offline(True)
    expect(visit.status).to_contain_text("No network")
    assert visit.read(digit(7)) == "7"
    visit.ready()
    visit.context.set_offline(False)
    expect(visit.status).not_to_contain_text("No network")


def fill_storage(visit: Visit, left: int) -> None:
    """From now on there is room for so many bytes more, and no more."""
    origin = visit.url.rstrip("/")
    session = visit.context.new_cdp_session(visit.page)
    used = session.send("Storage.getUsageAndQuota", {"origin": origin})["usage"]
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": int(used) + left})


def test_where_the_storage_has_no_room_the_page_works_and_promises_nothing(site, new_visit):
    visit = new_visit(site)
    visit.expecting("quota")
    visit.page.add_init_script(OUTCOME)
    fill_storage(visit, 2_000_000)
    for value in (1, 2):
        visit.open().ready()
        assert visit.read(digit(value)) == str(value)
        assert visit.page.evaluate("window.installed") == "redundant"
        expect(visit.status).not_to_have_attribute("data-offline", re.compile("."))


@pytest.mark.thorough
def test_a_new_version_for_which_there_is_no_room_leaves_the_old_one_whole(dist, next_dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        visit.expecting("quota")
        fill_storage(visit, 100_000)
        server.directory = next_dist
        assert visit.page.evaluate(UPDATE, "redundant") == "redundant"
        expect(visit.status).not_to_contain_text("new version")
        assert visit.read(digit(9)) == "9"
    expect_no_network(visit)
    visit.page.reload()
    expect_version(visit, "old")
    assert visit.read(digit(0)) == "0"


@pytest.mark.thorough
def test_what_went_bad_in_the_cache_and_finds_no_room_again_stops_nobody(dist, new_visit):
    with serving(dist) as server:
        visit = new_visit(server.url).open().ready().offline_ready()
        visit.expecting("quota|Failed to load resource|ERR_FAILED|FetchEvent|Could not load")
        visit.page.evaluate(SPOIL, "heap.bin")
        fill_storage(visit, 0)
        visit.open().ready()
        assert visit.read(digit(5)) == "5"
