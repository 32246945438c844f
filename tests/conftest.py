"""What holds for all tests."""

import json
import os

# As trainer/train.py has it: with more threads the last digits of a sum depend on the processor, and some tests compare bit for bit. Before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest  # noqa: E402


@pytest.fixture
def run_script(tmp_path):
    """What a module of JavaScript prints in Node, as JSON."""
    from builder.node import run_node

    def run(script: str):
        (tmp_path / "script.mjs").write_text(script, encoding="utf-8")
        return json.loads(run_node(tmp_path / "script.mjs"))

    return run
