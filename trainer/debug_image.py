#!/usr/bin/env python3
"""Shows what preprocessing makes of a picture: statistics, the 28 x 28 image that the network sees, and each step on the way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trainer.command import make_parser, require, run  # noqa: E402

require("numpy", "PIL")

import argparse  # noqa: E402
import json  # noqa: E402

import numpy as np  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402

from inkling.preprocess import CENTRE, DIGIT_BOX, FIELD, picture_to_ink, preprocess  # noqa: E402
from trainer.files import atomic_file, shown  # noqa: E402
from trainer.pictures import open_source, title  # noqa: E402

TILE = 280  # px, side of a step's picture
GAP, CAPTION = 16, 28  # px
PAPER, INK, ACCENT = "#fbf8f1", "#2b2a27", "#c2410c"  # the page's colours


def parser(program: str = "debug_image.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python -m trainer debug-image photo.jpg --out pictures")
    parser.add_argument("image", help="PNG, JPEG, WebP, GIF, BMP or TIFF; - for standard input; or a data: URL")
    parser.add_argument("--out", type=Path, default=Path("."), metavar="FOLDER", help="where <name>-28x28.png and <name>-steps.png go; default here")
    parser.add_argument("--json", action="store_true", help="print one JSON document: the fields of the page's debugImage(), with paths for the pictures")
    return parser


def main(arguments: list[str] | None = None, program: str = "debug_image.py") -> int:
    return run(parser(program), debug, arguments)


def debug(options: argparse.Namespace) -> int:
    """Writes both pictures and prints the statistics; returns 0 also if nothing is drawn."""
    rgba = open_source(options.image)
    ink, inverted = picture_to_ink(rgba)
    image, found = preprocess(ink)
    name = title(options.image)
    stem = Path(name).stem if Path(name).is_file() else "picture"
    small, steps = options.out / f"{stem}-28x28.png", options.out / f"{stem}-steps.png"
    drawn = draw_steps(rgba, ink, image, found)  # before anything is written
    save(Image.fromarray((image * 255).round().astype(np.uint8)), small)
    save(drawn, steps)
    height, width = ink.shape
    facts = {
        "png": str(small), "steps": str(steps), "width": width, "height": height, "box": found["box"], "centre_of_mass": found["centre_of_mass"],
        "min": float(image.min()), "max": float(image.max()), "mean": float(image.mean()), "inverted": inverted,
    }
    print(json.dumps({**facts, "image": [round(float(value), 6) for value in image.ravel()]}) if options.json else as_text(name, facts))
    return 0


def as_text(name: str, facts: dict) -> str:
    """For people."""
    strokes = "dark strokes on light paper" if facts["inverted"] else "light strokes on dark paper, or none"
    lines = [f"{name}: {facts['width']} x {facts['height']} px, {strokes}"]
    if facts["box"] is None:
        lines.append("  there is nothing drawn in it")
    else:
        x, y, width, height = facts["box"]
        centre_x, centre_y = facts["centre_of_mass"]
        lines += [f"  box             {width} x {height} px at ({x}, {y})", f"  centre of mass  ({centre_x:.1f}, {centre_y:.1f})"]
    lines += [f"  28 x 28 image   min {facts['min']:.3f}, max {facts['max']:.3f}, mean {facts['mean']:.3f}",
              f"  written         {shown(Path(facts['png']))}, {shown(Path(facts['steps']))}"]
    return "\n".join(lines)


def save(picture: Image.Image, path: Path) -> None:
    with atomic_file(path) as file:
        picture.save(file, "PNG")


def draw_steps(rgba: np.ndarray, ink: np.ndarray, image: np.ndarray, found: dict) -> Image.Image:
    """The steps side by side: picture, ink, cleaned ink in its box, scaled to 20 px, centred by mass."""
    picture = Image.new("RGB", rgba.shape[1::-1], "white")
    picture.paste(Image.fromarray(rgba), mask=Image.fromarray(rgba[..., 3]))
    tiles = [("picture", fitted(picture)), ("ink", fitted(Image.fromarray(ink)))]
    if found["box"] is not None:
        left, top, width, height = found["box"]
        digit = ink[top:top + height, left:left + width]
        clean = np.zeros_like(ink)
        clean[top:top + height, left:left + width] = digit
        boxed = fitted(Image.fromarray(clean))
        scale = boxed.width / ink.shape[1]
        ImageDraw.Draw(boxed).rectangle([left * scale, top * scale, (left + width) * scale, (top + height) * scale], outline=ACCENT, width=2)
        tiles += [("cleaned, and its box", boxed), (f"scaled to {DIGIT_BOX} px", pixels(scaled(digit), None))]
    tiles.append(("centred by mass: 28 x 28", pixels(image, CENTRE)))
    sheet = Image.new("RGB", (GAP + len(tiles) * (TILE + GAP), CAPTION + TILE + 2 * GAP), PAPER)
    for i, (caption, tile) in enumerate(tiles):
        left = GAP + i * (TILE + GAP)
        ImageDraw.Draw(sheet).text((left, GAP // 2), f"{i + 1}  {caption}", INK, ImageFont.load_default(15))
        sheet.paste(tile, (left + (TILE - tile.width) // 2, CAPTION + GAP + (TILE - tile.height) // 2))
    return sheet


def fitted(picture: Image.Image) -> Image.Image:
    """At most TILE px a side, in RGB."""
    scale = TILE / max(picture.size)
    size = [max(round(side * scale), 1) for side in picture.size]
    return picture.convert("RGB").resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST)


def scaled(digit: np.ndarray) -> np.ndarray:
    """The digit's box, its longer side DIGIT_BOX, in the middle of the field: between box and centre of mass `preprocess` has no such halt,
    it does both in one resampling. (H, W) uint8 -> (28, 28) float32, 0..1.
    """
    scale = DIGIT_BOX / max(digit.shape)
    height, width = (max(round(side * scale), 1) for side in digit.shape)
    small = np.asarray(Image.fromarray(digit).resize((width, height), Image.Resampling.BOX), np.float32) / 255
    field = np.zeros((FIELD, FIELD), np.float32)
    top, left = (FIELD - height) // 2, (FIELD - width) // 2
    field[top:top + height, left:left + width] = small
    return field


def pixels(image: np.ndarray, centre: float | None) -> Image.Image:
    """(28, 28), 0..1, as honest squares, with the digit's 20-px box and, if given, the point where its mass is centred."""
    side = TILE // FIELD
    tile = Image.fromarray((image * 255).round().astype(np.uint8)).resize((FIELD * side, FIELD * side), Image.Resampling.NEAREST).convert("RGB")
    pen = ImageDraw.Draw(tile)
    if centre is None:
        edge = (FIELD - DIGIT_BOX) // 2 * side
        pen.rectangle([edge, edge, FIELD * side - edge, FIELD * side - edge], outline=ACCENT)
    else:
        at = centre * side
        pen.line([at - side, at, at + side, at], ACCENT, 2)
        pen.line([at, at - side, at, at + side], ACCENT, 2)
    return tile


if __name__ == "__main__":
    sys.exit(main())
