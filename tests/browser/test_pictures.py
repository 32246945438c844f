"""Someone brings a picture instead of drawing: chosen, pasted or dropped, good or bad. What was drawn before is never lost."""

import base64
import io
import re
import struct
import zlib

import numpy as np
import pytest
from hand import digit, ink_of
from PIL import Image
from playwright.sync_api import expect


@pytest.fixture(autouse=True)
def fresh(visit):
    visit.fresh()


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def dark_on_light(value: int) -> Image.Image:
    return Image.fromarray(255 - ink_of(digit(value)))


def light_on_dark(value: int) -> Image.Image:
    return Image.fromarray(ink_of(digit(value)))


def transparent(value: int) -> Image.Image:
    """Black strokes on nothing."""
    ink = ink_of(digit(value))
    return Image.merge("LA", (Image.new("L", ink.shape), Image.fromarray(ink)))


def photograph(value: int) -> Image.Image:
    """Blue ink on paper that is lit from one side, with grain."""
    ink = ink_of(digit(value))[..., None] / 255
    light = np.linspace(0.9, 0.75, 280)[:, None, None]
    grain = np.random.default_rng(0).normal(0, 4, (280, 280, 1))
    rgb = (1 - ink) * np.array([250, 245, 230]) * light + ink * np.array([40, 50, 110]) + grain
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).resize((900, 900))


def enormous_png(side: int = 20_000) -> bytes:
    """A whole, valid PNG of side x side white pixels, one bit each: 50 kB that want 1.6 GB once decoded."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows, packer = b"\0" + b"\xff" * (side // 8), zlib.compressobj(9)
    packed = b"".join(packer.compress(rows) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def choose(visit, body: bytes, name: str = "digit.png", kind: str = "image/png") -> None:
    with visit.page.expect_file_chooser() as chooser:
        visit.page.get_by_role("button", name="picture").click()
    chooser.value.set_files({"name": name, "mimeType": kind, "buffer": body})


def transfer(visit, body: bytes):
    """What a paste or a drop of this PNG carries."""
    return visit.page.evaluate_handle("""(text) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], "digit.png", { type: "image/png" }));
      return data;
    }""", base64.b64encode(body).decode())


@pytest.mark.parametrize("picture", [dark_on_light, light_on_dark, transparent, photograph])
def test_a_chosen_picture_is_read(visit, picture):
    choose(visit, file_of(picture(5)))
    assert visit.answer() == "5"


def test_a_jpeg_is_read(visit):
    choose(visit, file_of(photograph(3), "JPEG"), "digit.jpg", "image/jpeg")
    assert visit.answer() == "3"


def test_the_same_picture_can_be_chosen_twice(visit):
    for _ in range(2):
        choose(visit, file_of(dark_on_light(2)))
        assert visit.answer() == "2"
        visit.clear()


def test_a_pasted_picture_is_read(visit):
    visit.page.evaluate("""(data) => {
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }""", transfer(visit, file_of(dark_on_light(6))))
    assert visit.answer() == "6"


def test_a_dropped_picture_is_read(visit):
    data = transfer(visit, file_of(light_on_dark(9)))
    element = visit.page.locator("digit-recognizer")
    visit.page.locator("body").dispatch_event("dragover", {"dataTransfer": data})
    expect(element).to_have_attribute("data-drop", "")
    visit.page.locator("body").dispatch_event("drop", {"dataTransfer": data})
    expect(element).not_to_have_attribute("data-drop", "")
    assert visit.answer() == "9"


def test_a_picture_that_has_to_be_scaled_down_is_read(visit):
    wide = Image.new("L", (4200, 1000), 255)  # more than 4096 a side: the browser scales it down as it decodes
    wide.paste(dark_on_light(8).resize((1000, 1000)), (2000, 0))
    choose(visit, file_of(wide, "JPEG"), "digit.jpg", "image/jpeg")
    assert visit.answer() == "8"


def test_the_drawing_is_still_there_behind_a_picture(visit):
    visit.lay(digit(4))
    visit.answer()
    choose(visit, file_of(dark_on_light(0)))
    expect(visit.prediction).to_have_text("0")
    visit.by("undo").click()
    assert visit.answer() == "4"


def test_a_stroke_begins_a_new_drawing_where_a_picture_was(visit):
    choose(visit, file_of(dark_on_light(0)))
    assert visit.answer() == "0"
    visit.draw([[(140, 60), (140, 220)]])
    assert visit.answer() == "1"


@pytest.mark.parametrize(("body", "complaint"), [
    (b"Dear diary, today I drew a seven.", "no picture"),
    (file_of(dark_on_light(5))[:40], "no picture"),
    (file_of(dark_on_light(5))[:900], "could not be decoded"),
    (b"", "no picture"),
    (enormous_png(), "400 megapixels"),
], ids=["no image", "half a header", "half a picture", "nothing", "20,000 x 20,000"])
def test_a_file_that_can_not_be_read_is_refused_and_the_drawing_stays(visit, body, complaint):
    visit.lay(digit(4))
    visit.answer()
    choose(visit, body)
    expect(visit.status).to_contain_text(complaint)
    expect(visit.status).to_have_attribute("data-state", "ready")
    assert visit.answer() == "4"
    assert visit.n_strokes() == len(digit(4))


@pytest.mark.parametrize("picture", [
    Image.new("L", (1, 1)),
    Image.new("L", (300, 300), 255),
    Image.new("RGB", (40, 300), (200, 30, 30)),
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)),
], ids=["1 x 1", "white", "red", "transparent"])
def test_a_picture_without_ink_has_no_answer_and_the_drawing_comes_back(visit, picture):
    visit.lay(digit(4))
    visit.answer()
    choose(visit, file_of(picture))
    expect(visit.prediction).to_have_text("")
    expect(visit.prediction).to_have_attribute("aria-busy", "false")
    expect(visit.by("doubt")).to_have_text("Nothing to read")
    visit.by("undo").click()
    assert visit.answer() == "4"


def test_a_drawing_in_svg_is_read(visit):
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" width="280" height="280">
      <path d="M140 60V220" stroke="#123" stroke-width="20" stroke-linecap="round"/></svg>"""
    choose(visit, svg, "digit.svg", "image/svg+xml")
    assert visit.answer() == "1"
    expect(visit.by("confidence")).to_have_text(re.compile("%"))
