"""bench_soak.py, for some seconds: the restored worker trains and predicts, and is still what stock Pyodide is."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from builder.common import ROOT


@pytest.mark.skipif(not os.environ.get("INKLING_ALL"), reason="it takes a minute; it runs with: python build.py test --all")
def test_a_restored_worker_trains_and_predicts_as_stock_pyodide_does(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))  # its scripts find each other beside themselves
    from bench_soak import soak

    # It starts a browser of its own; Playwright wants that in a thread that has none yet.
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(soak, seconds=20).result()
    assert result["problems"] == []
    assert result["boot"]["path"] == "snapshot"
    assert len(result["rounds"]) > 2


@pytest.mark.parametrize("used, sizes, what", [
    ([30, 31, 31, 31], [60, 60, 72, 72], None),  # the heap took the step that it was short of
    ([30, 31, 32, 33], [60, 60, 60, 60], "what is in use"),
    ([30, 31, 31, 31], [60, 60, 72, 86], "the heap"),
    ([30, 40], [60, 90], None),  # two rounds say nothing yet
])
def test_a_leak_is_told_from_a_heap_that_takes_one_step(monkeypatch, used, sizes, what):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from bench_soak import MEGABYTE, growth

    problems = growth([{"size": size * MEGABYTE, "used": bytes_used * MEGABYTE} for size, bytes_used in zip(sizes, used)])
    assert [problem.partition(" grew from")[0] for problem in problems] == ([what] if what else [])
