"""What all commands share: the packages they need, one kind of error, and exit codes: 0, 1 failure, 2 usage.

Standard library only, as it has to run before anything is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

PACKAGES = {"numpy": "numpy", "PIL": "pillow", "matplotlib": "matplotlib", "tqdm": "tqdm",
            "fontTools": "fonttools", "HersheyFonts": "Hershey-Fonts", "unlzw3": "unlzw3", "torch": "torch", "safetensors": "safetensors", "onnx": "onnx",
            "onnxruntime": "onnxruntime", "distributed": "distributed"}  # import name -> pip's name


class TrainerError(Exception):
    """Something a person can act on; its text is the whole message."""


class UsageError(TrainerError):
    """Options that do not go together, or have a value that makes no sense."""


def require(*modules: str) -> None:
    """Ends the program, saying what to install, if one of these modules is not there."""
    missing = [PACKAGES[module] for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        program = sys.argv[0].replace("\\", "/").rpartition("/")[2]
        sys.exit(f"{program}: needs {', '.join(missing)}. Install with: python -m pip install {' '.join(missing)}")


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all our errors are; argparse puts the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.splitlines())}. See {self.prog} --help\n")


def make_parser(program: str, description: str, example: str) -> argparse.ArgumentParser:
    """A parser with what every command has: exit codes, an example, and --debug."""
    ends = "Ends with 0, with 1 if it failed, with 2 if it was called in a wrong way."
    parser = OneLineParser(prog=program, description=f"{description} {ends}", epilog=f"example: {example}", allow_abbrev=False)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def run(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int], arguments: list[str] | None) -> int:
    """Reads the arguments, runs the command and returns its exit code; an error is one line on stderr."""
    options = parser.parse_args(arguments)
    options.program = parser.prog
    try:
        return command(options)
    except UsageError as error:
        return _fail(parser.prog, error, options.debug, 2)
    except (TrainerError, OSError, MemoryError, ValueError) as error:
        return _fail(parser.prog, error, options.debug, 1)
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped", file=sys.stderr)
        return 1
    except Exception as error:  # a mistake of ours, which the traceback shows to whoever asks for it
        where = "" if options.debug else "; run it again with --debug to see where"
        return _fail(parser.prog, f"unexpected {type(error).__name__}: {error}{where}", options.debug, 1)


def _fail(program: str, error: Exception | str, debug: bool, code: int) -> int:
    if debug:
        traceback.print_exc()
    print(f"{program}: {' '.join(str(error).splitlines()) or type(error).__name__}", file=sys.stderr)
    return code
