"""build.py from outside: help, exit codes, one-line errors; and what `test` prepares before it calls pytest."""

import json
import subprocess
import sys

import pytest

import build
from builder import browsers, checks, common, node
from builder.common import ROOT, BuildError, python_command
from builder.compress import BEST, QUICK


def call(*arguments):
    run = subprocess.run([sys.executable, str(ROOT / "build.py"), *arguments], capture_output=True, text=True, cwd=ROOT)
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("command", ["build", "serve", "test", "bench", "clean"])
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build.main([command, "--help"])
    assert ended.value.code == 0
    assert f"example: {python_command()} build.py {command}" in capsys.readouterr().out


def test_the_python_that_help_names_can_be_called_so():
    question = "import sys; print(sys.version_info[:2])"
    run = subprocess.run(f'{python_command()} -c "{question}"', shell=True, capture_output=True, text=True)
    assert run.stdout.strip() == str(sys.version_info[:2])


@pytest.mark.parametrize(
    "platform, executable, on_path, expected",
    [
        ("linux", "python3", {"python3": "python3"}, "python3"),
        ("linux", "python3", {"python3": "another", "py": "py"}, "{folder}/python3"),
        ("linux", "python3.14", {"python": "another"}, "{folder}/python3.14"),
        ("win32", "python.exe", {"python": "python.exe", "py": "py"}, "python"),
        ("win32", "python.exe", {"python": "another", "py": "py"}, "py"),
        ("win32", "python.exe", {}, "{folder}/python.exe"),
    ],
)
def test_a_name_is_advised_only_if_it_leads_to_this_python(tmp_path, monkeypatch, platform, executable, on_path, expected):
    for name in (executable, *on_path.values()):
        (tmp_path / name).touch()
    monkeypatch.setattr(common.sys, "executable", str(tmp_path / executable))
    monkeypatch.setattr(common.sys, "platform", platform)
    monkeypatch.setattr(common.shutil, "which", lambda name: str(tmp_path / on_path[name]) if name in on_path else None)
    assert python_command() == expected.format(folder=tmp_path)


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "0"], ["serve", "--port", "x"], ["serve", "--ports", "8000"], ["build", "extra"], ["bench"]]
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        build.main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("build.py") and error.endswith(" --help\n") and error.count("\n") == 1


def test_a_failure_is_one_line_and_exits_with_1():
    code, _, err = call("bench", "nonsense")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("build.py: there is no benchmark 'nonsense'; there are: ")


def test_debug_shows_the_traceback():
    assert "Traceback" in call("bench", "nonsense", "--debug")[2]


def test_an_old_python_is_told_so_in_one_line():
    script = f"import sys; sys.version_info = (3, 9, 2); sys.argv = ['build.py']; exec(open({str(ROOT / 'build.py')!r}).read())"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 1 and run.stderr.startswith("Inkling needs Python 3.11 or newer; this is 3.9") and run.stderr.count("\n") == 1


def test_pytests_arguments_are_handed_on_and_its_exit_code_back(monkeypatch):
    seen = {}
    monkeypatch.setattr(checks, "run_tests", lambda arguments, *, everything: seen.update(arguments=arguments, everything=everything) or 5)
    assert build.main(["test", "tests/test_layers.py", "-k", "conv", "--all", "-x", "--durations=5"]) == 5
    assert seen == {"arguments": ["tests/test_layers.py", "-k", "conv", "-x", "--durations=5"], "everything": True}


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Everything that run_tests prepares, without doing it; the commands that it would run are collected."""
    commands = []

    def run(command, **options):
        commands.append((command, options.get("env", {})))
        return subprocess.CompletedProcess(command, 0)

    def create_environment(folder):
        python = node.environment_python(folder)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        return python

    monkeypatch.setattr(checks, "ENVIRONMENT", tmp_path / "venv")
    monkeypatch.setattr(checks, "create_environment", create_environment)
    monkeypatch.setattr(checks.subprocess, "run", run)
    monkeypatch.setattr(checks, "find_browser", lambda: "/usr/bin/browser")
    monkeypatch.setattr(checks, "install_node_packages", lambda: None)
    monkeypatch.setattr(checks, "build", lambda brotli: commands.append((["build", str(brotli)], {})))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("INKLING_ALL", raising=False)
    return commands


def installs(commands):
    return [command for command, _ in commands if "pip" in command]


def test_packages_are_installed_once_and_torch_only_with_all(prepared, tmp_path, monkeypatch):
    assert checks.run_tests(["-x"], everything=False) == 0
    assert len(installs(prepared)) == 1 and not any("torch" in word for word in installs(prepared)[0])
    assert prepared[-2][0] == ["build", str(QUICK)]
    pytest_command, environment = prepared[-1]
    assert pytest_command[1:] == ["-m", "pytest", "-m", "not torch and not exchange and not sweep and not thorough", "-x"]
    assert environment["INKLING_CHROMIUM"] == "/usr/bin/browser" and "INKLING_ALL" not in environment

    checks.run_tests([], everything=False)
    assert len(installs(prepared)) == 1
    monkeypatch.setenv("CI", "true")
    checks.run_tests([], everything=False)
    assert len(installs(prepared)) == 2 and any(word.startswith("torch==") for word in installs(prepared)[1])
    assert prepared[-2][0] == ["build", str(BEST)]  # what is tested then is what is released
    assert prepared[-1][0][1:] == ["-m", "pytest"] and prepared[-1][1]["INKLING_ALL"] == "1"
    monkeypatch.delenv("CI")
    checks.run_tests([], everything=False)  # torch stays where it is
    assert len(installs(prepared)) == 2
    assert any(line.startswith("torch==") for line in json.loads((tmp_path / "venv" / "installed.json").read_text())["requirements"])


def test_every_test_dependency_is_pinned_exactly():
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert all(requirement.count("==") == 1 for requirements in extras.values() for requirement in requirements)
    assert set(extras["train"]) <= set(extras["dev"])


def test_lock_files_name_packages_and_no_hosts():
    text = (ROOT / "package-lock.json").read_text()
    assert "resolved" not in text and "http" not in text.replace("https://opencollective.com", "")


def test_sources_have_the_same_line_ends_on_every_system():
    # The folders of dist/ are named by the content of these files; .gitattributes keeps Git for Windows from changing it.
    texts = [path for folder in ("site", "weights") for path in (ROOT / folder).rglob("*") if path.suffix in (".js", ".css", ".html", ".json", ".py")]
    assert texts and [path.name for path in texts if b"\r" in path.read_bytes()] == []


def test_a_browser_named_by_hand_wins_and_must_exist(tmp_path, monkeypatch):
    browser = tmp_path / "my browser"
    browser.touch()
    monkeypatch.setenv("INKLING_CHROMIUM", str(browser))
    assert browsers.find_browser() == str(browser)
    monkeypatch.setenv("INKLING_CHROMIUM", str(tmp_path / "gone"))
    with pytest.raises(BuildError, match="INKLING_CHROMIUM names .*gone"):
        browsers.find_browser()


def test_a_browser_is_looked_for_in_windows_usual_places(tmp_path, monkeypatch):
    edge = tmp_path / r"Microsoft\Edge\Application\msedge.exe"
    edge.parent.mkdir(parents=True, exist_ok=True)
    edge.touch()
    monkeypatch.delenv("INKLING_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PROGRAMFILES", str(tmp_path))
    monkeypatch.setattr(browsers.sys, "platform", "win32")
    assert browsers.find_browser() == str(edge)


def test_without_any_browser_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(checks.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", ""))
    with pytest.raises(BuildError, match="apt install chromium"):
        checks._install_browser(tmp_path / "python")


@pytest.mark.parametrize("answer, major", [("v24.19.0\n", 24), ("v18.1.0\n", 18), ("nonsense", 0)])
def test_nodes_version_is_read(monkeypatch, answer, major):
    monkeypatch.setattr(node.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, answer))
    assert node._major_version("node") == major


def test_a_node_that_does_not_start_counts_as_none(tmp_path):
    assert node._major_version(str(tmp_path / "node")) == 0
