"""Who may import whom, read from the sources: the network stays plain NumPy, and nothing depends on what stands above it."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NETWORK = ROOT / "site" / "py" / "inkling"

# Module of inkling -> the modules of inkling that it may import.
ALLOWED = {
    "__init__": set(),
    "initializers": set(), "losses": set(), "optimizers": set(), "preprocess": set(), "augment": set(), "views": set(),
    "layers": {"initializers"},
    "model": {"layers", "views"},
    "numbers": {"preprocess"},
    "weights": {"model"}, "explain": {"model"},
    "settings": {"model", "optimizers"},
    "training": {"settings", "model", "losses", "optimizers"},
    "learning": {"augment", "settings", "training", "losses", "model", "optimizers", "weights"},
    "finetuning": {"augment", "settings", "training", "layers", "losses", "model", "learning"},
    "lessons": {"settings", "training", "losses", "model", "weights", "learning", "finetuning"},
    "session": {"initializers", "losses", "optimizers", "preprocess", "numbers", "layers", "model", "weights", "explain", "training",
                "lessons", "__init__"},
    "shipped": {"session"},  # for programs; nothing of ours imports it
}


def imports(source, package=""):
    """The dotted names that a source imports, anywhere in it; relative ones completed with `package`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, [package, node.module])) if node.level else node.module
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def roots(names):
    """The top-level packages of dotted names."""
    return {name.split(".")[0] for name in names}


def modules_of_inkling(names):
    """Those modules of inkling that the dotted names lead to; a name that is no module is inkling/__init__'s own."""
    parts = [name.split(".") for name in names if name.split(".")[0] == "inkling"]
    return {part[1] if len(part) > 1 and part[1] in ALLOWED else "__init__" for part in parts}


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def read(path):
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sources("site/py/inkling"), ids=lambda path: path.stem)
def test_the_network_imports_numpy_and_the_standard_library_only(path):
    assert roots(imports(read(path), "inkling")) <= {"inkling", "numpy"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", sources("site/py/inkling"), ids=lambda path: path.stem)
def test_a_module_of_the_network_imports_only_what_stands_below_it(path):
    assert path.stem in ALLOWED, "a new module: say in ALLOWED, and in the design, what it may import"
    assert modules_of_inkling(imports(read(path), "inkling")) <= ALLOWED[path.stem]


def test_nothing_in_the_network_imports_the_session():
    parts = [path for path in sources("site/py/inkling") if path.stem != "shipped"]
    assert [path.name for path in parts if "session" in modules_of_inkling(imports(read(path), "inkling"))] == []


def test_optimizers_see_pairs_of_arrays_and_no_layers():
    nodes = list(ast.walk(ast.parse(read(NETWORK / "optimizers.py"))))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {node.id for node in nodes if isinstance(node, ast.Name)}
    assert not names & {"layer", "layers", "Layer", "model", "params", "grads", "params_and_grads"}


# prepare_snapshot.py is no part of the program: Pyodide runs it.
BUILDER = [path for path in (*sources("builder"), ROOT / "build.py") if path.name != "prepare_snapshot.py"]


@pytest.mark.parametrize("path", BUILDER, ids=lambda path: path.name)
def test_the_builder_imports_neither_the_network_nor_the_trainer(path):
    assert not roots(imports(read(path), "builder")) & {"inkling", "trainer"}


@pytest.mark.parametrize("path", BUILDER, ids=lambda path: path.name)
def test_the_builder_needs_the_standard_library_only(path):
    assert roots(imports(read(path), "builder")) <= {"builder"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", sources("trainer"), ids=lambda path: path.name)
def test_the_trainer_does_not_import_the_builder(path):
    assert not roots(imports(read(path), "trainer")) & {"builder", "build"}


def test_nothing_is_drawn_from_a_global_seed():
    legacy = {"seed", "rand", "randn", "randint", "shuffle", "permutation", "normal", "uniform", "choice", "random", "RandomState"}
    for path in [*sources("site/py/inkling"), *sources("trainer")]:
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.Attribute) and node.attr in legacy and isinstance(node.value, ast.Attribute):
                assert not (node.value.attr == "random" and isinstance(node.value.value, ast.Name) and node.value.value.id in ("np", "numpy")), \
                    f"{path.name}, line {node.lineno}: np.random.{node.attr} draws from a global generator"


# The reader of imports itself


@pytest.mark.parametrize("source, expected", [
    ("import js", {"js"}),
    ("def f():\n    from PIL import Image", {"PIL"}),
    ("try:\n    import pyodide.ffi as ffi\nexcept ImportError:\n    pass", {"pyodide"}),
    ("from .session import Session", {"inkling"}),
    ("from . import session", {"inkling"}),
    ("import numpy as np, trainer.data", {"numpy", "trainer"}),
])
def test_imports_are_found_wherever_they_stand(source, expected):
    assert roots(imports(source, "inkling")) == expected


@pytest.mark.parametrize("source", [
    "from .session import Session", "from . import session", "import inkling.session", "from inkling.session import Session",
    "from inkling import session"])
def test_every_way_to_import_a_module_counts(source):
    assert modules_of_inkling(imports(source, "inkling")) == {"session"}
