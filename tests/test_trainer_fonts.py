"""Handwriting fonts: outlines out of a font's file, and where the files come from."""

import io
import subprocess
import tarfile

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from trainer import npm, sources
from trainer.command import TrainerError
from trainer.download import FetchError
from trainer.drawings import fonts
from trainer.files import sha256

NAMES = [".notdef", *(f"digit{digit}" for digit in range(10))]


def font_file(names=NAMES):
    """A TrueType font whose digits are a square ring, as WOFF."""
    pen = TTGlyphPen(None)
    for corners in ([(0, 0), (0, 800), (600, 800), (600, 0)], [(200, 200), (400, 200), (400, 600), (200, 600)]):
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(names))
    builder.setupCharacterMap({ord(name[-1]): name for name in names[1:]})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=0)
    builder.setupNameTable({"familyName": "Rings", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.font.flavor = "woff"
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def test_a_font_gives_ten_digits_as_closed_outlines_with_y_down():
    glyphs = fonts.digits_of(font_file(), "rings")
    assert [glyph.digit for glyph in glyphs] == list(range(10))
    outer, hole = glyphs[7].outlines
    np.testing.assert_allclose([outer.min(axis=0), outer.max(axis=0)], [[0, -800], [600, 0]])

    def turn(line):
        x, y = line.T
        return np.sign((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())

    assert turn(outer) == -turn(hole) != 0


@pytest.mark.parametrize("start, control, end, middle", [((0, 0), [(1, 2)], (2, 0), (1, -1)), ((0, 0), [(0, 2), (2, 2)], (2, 0), (1, -1.5))])
def test_curves_of_both_orders_go_through_their_middle(start, control, end, middle):
    operation = "qCurveTo" if len(control) == 1 else "curveTo"
    (line,) = fonts.outlines([("moveTo", (start,)), (operation, (*control, end)), ("closePath", ())])
    assert np.abs(line - middle).sum(axis=1).min() < 1e-9 and tuple(line[-1]) == (2, 0)


def test_a_curve_without_a_point_on_it_is_closed():
    (circle,) = fonts.outlines([("qCurveTo", ((0, 1), (1, 1), (1, 0), (0, 0), None)), ("closePath", ())])
    np.testing.assert_allclose(circle[0], circle[-1])
    np.testing.assert_allclose([circle.min(axis=0), circle.max(axis=0)], [[0, -1], [1, 0]])


@pytest.mark.parametrize("data", [b"", b"no font", font_file()[:200], font_file(NAMES[:5])], ids=["empty", "text", "cut short", "five digits only"])
def test_what_is_no_font_with_ten_digits_is_an_error(data):
    with pytest.raises(TrainerError, match="rings: no font with ten digits"):
        fonts.digits_of(data, "rings")


# Where the files come from


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Two fonts, an empty cache, a mirror that has what is in the returned dict, and an npm that has the same."""
    content = {"rings": font_file(), "others": font_file()}
    monkeypatch.setattr(fonts, "FONTS", {name: (len(data), sha256(data)) for name, data in content.items()})
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path))

    def fetch(url, max_bytes):
        name = url.split("/")[3]
        if name not in content:
            raise FetchError("HTTP 404 Not Found")
        return content[name]

    monkeypatch.setattr(sources, "fetch", fetch)
    monkeypatch.setattr(npm.shutil, "which", lambda name: None)
    return content


def load():
    return fonts.load_glyphs(["mirror://host/{}/"])


def test_fonts_come_from_a_mirror_and_then_out_of_the_cache(world, tmp_path):
    assert len(load()) == 20
    assert sorted(path.name for path in (tmp_path / "fonts").iterdir()) == [fonts.FILE.format(name) for name in ("others", "rings")]
    world.clear()
    assert len(load()) == 20


def test_a_damaged_font_in_the_cache_is_fetched_again(world, tmp_path):
    load()
    path = tmp_path / "fonts" / fonts.FILE.format("rings")
    path.write_bytes(path.read_bytes()[:-9])
    assert len(load()) == 20 and sha256(path.read_bytes()) == fonts.FONTS["rings"][1]


def test_what_no_mirror_has_comes_from_npm(world, monkeypatch):
    kept = dict(world)
    del world["others"]

    def pack(command, cwd, **_):
        assert command[1:3] == ["pack", f"@fontsource/others@{fonts.VERSION}"]
        with tarfile.open(f"{cwd}/fontsource-others-{fonts.VERSION}.tgz", "w:gz") as tar:
            member = tarfile.TarInfo(f"package/files/{fonts.FILE.format('others')}")
            member.size = len(kept["others"])
            tar.addfile(member, io.BytesIO(kept["others"]))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(npm.shutil, "which", lambda name: "npm")
    monkeypatch.setattr(npm.subprocess, "run", pack)
    assert len(load()) == 20


def test_fonts_that_cannot_be_had_are_named_with_every_source_tried(world, tmp_path):
    world["rings"] = b"something else"
    del world["others"]
    with pytest.raises(TrainerError) as error:
        load()
    for said in ("could not fetch rings-latin-400-normal.woff, others-latin-400-normal.woff", "mirror://host/rings/", "other content than expected", "HTTP 404",
                 "npm pack @fontsource/...: there is no npm on this machine", str(tmp_path / "fonts")):
        assert said in str(error.value)
    assert not (tmp_path / "fonts").exists()
