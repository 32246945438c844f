"""The committed 2,000 + 1,000 MNIST images as a folder that the trainer's --data takes."""

from pathlib import Path

import numpy as np

from trainer.idx import write_idx

FILE = Path(__file__).parent / "fixtures" / "mnist_tiny.npz"
NAMES = {"train_images": "train-images-idx3-ubyte", "train_labels": "train-labels-idx1-ubyte",
         "test_images": "t10k-images-idx3-ubyte", "test_labels": "t10k-labels-idx1-ubyte"}


def tiny_mnist():
    """train_images, train_labels, test_images, test_labels: uint8 arrays by name."""
    with np.load(FILE) as archive:
        return {name: archive[name] for name in NAMES}


def write_folder(folder, n_train=2000, n_test=1000):
    """The first n of each as IDX files. Returns the folder."""
    for name, array in tiny_mnist().items():
        (folder / NAMES[name]).write_bytes(write_idx(array[:n_train if name.startswith("train") else n_test]))
    return folder
