"""Training speed against PyTorch: the same network, data, batch and optimiser (Adam), one thread each, interleaved.

    python build.py bench training        # needs PyTorch: pip install torch, or run the tests with --all once

Prints seconds for an epoch of 60,000 images (extrapolated from fewer), the ratio NumPy / PyTorch of the medians, and what deforming
the images adds to an epoch when it is asked for.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when the numeric libraries load, hence before the imports below
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "site" / "py"), str(ROOT)]

import numpy as np  # noqa: E402
import torch  # noqa: E402

from inkling.augment import augment  # noqa: E402
from inkling.training import Settings, train  # noqa: E402
from trainer.exchange.torch_module import to_module  # noqa: E402

EPOCH = 60_000


def numpy_seconds(arch: str, images: np.ndarray, labels: np.ndarray, batch_size: int, *, augmented: bool = False) -> float:
    settings = Settings(arch=arch, optimizer="adam", learning_rate=1e-3, schedule="constant", batch_size=batch_size, epochs=1, augment=augmented)
    model, optimizer = settings.make_model(), settings.make_optimizer()
    start = time.perf_counter()
    for _ in train(model, optimizer, images, labels, settings, augment=augment):
        pass
    return time.perf_counter() - start


def torch_seconds(arch: str, images: np.ndarray, labels: np.ndarray, batch_size: int) -> float:
    ours = Settings(arch=arch).make_model()
    model = to_module(ours)  # with our initial weights; what they are changes nothing about the time
    x, y = torch.tensor(images).reshape(-1, *ours.input_shape), torch.tensor(labels)
    optimizer, loss_function = torch.optim.Adam(model.parameters(), 1e-3), torch.nn.CrossEntropyLoss()
    start = time.perf_counter()
    order = torch.randperm(len(x))
    for i in range(0, len(x), batch_size):
        chosen = order[i:i + batch_size]
        optimizer.zero_grad()
        logits = model(x[chosen])
        loss = loss_function(logits, y[chosen])
        loss.backward()
        optimizer.step()
        loss.item(), (logits.argmax(1) == y[chosen]).float().mean().item()  # what our loop reports too
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12_800, help="images in a timed run (default 12800)")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each (default 5)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)  # how long a step takes does not depend on what is in the picture
    images = rng.random((options.images, 28, 28), dtype=np.float32)
    labels = rng.integers(0, 10, options.images)
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}, one thread, medians of {options.runs} interleaved runs")
    print("| network | batch | NumPy s/epoch | PyTorch s/epoch | ratio | augmentation adds s/epoch |\n|---|---|---|---|---|---|")
    for arch, batch_size in (("mlp-256-128", 128), ("convnet", 128)):
        ours, theirs, deforming = [], [], []
        for _ in range(options.runs):
            ours.append(numpy_seconds(arch, images, labels, batch_size))
            theirs.append(torch_seconds(arch, images, labels, batch_size))
            deforming.append(numpy_seconds(arch, images, labels, batch_size, augmented=True))
        a, b, c = (statistics.median(times) * EPOCH / options.images for times in (ours, theirs, deforming))
        print(f"| {arch} | {batch_size} | {a:.2f} | {b:.2f} | {a / b:.2f} | {c - a:.2f} |")


if __name__ == "__main__":
    main()
