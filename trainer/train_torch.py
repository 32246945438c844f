#!/usr/bin/env python3
"""Trains the same networks with PyTorch, on a GPU if there is one; the run folder and the weights file are those of train.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from trainer.command import UsageError, make_parser, require, run  # noqa: E402

require("numpy", "matplotlib", "PIL", "tqdm", "fontTools", "HersheyFonts", "unlzw3", "torch")

import argparse  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

from inkling.augment import augment  # noqa: E402
from inkling.settings import Settings  # noqa: E402
from inkling.training import Place, Progress, as_float, steps_per_epoch  # noqa: E402
from trainer.data import Digits  # noqa: E402
from trainer.exchange.torch_module import take_parameters, to_module  # noqa: E402
from trainer.runs import Run  # noqa: E402
from trainer.train import add_options, choose_settings, finish, given_settings, load_data, new_folder  # noqa: E402

OPTIMIZERS = {  # as ours are, with their constants (tests/test_optimizers.py compares them)
    "sgd": lambda params, s: torch.optim.SGD(params, s.learning_rate),
    "momentum": lambda params, s: torch.optim.SGD(params, s.learning_rate, momentum=s.momentum),
    "nesterov": lambda params, s: torch.optim.SGD(params, s.learning_rate, momentum=s.momentum, nesterov=True),
    "adagrad": lambda params, s: torch.optim.Adagrad(params, s.learning_rate),
    "rmsprop": lambda params, s: torch.optim.RMSprop(params, s.learning_rate, alpha=s.decay),
    "adam": lambda params, s: torch.optim.Adam(params, s.learning_rate, betas=(s.beta1, s.beta2)),
    "adamw": lambda params, s: torch.optim.AdamW(params, s.learning_rate, betas=(s.beta1, s.beta2), weight_decay=s.weight_decay),
}


def parser(program: str = "train_torch.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python -m trainer train-torch --arch 784-300-10 --epochs 5 --device cuda")
    add_options(parser)
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps ...; default: the GPU if there is one")
    return parser


def main(arguments: list[str] | None = None, program: str = "train_torch.py") -> int:
    return run(parser(program), train, arguments)


def train(options: argparse.Namespace) -> int:
    """Runs what the options ask for; returns the exit code."""
    device = find_device(options.device)
    chosen = choose_settings(given_settings(options), options.settings)
    digits = load_data(options, chosen[0].seed)
    for settings in chosen:
        started = TorchRun.start(new_folder(settings, options.out, several=len(chosen) > 1), settings, digits)
        started.device = device
        print(f"{settings.arch}: {started.model.n_parameters:,} parameters, {settings.optimizer}, {settings.epochs} epochs of "
              f"{len(started.data()[0]):,} images with PyTorch {torch.__version__} on {device}")
        if code := finish(started):
            return code
    return 0


def find_device(name: str | None) -> torch.device:
    """The device of that name, or the fastest there is. Raises UsageError if there is no such device."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
        return torch.device(name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"--device {name}: PyTorch can't use it here ({str(error).splitlines()[0]})") from error


class TorchRun(Run):
    """A run whose steps PyTorch does. Order, augmentation, schedule, initial weights: the same as ours, drawn from the same seed.

    It has no checkpoint: what is stopped keeps its best weights, but can't be resumed.
    """

    command = "python trainer/train_torch.py"
    resumable = False
    versions = {"torch": torch.__version__}
    device = torch.device("cpu")

    def __init__(self, folder: Path, settings: Settings, digits: Digits):
        super().__init__(folder, settings, digits)
        self.optimizer = None

    def _steps(self) -> Iterator[Progress]:
        images, labels = self.data()
        settings, n = self.settings, len(images)
        torch.manual_seed(settings.seed)  # for Dropout
        module = to_module(self.model).to(self.device).train()
        optimizer = OPTIMIZERS[settings.optimizer](module.parameters(), settings)
        n_steps = steps_per_epoch(n, settings)
        total_steps = n_steps * settings.epochs
        schedule = settings.make_schedule(total_steps)
        try:
            for step in range(total_steps):
                epoch, i = divmod(step, n_steps)
                if i == 0:
                    rng = np.random.default_rng([settings.seed, epoch])
                    order = rng.permutation(n)
                chosen = order[i * settings.batch_size:(i + 1) * settings.batch_size]
                batch = as_float(images[chosen])
                batch = augment(batch, rng) if settings.augment else batch
                learning_rate = optimizer.param_groups[0]["lr"] = schedule(step)
                loss, accuracy = self._step(module, optimizer, batch, labels[chosen])
                if i == n_steps - 1:
                    take_parameters(self.model, module)
                yield Progress(epoch, step, total_steps, loss, accuracy, learning_rate, len(chosen), Place(*divmod(step + 1, n_steps)))
        finally:  # also if Ctrl-C comes within an epoch
            take_parameters(self.model, module)

    def _step(self, module: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """One batch. Returns (loss, accuracy of the digits), as they were before the update."""
        x = torch.from_numpy(batch.reshape(len(batch), *self.model.input_shape)).to(self.device)
        y = torch.from_numpy(labels).to(self.device)
        optimizer.zero_grad()
        logits = module(x)
        loss = torch.nn.functional.cross_entropy(logits, self._targets(y))
        if self.settings.l2:
            loss = loss + self.settings.l2 / 2 * sum((p * p).sum() for p in module.parameters() if p.ndim > 1)
        loss.backward()
        if self.settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(module.parameters(), self.settings.clip_norm)
        optimizer.step()
        right = (logits.argmax(dim=1) == y).sum().item()
        return loss.item(), right / max((labels >= 0).sum(), 1)

    def _targets(self, y: torch.Tensor) -> torch.Tensor:
        """Labels (N,) -> probabilities (N, 10): 1 on the label but for what is smoothed; flat where the label is -1."""
        spread = torch.where(y < 0, 1.0, self.settings.label_smoothing)[:, None]
        return (1 - spread) * torch.nn.functional.one_hot(y.clamp(min=0), 10) + spread / 10

    def _save(self) -> None:
        self._log()


if __name__ == "__main__":
    sys.exit(main())
