"""The part of `build.py bench learning` that measures what twenty corrected drawings teach, and what the network forgets for it."""

import base64
from pathlib import Path

import numpy as np
from chromium import table

from inkling import weights
from inkling.losses import softmax
from inkling.preprocess import preprocess
from inkling.training import as_float
from trainer.data import load_digits
from trainer.drawings.benchmark import CONDITIONS, MADE, STRANGE, Condition
from trainer.drawings.deform import deform
from trainer.drawings.glyphs import GLYPHS, HELD_OUT_GLYPHS, glyph_images
from trainer.drawings.recorded import HELD_OUT, load_pen_digits
from trainer.files import WEIGHTS
from trainer.models import shipped

SAMPLES, OTHERS = 20, 300
SEED = 20261

LEARN = """async ({ recognizer }, { model, samples, label }) => {
  await recognizer.useModel(model);
  const images = Uint8Array.from(atob(samples), (letter) => letter.charCodeAt(0));
  const begin = performance.now();
  await recognizer.prepare();
  const start = performance.now();
  const { weights } = await recognizer.train({}, { mode: "fine-tune", data: { images, labels: new Array(images.length / 784).fill(label) } });
  const ms = performance.now() - start;
  return { ms, ahead: start - begin, weights: btoa(Array.from(weights, (byte) => String.fromCharCode(byte)).join("")) };
}"""


def show_forgetting(element, strokes: Path | None) -> None:
    """Trains in the page, on each glyph with each model; measures here, on images of none of the data that the page has.

    A network is prepared once, with the first glyph. The recipe was chosen on some of the glyphs: figures to quote are the others'.
    """
    digits, pen, strange = load_digits().test, _pen(strokes), _strange()
    element.evaluate(LEARN, {"model": shipped()[0], "samples": base64.b64encode(bytes(784)).decode(), "label": 0})  # fetches the data
    rows = []
    for name in shipped():
        model = weights.load(WEIGHTS / f"{name}.npz")
        before = _right(model, *digits), _right(model, *pen), _declined(model, strange)
        for glyph, (label, _) in GLYPHS.items():
            images = glyph_images(glyph, SAMPLES + OTHERS, np.random.default_rng([SEED, *glyph.encode()]))
            learnt = element.evaluate(LEARN, {"model": name, "samples": base64.b64encode(images[:SAMPLES].tobytes()).decode(), "label": label})
            after = weights.load(base64.b64decode(learnt["weights"]))
            others = as_float(images[SAMPLES:]), np.full(OTHERS, label)
            changes = [now - then for now, then in zip((_right(after, *digits), _right(after, *pen), _declined(after, strange)), before)]
            use = "measures" if glyph in HELD_OUT_GLYPHS else "chose"
            rows.append([name, f"{glyph} for {label}", use, f"{learnt['ahead'] / 1e3:.1f} s", f"{learnt['ms'] / 1e3:.1f} s", f"{_right(model, *others):.0%}", f"{_right(after, *others):.0%}",
                         *(f"{100 * change:+.2f}" for change in changes)])
    header = ["model", f"{SAMPLES} corrected drawings", "use", "ahead", "learning", "others right before", "after", "MNIST, points", "pen digits", "declined things"]
    print("\n" + table(header, rows))


def _right(model, images, labels) -> float:
    return float((model.predict_logits(images).argmax(axis=1) == labels).mean())


def _declined(model, images) -> float:
    return float((softmax(model.predict_logits(images).astype(float) / model.temperature).max(axis=1) < model.threshold).mean())


def _pen(strokes: Path | None):
    """The digits of the writers that measure, drawn anyhow."""
    recorded, rng = load_pen_digits(strokes).by(HELD_OUT), np.random.default_rng(SEED)
    return np.stack([preprocess(CONDITIONS["anyhow"].ink(drawing, rng))[0] for drawing in recorded.drawings]), recorded.labels


def _strange() -> np.ndarray:
    rng, condition = np.random.default_rng(SEED), Condition(size=(0.4, 0.9), pen=(10, 20), tilt=(0, 15))
    return np.stack([preprocess(condition.ink(deform(make(rng), rng, 0.7), rng))[0] for make in STRANGE.values() for _ in range(MADE)])
