"""Each test here runs in three engines, one after another. A test fails if the browser complained of anything that it did not announce."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from builder.assemble import build
from builder.common import DIST

RESULTS = Path(__file__).parent.parent.parent / "test-results"
ENGINES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit"}

_tabs: list = []  # those of the test that runs


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engines)


@pytest.fixture(scope="session")
def dist() -> Path:
    """The built site; `build.py test` has made it just before."""
    return DIST if (DIST / "index.html").is_file() else build()


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    """One browser after another, each open until all its tests are done."""
    if not os.environ.get("INKLING_ALL") and request.config.option.markexpr != "engines":
        pytest.skip("Firefox and WebKit run with: python build.py test --all")
    try:
        drivers = import_module(f"engines.{request.param}")
        from engines.engine import NotHere
    except ImportError as error:
        pytest.fail(f"the three engines need selenium ({error}). Run them with: python build.py test --all", pytrace=False)
    try:
        engine = getattr(drivers, ENGINES[request.param])()
    except NotHere as reason:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{reason}. In CI no engine may be missing", pytrace=False)
        pytest.skip(f"NOT RUN: {reason}")
    yield engine
    engine.close()


@pytest.fixture
def visit(engine):
    """visit(url) -> a Tab. All tests of an engine share its profile: a server on a port of its own makes a first visit."""
    from engines.tab import Tab

    def visit(url: str) -> Tab:
        _tabs[:] = [Tab(engine, url)]
        return _tabs[0]

    return visit


@pytest.fixture(autouse=True)
def no_surprises():
    """Fails a test during which the page complained. Afterwards the page and its worker are gone."""
    from engines.reports import reports

    _tabs.clear()
    reports()
    yield
    problems = [text for tab in _tabs for text in [*tab.problems(), *filter(tab.is_surprise, reports())]]
    for tab in _tabs:
        tab.engine.open("about:blank")
    assert not problems, "the browser complained:\n" + "\n".join(problems)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        folder = RESULTS / re.sub(r"[^\w.-]+", "-", item.name)
        shutil.rmtree(folder, ignore_errors=True)
        for tab in _tabs:
            with suppress(Exception):  # a browser that has died has none, and must not hide why
                tab.keep_evidence(folder)
    return report
