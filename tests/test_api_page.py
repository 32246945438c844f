"""docs/api.md is what the comments and types in the scripts say, and what is written by hand beside it is true."""

import re

import pytest

from builder import api_page
from builder.common import SITE, BuildError

PAGE = api_page.PAGE.read_text(encoding="utf-8")
SCRIPTS = {name: (SITE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in ("digit-recognizer", "embedded", "languages")}
COMPILED = pytest.mark.skipif(not api_page.COMPILER.is_file(), reason="the compiler is not installed: npm ci")


@COMPILED
def test_the_page_is_up_to_date():
    assert api_page.api_page() == PAGE, "make it anew: python -m builder.api_page"


@COMPILED
def test_asking_for_what_there_is_not_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(api_page, "TEMPLATE", tmp_path / "api.in.md")
    api_page.TEMPLATE.write_text("<!-- class inkling Nothing -->", encoding="utf-8")
    with pytest.raises(BuildError, match="asks for Nothing"):
        api_page.api_page()


def table(heading):
    """The names in the first column of the table under that heading."""
    rows = PAGE.partition(f"| {heading} | |")[2].partition("\n\n")[0]
    return set(re.findall(r"`([\w-]+)`", "\n".join(row.split("|")[1] for row in rows.splitlines() if row.count("|") > 2)))


def test_the_attributes_are_those_that_the_element_heeds():
    observed = {name for script in SCRIPTS.values() for line in re.findall(r"observedAttributes = \[(.*)\]", script) for name in re.findall(r'"(\w+)"', line)}
    by_the_browser = {"name", "disabled"}
    assert len(observed) > 5
    assert table("attribute") == observed | by_the_browser | {"shortcuts"}


def test_the_events_are_those_that_the_element_sends():
    assert table("event") == set(re.findall(r'this\.dispatchEvent\(new (?:Custom)?Event\("(\w+)"', SCRIPTS["digit-recognizer"]))


def test_the_custom_properties_are_there():
    styles = "".join((SITE / name).read_text(encoding="utf-8") for name in ("paper.css", "digit-recognizer.css"))
    names = table("custom property")
    assert "--pad-size" in names and [name for name in names if f"var({name}" not in styles] == []


def test_the_languages_are_those_that_there_are():
    there = set(re.findall(r"(\w+): \(\) => import", SCRIPTS["languages"])) | {"en"}
    row = next(line for line in PAGE.splitlines() if line.startswith("| `lang`"))
    assert set(re.findall(r"`(\w+)`", row)) - {"lang"} == there


def test_a_comment_becomes_sentences():
    comment = '/**\n * Reads it. @param {{a?: string}} [options] which\n * @returns {Promise<string>} its text\n * @throws {TypeError} if not\n */'
    assert api_page._described(comment) == ["Reads it.", "`options`: which.", "Returns its text.", "Throws TypeError if not."]
