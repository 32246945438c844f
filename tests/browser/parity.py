"""Two hundred inks, and what Inkling makes of them in a page and on the desktop. A visit is anything that has `on_element`."""

import base64
from pathlib import Path

import numpy as np
from hand import STYLES, digit, ink_of, scribble, shaken

from inkling.session import Session

WEIGHTS = Path(__file__).parent.parent.parent / "weights"
MODELS = sorted(file.stem for file in WEIGHTS.glob("*.npz"))
N_INKS = 200
SIDES = (280, 280, 280, 140, 97, 28)  # px; most inks have the pad's size

HAND_OVER = """
async (element, packed) => {
  const letters = atob(packed);
  window.drawings = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) window.drawings[i] = letters.charCodeAt(i);
}
"""
# Reads the drawings one after another. The numbers come back as bytes, so that not a bit of them is lost.
READ_ALL = """
async (element, { sizes, model }) => {
  const { recognizer } = element;
  if (model) await recognizer.useModel(model);
  const digits = [], models = new Set();
  const probabilities = new Float64Array(10 * sizes.length), images = new Float32Array(784 * sizes.length);
  let start = 0;
  for (const [i, [height, width, channels]] of sizes.entries()) {
    const end = start + height * width * channels;
    const answer = await recognizer.predict({ data: window.drawings.subarray(start, end), width, height });
    start = end;
    digits.push(answer.digit);
    models.add(answer.model);
    probabilities.set(answer.probabilities, 10 * i);
    images.set(answer.image, 784 * i);
  }
  const pack = (array) => {
    const bytes = new Uint8Array(array.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  return { digits, models: [...models], probabilities: pack(probabilities), images: pack(images) };
}
"""


def drawings(n: int = N_INKS) -> list[np.ndarray]:
    """n inks: plain and shaken digits of every style, every eleventh a scribble; thick and thin pens, several sizes."""
    rng = np.random.default_rng(20260)
    inks = []
    for i in range(n):
        plain = digit(i % 10, i // 10 % STYLES)
        drawing = scribble(rng) if i % 11 == 10 else plain if i < 10 * STYLES else shaken(plain, rng)
        inks.append(ink_of(drawing, side=SIDES[i % len(SIDES)], pen=rng.uniform(6, 40)))
    return inks


def hand_over(visit, arrays) -> None:
    """The page keeps the drawings: sixteen megabytes cross once and not for each model."""
    visit.on_element(HAND_OVER, base64.b64encode(b"".join(array.tobytes() for array in arrays)).decode())


def in_browser(visit, arrays, model: str | None = None):
    """What the page makes of the drawings handed over: (digits, probabilities (N, 10), images (N, 784), names of the models that answered).

    model: loaded anew; without it, whichever the page has.
    """
    sizes = [[*array.shape[:2], channels(array)] for array in arrays]
    answer = visit.on_element(READ_ALL, {"sizes": sizes, "model": model})
    probabilities = np.frombuffer(base64.b64decode(answer["probabilities"])).reshape(-1, 10)
    images = np.frombuffer(base64.b64decode(answer["images"]), np.float32).reshape(-1, 784)
    return answer["digits"], probabilities, images, answer["models"]


def on_desktop(arrays, model: str):
    """The same of a Session here: (digits, probabilities, images)."""
    session = Session()
    session.use_model(model, (WEIGHTS / f"{model}.npz").read_bytes())
    answers = [session.predict(array.tobytes(), array.shape[1], array.shape[0], channels(array)) for array in arrays]
    digits, probabilities, images = ([answer[field] for answer in answers] for field in ("digit", "probabilities", "image"))
    return digits, np.array(probabilities), np.array(images)


def channels(array: np.ndarray) -> int:
    return array.shape[2] if array.ndim == 3 else 1
