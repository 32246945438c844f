"""The same networks everywhere: how far PyTorch, onnxruntime, what comes back from a file, and the page are from our own answers.

    python build.py bench parity --all        # --all installs PyTorch, onnx and onnxruntime

1,000 MNIST test images, in one batch. Logits on the desktop; from the page, which tells no logits, probabilities. How far we are from
ourselves when each image comes alone is what float32 leaves to the order of a sum.
"""

import argparse
import base64
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from chromium import QUIET, chromium, conditions, served, table, wait_for

from inkling import weights
from inkling.model import Sequential
from inkling.session import Session
from trainer.exchange import json_file, onnx_file, safetensors_file, torch_file
from trainer.exchange.torch_module import to_module
from trainer.import_model import to_model

ROOT = Path(__file__).resolve().parent.parent
READ_ALL = """async (element, { packed, n, model }) => {
  const { recognizer } = element;
  await recognizer.useModel(model);
  const data = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const rows = [];
  for (let i = 0; i < n; i++) rows.push((await recognizer.predict({ data: data.subarray(784 * i, 784 * (i + 1)), width: 28, height: 28 })).probabilities);
  return rows;
}"""


def in_pytorch(model: Sequential, x: np.ndarray) -> np.ndarray:
    """Logits (N, 10)."""
    with torch.no_grad():
        return to_module(model).eval()(torch.from_numpy(x)).numpy()


def in_onnxruntime(model: Sequential, x: np.ndarray) -> np.ndarray:
    """Logits (N, 10)."""
    return onnxruntime.InferenceSession(onnx_file.write(model), providers=["CPUExecutionProvider"]).run(["logits"], {"image": x})[0]


def back_from(format, model: Sequential, x: np.ndarray) -> np.ndarray:
    """Logits (N, 10) of the network that was written and read again."""
    return to_model(format.read(format.write(model), "file"), "file")[0].predict_logits(x, once=True)


def in_page(page, name: str, inks: np.ndarray) -> np.ndarray:
    """Probabilities (N, 10)."""
    packed = base64.b64encode(inks.tobytes()).decode()
    return np.array(page.locator("digit-recognizer").evaluate(READ_ALL, {"packed": packed, "n": len(inks), "model": name}))


def on_desktop(name: str, npz: bytes, inks: np.ndarray) -> np.ndarray:
    """Probabilities (N, 10), as the page computes them."""
    session = Session()
    session.use_model(name, npz)
    return np.array([session.predict(ink, 28, 28)["probabilities"] for ink in inks])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000, help="how many, at most 1000")
    n = parser.parse_args().images
    with np.load(ROOT / "tests" / "fixtures" / "mnist_tiny.npz") as arrays:
        inks = arrays["test_images"][:n]
    rows = []
    with served() as url, chromium(*QUIET) as browser:
        page = browser.new_page()
        page.goto(url)
        wait_for(page, "Boolean(document.querySelector('digit-recognizer')?.recognizer)")
        for file in sorted((ROOT / "weights").glob("*.npz")):
            model = weights.load(file)
            x = (inks / np.float32(255)).reshape(-1, *model.input_shape)
            expected = model.predict_logits(x, once=True)  # as all of them look
            alone = np.concatenate([model.predict_logits(image[None], once=True) for image in x])
            found = [alone, in_pytorch(model, x), in_onnxruntime(model, x), *(back_from(format, model, x) for format in (torch_file, safetensors_file, json_file))]
            read = abs(in_page(page, file.stem, inks) - on_desktop(file.stem, file.read_bytes(), inks)).max()
            rows.append([file.stem, f"{abs(expected).max():.1f}", *(_shown(abs(logits - expected).max()) for logits in found), _shown(read)])
    print(f"\n{conditions()}; PyTorch {torch.__version__}, onnxruntime {onnxruntime.__version__}, {n:,} images; largest absolute differences\n")
    header = ["network", "largest logit", "ours, one image at a time", "PyTorch", "onnxruntime", ".pth and back", ".safetensors and back", ".json and back", "page, probabilities"]
    print(table(header, rows))


def _shown(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"


if __name__ == "__main__":
    main()
