"""One stroke, one answer: what the page reads of two hundred drawings is what the desktop reads of the same ink, and of the same strokes.

A real pointer takes a second for each drawing: without --all (INKLING_ALL=1) every seventh is drawn.
"""

import base64
import json
import os
from pathlib import Path

import numpy as np
import pen_strokes
import pytest

from inkling.session import Session
from trainer.drawings.render import render

HERE = Path(__file__).parent.parent
FIXTURE = HERE / "fixtures" / "drawings.json"
WEIGHTS = HERE.parent / "weights" / "convnet.npz"
SAME = 0.99  # of the digits, between the page's canvas and the desktop's own rendering of the same strokes
RECORDED = 20  # of each digit; these are on some machines only

# The answer to the newest ink, and that ink, in one go: hundreds of separate waits would take minutes.
ANSWER = """
async (element) => {
  const answer = element.shadowRoot.querySelector("[data-testid=prediction]");
  while (answer.ariaBusy !== "false" || !element.prediction) await new Promise(requestAnimationFrame);
  const { digit, accepted, probabilities } = element.prediction;
  return { digit, accepted, probabilities, ink: btoa(Array.from(element.ink().data, (value) => String.fromCharCode(value)).join("")) };
}
"""


@pytest.fixture(scope="module")
def desktop():
    session = Session()
    session.use_model("convnet", WEIGHTS.read_bytes())
    return lambda ink: session.predict(ink.tobytes(), ink.shape[1], ink.shape[0])


def made_drawings():
    return [(drawing["label"], drawing["strokes"]) for drawing in json.loads(FIXTURE.read_text(encoding="utf-8"))]


def recorded_drawings():
    digits = pen_strokes.read_digits()
    order = np.random.default_rng(3).permutation(len(digits))
    chosen = [i for label in range(10) for i in [j for j in order if digits[j][0] == label][:RECORDED]]
    return [(digits[i][0], digits[i][2]) for i in chosen]


@pytest.mark.parametrize("drawings", [made_drawings, recorded_drawings], ids=["made", "recorded"])
def test_the_page_reads_what_the_desktop_reads(visit, desktop, capsys, drawings):
    chosen = drawings()[::1 if os.environ.get("INKLING_ALL") else 7]
    assert len({label for label, _ in chosen}) >= 8
    right = rendered_alike = 0
    for number, (label, strokes) in enumerate(chosen):
        visit.on_element("(element) => element.clear()")
        visit.draw(strokes)
        page = visit.on_element(ANSWER)
        ink = np.frombuffer(base64.b64decode(page["ink"]), np.uint8).reshape(280, 280)
        assert ink.any()
        same_ink = desktop(ink)
        assert (page["digit"], page["accepted"]) == (same_ink["digit"], same_ink["accepted"]), f"drawing {number}, a {label}"
        assert np.abs(np.array(page["probabilities"]) - same_ink["probabilities"]).max() < 1e-5
        rendered = desktop(render([np.array(stroke, float) / 280 for stroke in strokes]))
        rendered_alike += rendered["digit"] == page["digit"]
        right += page["digit"] == label
    with capsys.disabled():
        print(f"\n{right} of {len(chosen)} drawings read right; {rendered_alike} as the desktop's own rendering")
    assert rendered_alike >= SAME * len(chosen)
    assert right >= 0.95 * len(chosen)
