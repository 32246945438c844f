"""site/js/status.js: what the one line says, and when."""

import json

import pytest

from builder.common import SITE

BEGIN = f"""
import {{ mock }} from "node:test";
import {{ Status }} from {json.dumps((SITE / "js" / "status.js").as_uri())};
globalThis.window = globalThis;
mock.timers.enable({{ apis: ["setTimeout"] }});
const part = () => ({{ dataset: {{}}, textContent: "", hidden: false, now: "", firstElementChild: {{ style: {{}} }}, addEventListener() {{}}, setAttribute(_, value) {{ this.now = value; }} }});
const parts = Object.fromEntries(["text", "bytes", "progress", "action"].map((name) => ["." + name, part()]));
const t = Object.assign((text, ...values) => values.reduce((said, value) => said.replace("{{}}", value), text), {{ decimal: (number) => number.toFixed(1) }});
const status = new Status({{ ...part(), querySelector: (name) => parts[name] }}, t);
const shown = () => [parts[".text"].textContent, parts[".bytes"].textContent, parts[".progress"].now];
const said = [];
const half = {{ stage: "python", loaded: 5e6, total: 1e7 }};
"""
AT_FIRST, HALF = ["Fetching Python", "", "0"], ["Starting Python", ", 5.0 of 10.0 MB", "50"]


@pytest.fixture
def run(run_script):
    """What stands in the line after each step of a script that calls `say`."""
    return lambda script: run_script(f"{BEGIN}const say = () => said.push(shown());\n{script}\nconsole.log(JSON.stringify(said));")


def test_how_far_loading_has_come_shows_only_if_it_takes_longer_than_a_moment(run):
    assert run("""
        status.loading(); say();
        status.progress(half); say();
        mock.timers.tick(999); say();
        mock.timers.tick(1); say();
        status.progress({ ...half, stage: "ready", loaded: 1e7 }); say();
    """) == [AT_FIRST, AT_FIRST, AT_FIRST, HALF, ["Almost there", ", 10.0 of 10.0 MB", "100"]]


def test_what_is_over_soon_never_showed_it(run):
    ready, failed = run("""
        status.loading(); status.progress(half); status.ready();
        mock.timers.tick(5000); say();
        status.loading(); status.progress(half); status.failed({ message: "It broke.", hint: "Reload." }, () => {});
        mock.timers.tick(5000); say();
    """)
    assert ready == ["Ready", "", "0"] and failed == ["It broke. Reload.", "", "0"]


def test_a_second_try_begins_its_moment_anew(run):
    assert run("""
        status.loading(); mock.timers.tick(1000); status.progress(half); say();
        status.loading(); status.progress(half); say();
        mock.timers.tick(1000); say();
    """) == [HALF, AT_FIRST, HALF]
