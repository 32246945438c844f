"""The page's JavaScript is what its JSDoc types say: TypeScript's checker, strict, finds nothing."""

import json
import subprocess

import pytest

from builder.common import ROOT
from builder.node import node

TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
pytestmark = pytest.mark.skipif(not TSC.is_file(), reason="the type checker is not installed: npm ci")


def check_types(project):
    """(exit code, what the checker printed) for a tsconfig.json."""
    run = subprocess.run([node(), str(TSC), "--noEmit", "--pretty", "false", "--project", str(project)], capture_output=True, text=True, cwd=ROOT)
    return run.returncode, run.stdout + run.stderr


def test_the_pages_scripts_keep_their_types():
    code, said = check_types(ROOT / "tsconfig.json")
    assert code == 0, said


def test_with_the_projects_settings_the_checker_sees_a_wrong_type(tmp_path):
    (tmp_path / "page.js").write_text('/** @type {number} */\nexport const digit = "7";\n', encoding="utf-8")
    (tmp_path / "tsconfig.json").write_text(json.dumps({"extends": (ROOT / "tsconfig.json").as_posix(), "include": ["*.js"]}), encoding="utf-8")
    code, said = check_types(tmp_path / "tsconfig.json")
    assert code != 0 and "page.js(2,14): error TS2322" in said
