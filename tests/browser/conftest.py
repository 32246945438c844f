"""A browser, a server with dist/, and visits to it. A test fails if the browser complained of anything that the test did not announce."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from serving import serving

from builder.assemble import build
from builder.browsers import find_browser
from builder.common import DIST
from visit import Visit

RESULTS = Path(__file__).parent.parent.parent / "test-results"
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-gpu")

# What a newcomer need not wait for: each of them takes a minute or more. So are single tests elsewhere, which take long or fear much.
THOROUGH = {"test_faults", "test_plain_host", "test_embedding", "test_examples", "test_learning_train", "test_learning_kept",
            "test_learning_race", "test_learning_proof", "test_every_file"}

_open_visits: list[Visit] = []
_left: list[str] = []  # what visits that are closed by now complained of


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if item.path.stem in THOROUGH:
                item.add_marker(pytest.mark.thorough)


@pytest.fixture(scope="session")
def dist() -> Path:
    """The built site; `build.py test` has made it just before."""
    return DIST if (DIST / "index.html").is_file() else build()


@pytest.fixture(scope="session")
def site(dist) -> str:
    """The address of dist/ on a server that sends the page's security policy."""
    with serving(dist) as server:
        yield server.url


@pytest.fixture(scope="session")
def as_written(tmp_path_factory) -> str:
    """The address of a site whose scripts are not bundled: so it is under `build.py serve`, and where there is no bundler."""
    with serving(build(dist=tmp_path_factory.mktemp("written") / "dist", compress=False)) as server:
        yield server.url


@pytest.fixture(scope="session")
def browser():
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*QUIET, *as_root])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _visits(browser):
    def visit(url: str, **context_options) -> Visit:
        made = Visit(browser.new_context(**context_options), url)
        _open_visits.append(made)
        return made

    return visit


@pytest.fixture
def new_visit(_visits):
    """new_visit(url, **options of a browser context) -> a Visit with a fresh profile, closed after the test."""
    before = list(_open_visits)
    yield _visits
    _close([visit for visit in _open_visits if visit not in before])


@pytest.fixture
def at(new_visit, site):
    """at(hash) -> a visit that a link has led to, on a device of its own."""
    return lambda link: new_visit(site, service_workers="block").open(link).ready()


@pytest.fixture
def rough(new_visit):
    """rough(url) -> a Visit to which anything may happen: it complains, and no service worker hides requests from the test."""

    def visit(url: str) -> Visit:
        made = new_visit(url, service_workers="block")
        made.expecting("")
        return made

    return visit


@pytest.fixture
def rough_visit(rough, site) -> Visit:
    return rough(site)


@pytest.fixture(scope="module")
def visit(_visits, site) -> Visit:
    """One booted page for all tests of a module; a test that needs an empty pad begins with `Visit.fresh`."""
    made = _visits(site).open().ready()
    yield made
    _close([made])


def _close(visits: list[Visit]) -> None:
    for made in visits:
        _open_visits.remove(made)
        _left.extend(made.problems())
        made.close()


@pytest.fixture(autouse=True)
def no_surprises():
    """Fails a test during which a page complained."""
    yield
    problems = [*_left, *(text for made in _open_visits for text in made.problems())]
    _left.clear()
    assert not problems, "the browser complained:\n" + "\n".join(problems)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        folder = RESULTS / re.sub(r"[^\w.-]+", "-", item.name)
        shutil.rmtree(folder, ignore_errors=True)
        for i, made in enumerate(_open_visits):
            made.keep_evidence(folder / str(i))
    return report
