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
