"""The Hershey fonts: letters and digits as single strokes, made for plotters. Source: A. V. Hershey 1967, free to use."""

from __future__ import annotations

import functools

import numpy as np
from HersheyFonts import HersheyFonts

from . import Drawing


def strokes(text: str, font: str) -> Drawing:
    """The strokes of a letter, a digit or a sign; none where the font lacks it."""
    lines = [np.array(line, float) for line in _font(font).strokes_for_text(text)]
    return [line for line in lines if len(line) > 1]


@functools.cache
def _font(name: str) -> HersheyFonts:
    font = HersheyFonts()
    font.load_default_font(name)
    return font
