"""All commands under one: `python -m trainer COMMAND`, or `inkling COMMAND` once it is installed. Each is a script of its own, too."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {  # name -> (module with main(arguments, program), what it does)
    "train": ("trainer.train", "train a network"),
    "train-torch": ("trainer.train_torch", "train it with PyTorch"),
    "sweep": ("trainer.sweep", "train many, on several processes or machines"),
    "evaluate": ("trainer.evaluate", "measure networks on MNIST and on real drawings"),
    "predict": ("trainer.predict", "read the digit, or the number, in pictures"),
    "debug-image": ("trainer.debug_image", "show what preprocessing makes of a picture"),
    "health": ("trainer.health", "versions, model, and whether known sums come out right"),
    "models": ("trainer.list_models", "the networks in weights/ and how good they are"),
    "import": ("trainer.import_model", "take over a network: .pth, .safetensors, .json"),
    "export": ("trainer.export_model", "write one as .pth, .safetensors, .onnx, .json"),
}


def help_text() -> str:
    """What `--help` prints."""
    lines = [f"  {name:12} {does}" for name, (_, does) in COMMANDS.items()]
    return "\n".join([f"usage: {program()} COMMAND [options]", "", "commands:", *lines, "",
                      f"Options and an example of each: {program()} COMMAND --help", "exit codes: 0 done, 1 failed, 2 called in a wrong way"])


def program() -> str:
    """How the person called it."""
    return "python -m trainer" if sys.argv[0].endswith("__main__.py") else "inkling"


def main(arguments: list[str] | None = None) -> int:
    """Hands the rest of the line to the command; returns its exit code."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name in ("-h", "--help"):
        print(help_text())
        return 0
    if name not in COMMANDS:
        print(f"{program()}: {f'there is no command {name!r}' if name else 'a command is missing'}; there are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return importlib.import_module(COMMANDS[name][0]).main(rest, f"{program()} {name}")


if __name__ == "__main__":
    sys.exit(main())
