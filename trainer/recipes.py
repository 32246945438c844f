"""The recipe of each shipped model, in one table: what `train.py --arch NAME` does without further options.

AdamW with a one-cycle learning rate and augmentation throughout; the rest is the defaults of `Settings`.
"""

from __future__ import annotations

import re

from inkling.training import Settings

RECIPES: dict[str, dict] = {
    "mlp-128-64": {"learning_rate": 0.003, "epochs": 60},
    "mlp-256-128": {"learning_rate": 0.003, "epochs": 60},
    "convnet": {"learning_rate": 0.004, "epochs": 32},
}
DEFAULT = "convnet"
OTHERS = {"learning_rate": 0.003, "epochs": 25}  # any other dense network


def recipe(arch: str, seed: int = 0) -> Settings:
    """The settings for a network by name, shipped or such as "784-300-10". Raises ValueError if there is no such network."""
    return Settings.from_dict({"arch": arch, "seed": seed, **RECIPES.get(arch, OTHERS)})


def is_own_recipe(settings: Settings) -> bool:
    """Whether these settings are just those from which a shipped model is made."""
    return settings.arch in RECIPES and settings == recipe(settings.arch)


def command(settings: Settings, program: str = "python trainer/train.py") -> str:
    """The command line that trains with these settings; what has no option of its own comes from the run folder's settings.json."""
    usual = recipe(settings.arch).to_dict()
    changed = {name: value for name, value in settings.to_dict().items() if value != usual[name]}
    words = [program, "--arch", settings.arch]
    if changed.keys() - OPTIONS:
        return " ".join([*words, "--settings settings.json"])
    for name, value in changed.items():
        option = "--" + name.replace("_", "-")
        words += [option if value else "--no-augment"] if name == "augment" else [option, str(value)]
    return " ".join(words)


OPTIONS = {"optimizer", "learning_rate", "schedule", "batch_size", "epochs", "augment", "seed"}  # those that train.py has an option for


def folder_name(settings: Settings) -> str:
    """What of a run folder's name comes from the settings."""
    return f"{re.sub(r'[^a-z0-9-]', '-', settings.arch)}-{settings.seed}"
