"""examples/: each page is opened and used as somebody who copied it would; the script runs. Screenshots are for docs/: INKLING_SCREENSHOTS names a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guests import Field, guests
from hand import digit, ink_of, number
from PIL import Image
from playwright.sync_api import expect

from builder.common import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def address(dist, tmp_path_factory):
    """The examples on a server, with dist/ beside them as their README says."""
    folder = tmp_path_factory.mktemp("examples") / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("inkling"))
    with guests(dist, folder) as address:
        yield address


def keep_screenshot(page, name: str) -> None:
    if folder := os.environ.get("INKLING_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def write(page, name: str, strokes) -> Field:
    """Draws with the mouse on the field of that name."""
    field = Field(page, name).ready()
    box = field.by("pad").bounding_box()
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + float(x) * box["width"] / 280, box["y"] + float(y) * box["height"] / 280)
            if not i:
                page.mouse.down()
        page.mouse.up()
    return field


def test_the_plain_page_hears_what_was_drawn(address, new_visit):
    visit = new_visit(address, viewport={"width": 680, "height": 820})
    visit.open("plain.html").ready()
    assert visit.read(digit(5)) == "5"
    expect(visit.page.get_by_text("This page heard:")).to_have_text("This page heard: 5, 99 % sure")
    assert visit.by("pad").bounding_box()["width"] == pytest.approx(320, abs=1)
    keep_screenshot(visit.page, "example-plain")


def test_the_form_sends_a_postcode_written_by_hand(address, new_visit):
    visit = new_visit(address, viewport={"width": 760, "height": 640})
    page = visit.open("postcode.html").page
    send, output = page.get_by_role("button", name="Send"), page.locator("output")
    postcode, house = (Field(page, name).ready() for name in ("postcode", "house"))
    assert len(page.workers) == 1

    send.click()  # nothing is drawn yet
    expect(postcode.by("pad")).to_be_focused()
    expect(output).to_have_text("")

    write(page, "postcode", [stroke for drawing in number("8046") for stroke in drawing]).says("8046")
    assert postcode.js("({ validationMessage }) => validationMessage") == "A postcode has five digits."
    postcode.by("clear").click()
    write(page, "postcode", [stroke for drawing in number("80469") for stroke in drawing]).says("80469")
    write(page, "house", digit(7)).says("7")
    send.click()
    expect(output).to_have_text("Would be sent: postcode=80469&house=7")
    keep_screenshot(page, "example-postcode")

    page.get_by_role("button", name="Begin again").click()
    postcode.says("")
    house.says("")


def test_the_script_reads_the_number_in_a_picture(tmp_path):
    ink = ink_of([stroke for drawing in number("2026") for stroke in drawing])
    Image.fromarray(255 - ink).save(tmp_path / "number.png")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "site" / "py")}
    command = [sys.executable, str(EXAMPLES / "read_picture.py"), "number.png"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    first, *rest = run.stdout.splitlines()
    assert (run.returncode, first, len(rest)) == (0, "2026", 4), run.stderr
    assert rest[0].startswith("  2, ")


def test_the_script_says_why_when_there_is_nothing(tmp_path):
    Image.new("L", (60, 60), 255).save(tmp_path / "empty.png")
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / "read_picture.py"), str(tmp_path / "empty.png")],
        env=os.environ | {"PYTHONPATH": str(ROOT / "site" / "py")}, capture_output=True, text=True)  # fmt: skip
    assert run.stdout == "nothing that could be read: empty\n"
