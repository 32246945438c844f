"""site/js/machine-code.js: what is compiled once more, and what runs then, in which order, and where."""

import json

import pytest

from builder.common import SITE

BEGIN = f"""
import {{ keepMachineCode }} from {json.dumps((SITE / "js" / "machine-code.js").as_uri())};
const done = [];
const given = ["a.wasm", "b.wasm"];
const fetched = async (address) => {{ done.push(`fetch ${{address}}`); return address; }};
const idle = async () => {{ done.push("idle"); }};
const run = () => {{ done.push("run"); }};
WebAssembly.compileStreaming = async (response) => {{ done.push(`compile ${{await response}}`); }};
const browser = (userAgentData) => Object.defineProperty(globalThis, "navigator", {{ value: {{ userAgentData }}, configurable: true }});
const brands = (...names) => browser({{ brands: names.map((brand) => ({{ brand }})) }});
"""


@pytest.fixture
def run(run_script):
    return lambda script: run_script(BEGIN + script)


def test_files_are_compiled_first_and_everything_waits_until_nothing_else_is_asked(run):
    done = run("""
        brands("Not A Brand", "Chromium");
        await keepMachineCode(given, fetched, run, idle);
        console.log(JSON.stringify([...done, ...performance.getEntriesByType("mark").map(({ name }) => name)]));
    """)
    assert done.pop() == "inkling:machine-code"
    assert done[:6] == ["idle", "fetch a.wasm", "compile a.wasm", "idle", "fetch b.wasm", "compile b.wasm"]
    assert len(done) > 206 and done[6:] == ["idle", "run"] * (len(done[6:]) // 2)


@pytest.mark.parametrize("browser", ["browser(undefined);", 'brands("Some Browser");'], ids=["without brands", "another brand"])
def test_another_browser_is_left_alone(run, browser):
    assert run(f"{browser} await keepMachineCode(given, fetched, run, idle); console.log(JSON.stringify(done));") == []


def test_without_the_files_nothing_is_run(run):
    assert run("""
        brands("Chromium");
        const failed = await keepMachineCode(given, () => Promise.reject(new TypeError("no network")), run, idle).catch(({ message }) => message);
        console.log(JSON.stringify([failed, done.includes("run")]));
    """) == ["no network", False]
