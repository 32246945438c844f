"""What `build.py test` and `build.py bench` need: a virtual environment with pinned packages, a browser, axe-core, dist/."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from builder.assemble import build
from builder.browsers import find_browser
from builder.common import ROOT, BuildError, say
from builder.compress import BEST, QUICK
from builder.node import create_environment, environment_python, install_node_packages

ENVIRONMENT = ROOT / ".venv-test"
NOT_PLAIN = ("torch", "exchange", "sweep", "thorough")  # markers of tests that only --all runs; those of engines skip themselves
FOR_ALL = ("torch", "engines", "exchange", "sweep")  # extras beside "dev" that --all takes
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2", "--timeout", "30")


def run_tests(arguments: list[str], *, everything: bool) -> int:
    """Make all ready, run pytest with `arguments`, return its exit code.

    everything: also the tests that need large downloads or much time, told to them as INKLING_ALL=1.
    """
    everything = everything or os.environ.get("CI", "").lower() in ("1", "true")
    python, environment = _prepare(everything, BEST if everything else QUICK)
    selection = [] if everything else ["-m", " and ".join(f"not {marker}" for marker in NOT_PLAIN)]
    return subprocess.run([str(python), "-m", "pytest", *selection, *arguments], cwd=ROOT, env=environment).returncode


def run_benchmark(name: str, arguments: list[str], *, everything: bool) -> int:
    """Run benchmarks/bench_<name>.py in the tests' environment; return its exit code."""
    script = ROOT / "benchmarks" / f"bench_{name}.py"
    if not script.is_file():
        names = sorted(path.stem.removeprefix("bench_") for path in script.parent.glob("bench_*.py"))
        raise BuildError(f"there is no benchmark '{name}'; there are: {', '.join(names) or 'none'}")
    python, environment = _prepare(everything, BEST)
    return subprocess.run([str(python), str(script), *arguments], cwd=ROOT, env=environment).returncode


def _prepare(everything: bool, brotli: int) -> tuple[Path, dict[str, str]]:
    """Packages, browser, axe-core, dist/. Returns the environment's Python and the variables for it."""
    python = install_packages(("dev", *FOR_ALL) if everything else ("dev",))
    browser = find_browser() or _install_browser(python)
    install_node_packages()
    build(brotli=brotli)
    environment = os.environ | {"INKLING_CHROMIUM": browser, "PYTHONPATH": os.pathsep.join([str(ROOT / "site" / "py"), str(ROOT)])}
    return python, environment | ({"INKLING_ALL": "1"} if everything else {})


def install_packages(extras: tuple[str, ...]) -> Path:
    """Install what pyproject.toml lists under these extras, unless just that is there already; return the environment's Python."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    wanted = [requirement for extra in extras for requirement in listed[extra]]
    stamp = ENVIRONMENT / "installed.json"
    python = environment_python(ENVIRONMENT)
    try:
        installed = json.loads(stamp.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        installed = {}
    if installed.get("python") != sys.version or not python.is_file():
        say(f"Making a virtual environment in {ENVIRONMENT.name}")
        create_environment(ENVIRONMENT)
        installed = {"python": sys.version, "requirements": []}
    if missing := sorted(set(wanted) - set(installed["requirements"])):
        say(f"Installing {', '.join(missing)}")
        if subprocess.run([str(python), *PIP, *wanted]).returncode:
            raise BuildError(f"pip could not install {', '.join(missing)} into {ENVIRONMENT}; what it said stands above. Try again with a network")
        # A pin that pip has just replaced must not count as installed when an older pyproject.toml comes back.
        names = {requirement.partition("==")[0] for requirement in wanted}
        kept = [requirement for requirement in installed["requirements"] if requirement.partition("==")[0] not in names]
        stamp.write_text(json.dumps({"python": sys.version, "requirements": sorted(kept + wanted)}), encoding="utf-8")
    return python


def _install_browser(python: Path) -> str:
    """Have Playwright fetch its Chromium, and return the path."""
    say("No Chromium, Chrome or Edge here: asking Playwright to fetch its own Chromium")
    question = "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"
    installed = subprocess.run([str(python), "-m", "playwright", "install", "chromium"]).returncode == 0
    answer = subprocess.run([str(python), "-c", question], capture_output=True, text=True)
    path = answer.stdout.strip()
    if not installed or answer.returncode or not Path(path).is_file():
        raise BuildError(
            "the tests need a browser, none was found, and Playwright could not fetch one. Install Chromium, Google Chrome or Edge "
            "(Debian and Ubuntu: apt install chromium), or name one in INKLING_CHROMIUM"
        )
    return path
