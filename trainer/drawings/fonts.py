"""Digits of handwriting fonts under free licences: hands that no tablet of ours has recorded, and what schools of several countries teach.

A glyph is no stroke but the outline of what a pen left. Source: the packages @fontsource/<name> of npm, each with its licence, the SIL
Open Font License 1.1 or the Apache License 2.0; fetched once, and never part of the project.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont, TTLibError

from ..command import TrainerError
from ..files import cache_directory
from ..sources import mirror, npm_packages, obtain
from . import Drawing

VERSION = "5.3.0"  # of all these packages
FONTS = {  # name -> (bytes, sha256) of the regular face's Latin part
    "annie-use-your-telescope": (16_860, "555a3ba045673dfa29aa1b2ed52f17772212380d2da9a79dc813ef51e26b0147"),
    "architects-daughter": (15_640, "0249dd5f81431dbf8a8406996c43f8018bf707221cf261d75145f083bb7091cf"),
    "bad-script": (28_256, "07202e03862cf10af6c0a9f5cfce39ef10e1923b64b965c3185b5ddef61b91f1"),
    "caveat": (60_108, "38b98dbeb922a14a74dfb41f83fc24e0e645e2eed9ce72145fefbdae8828cbfb"),
    "cedarville-cursive": (26_004, "8d8360a98492b42d02c17e94c38bcd2a3cce6db6b9b430f3a110e71f81d7149c"),
    "covered-by-your-grace": (18_568, "876d8371eedf1f9add237910aea034ca42cd5bdc8f7d722c7a04819ab3f711b8"),
    "delius": (21_660, "eabc55870044215231d9f905b1b898926bcf588dc78e53523ea6590281b606f1"),
    "gaegu": (13_808, "6d4c9dac093fce05bcf214b7b1e9d60de7ecae8a22aa940d63e586bcf32cab29"),
    "give-you-glory": (20_768, "84c8bec3e54403b756b60f5fa44aeb89ceb5a31c7296211a0d7717611bb73f8c"),
    "gloria-hallelujah": (19_608, "31e7def8cf155d4dcc98216517ad509923a8a197bc9c8937668d04767c52040e"),
    "handlee": (20_568, "9a8af5254df769bbdc196fd998231daec67c81dc3d6fd6f294ed80c2c4343551"),
    "homemade-apple": (57_676, "998f34b48e0bcb8974dc6e8d94961a87689ca40e3258554d2f6fc3778b1968a3"),
    "indie-flower": (21_676, "2cf7154e899ad16246196238d6d13f0135c5feba2d8ccde5d97a22664d012660"),
    "just-another-hand": (31_660, "996689005263a02315843bd1eff3f67b71ec1ca25be7fa9ee4523e4d282b7b89"),
    "kalam": (17_668, "70ab8c1d2c10a28f213c6f1c359888624d5e650ffcd64f93a8194c3e14403746"),
    "kristi": (18_732, "baf2b649c525e4b3d6516c77c88c1533b4c0e7a8376e88f63c13ed4dd5e4be6a"),
    "la-belle-aurore": (20_276, "d5ec94f05c2cb9ab9dd5bba03faede9a6d767803e36b6b5df36f64ada8546ce0"),
    "mali": (21_804, "cd38e40d516ab13ab4ef21cdb01671bac4c326ef338b39d87eb1892c5fc17bbf"),
    "nanum-pen-script": (14_116, "08cdd640e142c977071b4c3d5c33fd9ec322990e540f5511ca2fccff4568d0ec"),
    "neucha": (14_620, "b0c09e2ecd7d760fb997f926f2d15e53c57561802fb071a317832942536ca82a"),
    "nothing-you-could-do": (18_324, "454bff123de1c8224aff670f12797ca91cf54becf6f8359391bd37a6dd68a60e"),
    "over-the-rainbow": (20_552, "e721f12763490802b576b3c1511cf4a0c6a33221772bf846885a295e5b758e3e"),
    "patrick-hand": (17_652, "0f7031f6665437e04d6f354c5f64d6ae6777b498afbe804638c45b957a7ce8aa"),
    "playwrite-cz": (58_552, "97eb5b8985600339c77a0b8a0ae0af4a3c858fd7b6dd052fae985c98db15c713"),
    "playwrite-de-grund": (27_844, "2ef35798b3ea53e8ff8501c4a1d4608096b0b74c3a165b5ea53b1b694484de94"),
    "playwrite-dk-loopet": (45_128, "aa717d678634ad17d8cf213b890c9224d3811e5a9feacd77387a860219b40b20"),
    "playwrite-fr-moderne": (37_796, "2de15bb16c4f045edfeece7d75654ee87fd91012e939ff4dc43959cb0602509e"),
    "reenie-beanie": (21_444, "1b86681155e125625f01839b2e6688dde2b2a7766a8eb49645b3a8707c2bee9f"),
    "schoolbell": (25_268, "a448b8f4209a8ca16adc48753170f40a57e17f70675963e092501ed48842e4c8"),
    "shadows-into-light": (18_368, "93cff8110a18bb3e1fb0179c95f706ed1e8037e2e527c4cb425b46deaddbd975"),
    "short-stack": (28_104, "db596e8545afc95f708ad2d5ac878771998f7378da84c56759527fbdb02f5836"),
    "sue-ellen-francisco": (15_780, "e2c988155c07d4a26b81216397fa1841af0916c9737a61e05ea38bd1bd5361b1"),
    "the-girl-next-door": (20_484, "301aabf8a983d1231988eea6e125338a3933bd69de8b14137df80840c8d8c5e8"),
    "waiting-for-the-sunrise": (19_516, "8a2cf921d4129a7d447370c559d0687579e842196c9e80a774fb428b1755911b"),
    "zeyada": (22_820, "91d3613bd2d6ca6d14bfba2a7c3918ee4ced380d570d1b29a6ebfbcf56e7a6ff"),
}
FILE = "{}-latin-400-normal.woff"
MIRRORS = (f"https://cdn.jsdelivr.net/npm/@fontsource/{{}}@{VERSION}/files/",)
PER_PIECE = 6  # points that each line or curve of an outline becomes


@dataclass(frozen=True)
class Glyph:
    """A digit as closed outlines, a hole's running the other way round."""

    digit: int
    outlines: Drawing


def load_glyphs(mirrors: Sequence[str] = MIRRORS) -> list[Glyph]:
    """The ten digits of every font, in the order of FONTS, from the cache or else fetched into it.

    Raises TrainerError that names every source tried.
    """
    folder = cache_directory() / "fonts"
    files = {FILE.format(name): known for name, known in FONTS.items()}
    names = {FILE.format(name): name for name in FONTS}
    sources = [mirror(base.format("..."), lambda file, base=base: base.format(names[file]) + file, files) for base in mirrors]
    sources.append(npm_packages("@fontsource/...", lambda file: (f"@fontsource/{names[file]}@{VERSION}", f"package/files/{file}"), files, folder))
    contents = obtain("handwriting fonts", files, sources, folder, f"put the files into {folder} (INKLING_CACHE moves that folder)")
    return [glyph for file, data in contents.items() for glyph in digits_of(data, names[file])]


def digits_of(data: bytes, name: str) -> list[Glyph]:
    """The ten digits of a font. Raises TrainerError if the data is none, or lacks one."""
    try:
        font = TTFont(io.BytesIO(data))
        characters, glyphs = font.getBestCmap(), font.getGlyphSet()
        result = []
        for digit in range(10):
            pen = DecomposingRecordingPen(glyphs)
            glyphs[characters[ord(str(digit))]].draw(pen)
            result.append(Glyph(digit, outlines(pen.value)))
        return result
    except (TTLibError, KeyError, TypeError, AssertionError, OSError) as error:
        raise TrainerError(f"{name}: no font with ten digits ({type(error).__name__}: {error})") from error


def outlines(recorded: list[tuple[str, tuple]]) -> Drawing:
    """What a glyph's pen was told, as closed lines of points (n, 2), y down. Curves are of the second or third order (TrueType, PostScript)."""
    result: Drawing = []
    for operation, given in recorded:
        points = [None if point is None else np.array(point, float) * (1, -1) for point in given]
        if operation == "moveTo":
            line = [points[0]]
        elif operation == "qCurveTo":
            if points[-1] is None:  # a closed curve none of whose points lies on it
                points[-1] = (points[0] + points[-2]) / 2
                line = [points[-1]]
            *controls, end = points
            middles = [(first + second) / 2 for first, second in zip(controls, controls[1:])]
            for control, target in zip(controls, [*middles, end]):
                line += _bezier(line[-1], control, target)
        elif operation in ("lineTo", "curveTo"):
            line += _bezier(line[-1], *points)
        elif len(line) > 2:  # closePath, endPath
            result.append(np.array(line))
    return result


def _bezier(*points: np.ndarray) -> list[np.ndarray]:
    """PER_PIECE points of the curve with these control points, without its first. Source: de Casteljau 1959."""
    result = []
    for t in np.arange(1, PER_PIECE + 1) / PER_PIECE:
        between = points
        while len(between) > 1:
            between = [(1 - t) * first + t * second for first, second in zip(between, between[1:])]
        result.append(between[0])
    return result
