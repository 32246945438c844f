"""The READMEs tell the truth where a machine can see it: each command they name is understood, each link leads to a file."""

import importlib
import importlib.util
import re
import shlex

import pytest

import build
from builder.common import ROOT
from trainer.__main__ import COMMANDS

DOCUMENTS = [ROOT / name for name in ("README.md", "weights/README.md", "deploy/README.md", "examples/README.md", "docs/api.md")]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"""\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)\"""")
NEEDS = {"trainer.train_torch": "torch", "trainer.sweep": "distributed"}  # what few commands can't even be asked for help without
PYTHON = re.compile(r"(?:python3?|py) (?:(?!-)|(?=-m trainer\b))")


def commands(text):
    """The words after `python`, `python3` or `py` of each command in a document: ["build.py", "serve"], ["-m", "trainer", "health"]."""
    lines = [line for language, block in FENCED.findall(text) if language == "sh" for line in block.splitlines()]
    lines += [" ".join(code.split()) for code in INLINE.findall(FENCED.sub("", text))]
    return [shlex.split(line, comments=True)[1:] for line in lines if PYTHON.match(line)]


def links(text):
    """Where a document's links and pictures point to within the project."""
    prose = INLINE.sub("", FENCED.sub("", text))
    targets = [markdown or html for markdown, html in LINK.findall(prose)]
    return [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]


def named(find):
    """(document, what `find` sees in it), one test case each."""
    cases = [(path.relative_to(ROOT).as_posix(), found) for path in DOCUMENTS for found in find(path.read_text(encoding="utf-8"))]
    return [pytest.param(*case, id=f"{case[0]}: {case[1] if isinstance(case[1], str) else ' '.join(case[1])}") for case in cases]


def understand(script, arguments):
    """Parse the arguments as the script itself would. Raises SystemExit if it would refuse them."""
    if script == "build.py":
        options, rest = build.make_parser().parse_known_args(arguments or ["build"])
        assert not rest or options.run in (build.run_test, build.run_bench), f"build.py does not know {rest}"
    elif script == "-m":
        _, *words = arguments
        if words:  # without any it names the front door itself
            parser_of(COMMANDS[words[0]][0]).parse_args(words[1:])
    else:
        parser_of(script.removesuffix(".py").replace("/", ".")).parse_args(arguments)


def parser_of(module):
    """A command's parser. Skips where the library is missing without which the command only says what to install."""
    if module in NEEDS and importlib.util.find_spec(NEEDS[module]) is None:
        pytest.skip(f"{module} needs {NEEDS[module]}: python build.py test --all")
    return importlib.import_module(module).parser()


@pytest.mark.parametrize("document, command", named(commands))
def test_a_command_in_a_readme_is_understood(document, command):
    script, *arguments = command
    assert script == "-m" or (ROOT / script).is_file(), f"{document} names {script}, and there is no such file"
    understand(script, arguments)


@pytest.mark.parametrize("document, target", named(links))
def test_a_link_in_a_readme_leads_to_a_file(document, target):
    assert ((ROOT / document).parent / target).exists()


def test_the_readme_names_the_commands_that_matter():
    found = {" ".join(command[:2]) if command[0] == "build.py" else command[0] for command in commands(DOCUMENTS[0].read_text(encoding="utf-8"))}
    assert {"build.py serve", "build.py test", "build.py release", "trainer/train.py", "trainer/evaluate.py", "trainer/predict.py"} <= found


@pytest.mark.parametrize("script, arguments", [("build.py", ["serv"]), ("build.py", ["serve", "--fast"]), ("trainer/train.py", ["--fast"])])
def test_a_command_that_there_is_not_would_be_noticed(script, arguments):
    with pytest.raises((SystemExit, AssertionError)):
        understand(script, arguments)


def test_commands_and_links_are_found_however_they_are_written():
    text = "```sh\npython3 build.py serve  # look\npip install x\n```\nor `py build.py\n  test`, `python -m trainer health`, not `python -m x`.\n"
    text += '[a](b.md#c) ![d](e.png) [f](https://g) <img src="h.png">'
    assert commands(text) == [["build.py", "serve"], ["build.py", "test"], ["-m", "trainer", "health"]]
    assert links(text) == ["b.md", "e.png", "h.png"]
