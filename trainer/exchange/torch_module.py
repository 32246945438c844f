"""The same network as a `torch.nn.Sequential`: layer for layer, so that the names in its state_dict are those of `names`."""

from __future__ import annotations

import torch

from inkling.model import Sequential

from .names import to_torch

MODULES = {
    "Dense": lambda c: torch.nn.Linear(c["n_in"], c["n_out"]),
    "Conv2D": lambda c: torch.nn.Conv2d(c["channels_in"], c["channels_out"], c["kernel_size"], stride=c["stride"], padding=c["padding"]),
    "MaxPool2D": lambda c: torch.nn.MaxPool2d(c["pool_size"]),
    "ReLU": lambda c: torch.nn.ReLU(),
    "Flatten": lambda c: torch.nn.Flatten(),
    "Dropout": lambda c: torch.nn.Dropout(c["rate"]),
}


def to_module(model: Sequential) -> torch.nn.Sequential:
    """With copies of the model's parameters. It takes what the model's first layer takes: (N, *input_shape)."""
    module = torch.nn.Sequential(*(MODULES[type(layer).__name__](layer.config) for layer in model.layers))
    module.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch(model).items()})
    return module


def take_parameters(model: Sequential, module: torch.nn.Sequential) -> None:
    """Copies the module's parameters into the model that it was made from, also those of a run that diverged: its loss says so."""
    taken = {}
    for i, part in enumerate(module):
        for name, tensor in part.named_parameters():
            array = tensor.detach().cpu().numpy()
            taken[f"{i}.{'W' if name == 'weight' else 'b'}"] = array.T if isinstance(part, torch.nn.Linear) and array.ndim == 2 else array
    model.set_parameters(taken)
