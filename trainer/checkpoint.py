"""A training run between two epochs, on disk: everything needed to go on to the same result, bit for bit.

One .npz of arrays in named groups and a JSON text. The random state is not in it: each epoch draws from its own seed.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from .command import TrainerError
from .files import atomic_file

Arrays = dict[str, np.ndarray]


def save_checkpoint(path: Path, groups: dict[str, Arrays], facts: dict) -> None:
    """groups: name -> arrays by key.   facts: anything JSON can say."""
    arrays = {f"{group}/{key}": array for group, members in groups.items() for key, array in members.items()}
    with atomic_file(path) as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)


def load_checkpoint(path: Path) -> tuple[dict[str, Arrays], dict]:
    """What `save_checkpoint` was given. Raises TrainerError if the file is damaged."""
    groups: dict[str, Arrays] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            for name in archive.files:
                if name != "facts":
                    group, _, key = name.partition("/")
                    groups.setdefault(group, {})[key] = archive[name]
    except (OSError, ValueError, KeyError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise TrainerError(f"{path}: not a readable checkpoint ({error}). Start the run again in another folder") from error
    return groups, facts
