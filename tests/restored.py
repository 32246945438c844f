"""Runs inside Pyodide, called by restored.mjs, after a start from the snapshot and after a slim one: what comes out must be the same."""

import importlib
import random
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np

MISSING = ("numpy.ma", "hmac")  # of a folder and of the standard library's archive: nobody has imported them before the snapshot

def _drawings():
    one = np.zeros((280, 280), np.uint8)
    one[40:240, 128:152] = 255
    y, x = np.mgrid[:280, :280] - 140
    zero = np.where(abs(np.hypot(x / 70, y / 100) - 1) < 0.15, 255, 0).astype(np.uint8)
    pair = np.concatenate((one[:, 60:220], zero[:, 40:240]), axis=1)
    photograph = np.dstack([np.where(zero > 0, 50, np.linspace(130, 220, 280)[:, None])] * 3 + [np.full((280, 280), 255)]).astype(np.uint8)
    return [(one, 1, False), (zero, 1, False), (pair, 1, True), (photograph, 4, False), (photograph, 4, True), (np.zeros_like(one), 1, False)]


def before_modules_come() -> dict:
    """Every way to ask for an answer, while there is no file from which a module could be imported."""
    answers = []
    for pixels, channels, numbers in _drawings():
        height, width = pixels.shape[:2]
        answer = session.predict(pixels.tobytes(), width, height, channels, numbers)  # noqa: F821  the page's session
        session.debug(pixels.tobytes(), width, height, channels)  # noqa: F821
        answers.append([answer["text"], answer["reason"], answer["probabilities"]])
    return {
        "answers": answers,
        "self_test": session.health()["self_test"]["ok"],  # noqa: F821
        "refused": _raised(session.predict, b"123", 280, 280),  # noqa: F821
        "missing": [_raised(__import__, name) for name in MISSING],
        "chance": random.random(),
    }


def with_all_modules() -> dict:
    return {
        "missing": [_raised(__import__, name) for name in MISSING],
        "median": float(np.median([3.0, 1.0, 2.0])),
        "curve": _train(),
        "errors": [
            _raised(np.linalg.inv, np.zeros((2, 3))),
            _raised(np.uint8, 300),
            _raised(np.ones((2, 3)).dot, np.ones(2)),
            _raised(np.zeros(3).reshape, 2, 2),
            _raised(np.frombuffer, b"123", np.float64),
            _raised(session.use_model, "damaged", b"PK\x03\x04 no zip"),  # noqa: F821
        ],
        "solved": np.linalg.solve(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([3.0, 5.0])).tolist(),
        "warned": _warned(),
        "grown": _grow(),
        "modules": sorted(name for name in sys.modules if name.startswith("inkling")),
        "random": _draw(),
        "imports": _import_all(),
    }


def _raised(call, *arguments) -> str:
    try:
        call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _train() -> list[float]:
    """Losses of a few steps with a seed: to the last bit what any other runtime gives."""
    from inkling.training import Settings, train

    settings = Settings(arch="784-32-10", epochs=2, batch_size=16, seed=7)
    images, labels = np.abs(np.sin(np.arange(64 * 784, dtype=np.float32))).reshape(64, 28, 28), np.arange(64) % 10
    model, optimizer = settings.make_model(), settings.make_optimizer()
    return [float(progress.loss) for progress in train(model, optimizer, images, labels, settings)]


def _warned() -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.mean([])  # WebAssembly has no floating-point flags, so nothing warns of a division by zero there
        np.array([1, 2]).view(np.complex64).astype(np.float32)
    return [f"{warning.category.__name__}: {warning.message}" for warning in caught]


def _draw() -> list[float]:
    """Numbers by every generator and every kind of distribution of numpy.random: each generator is a library of its own."""
    bits = [getattr(np.random, name)(3) for name in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")]
    rng = np.random.default_rng(5)
    numbers = [float(np.random.Generator(each).standard_normal()) for each in bits] + [float(np.random.RandomState(2).rand())]
    for kind in ("normal", "uniform", "poisson", "exponential", "standard_gamma", "beta", "binomial", "geometric", "zipf", "vonmises", "permutation", "choice", "integers"):
        arguments = {"standard_gamma": [2.0], "beta": [2.0, 3.0], "binomial": [9, 0.3], "geometric": [0.2], "zipf": [2.0], "vonmises": [0.5, 1.0],
                     "permutation": [7], "choice": [7], "integers": [1000]}.get(kind, [])
        numbers.append(float(np.sum(getattr(rng, kind)(*arguments))))
    return numbers


def _import_all() -> dict[str, str]:
    """Every module of the archives, and what its import raises: many are not imported by anything of ours, and some are made of other libraries."""
    [archive] = [path for path in sys.path if path.endswith(".zip")]
    with zipfile.ZipFile(archive) as standard:
        files = [Path(name) for name in standard.namelist()]
    site = Path(np.__file__).parent.parent
    files += [path.relative_to(site) for folder in (np, sys.modules["inkling"]) for path in Path(folder.__file__).parent.rglob("*")]
    modules = {path.parent if path.stem == "__init__" else path.with_name(path.name.partition(".")[0]) for path in files if path.suffix in (".pyc", ".so")}
    names = [".".join(path.parts) for path in sorted(modules)] + sorted(sys.builtin_module_names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: _raised(importlib.import_module, name) for name in names}


def _grow() -> int:
    """100 MB are taken and given back: the memory must grow past what the snapshot had."""
    pieces = [np.full(2_500_000, i, np.float32) for i in range(10)]
    return int(sum(float(piece[-1]) for piece in pieces))
