"""axe-core's rules, for the tests that want a page to keep them."""

from pathlib import Path

import pytest
from visit import Visit

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
FINDINGS = """
async () => (await axe.run()).violations.map(({ id, help, nodes }) => `${id}: ${help} at ${nodes.map(({ target }) => target.flat()).join(", ")}`)
"""

needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci")


def assert_accessible(visit: Visit) -> None:
    """The page has to be open with `bypass_csp`: axe-core is put past its security policy."""
    if not visit.page.evaluate("() => 'axe' in window"):
        visit.page.add_script_tag(path=AXE)
    assert visit.page.evaluate(FINDINGS) == []
