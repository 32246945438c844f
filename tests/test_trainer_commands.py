"""The one command line: every command is found, has help with an example, and hands on its exit code; health, models, debug-image."""

import importlib
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inkling.session import Session
from trainer import ROOT, debug_image, health, list_models
from trainer.__main__ import COMMANDS, main, program
from trainer.files import WEIGHTS
from trainer.recipes import DEFAULT, RECIPES

README = (ROOT / "README.md").read_text(encoding="utf-8")
NEEDS = {"train-torch": "torch", "sweep": "distributed"}  # command -> module that its help can't be had without


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_it_understands(name, capsys):
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        with pytest.raises(SystemExit, match=f"needs {NEEDS[name]}. Install with"):
            main([name, "--help"])
        return
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0 and f"{program()} {name}" in said
    assert "Ends with 0, with 1 if it failed, with 2 if it was called in a wrong way." in said
    example = shlex.split(said.rpartition("example: ")[2])
    module = importlib.import_module(COMMANDS[name][0])
    script = COMMANDS[name][0].replace(".", "/") + ".py"
    assert example[:4] == ["python", "-m", "trainer", name] or example[:2] == ["python", script]
    module.parser().parse_args(example[4 if example[1] == "-m" else 2:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name):
    script = COMMANDS[name][0].replace(".", "/") + ".py"
    assert re.search(rf"-m trainer {name}\b", README) or script in README


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_there_is_not_ends_with_2(name, capsys):
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        return
    with pytest.raises(SystemExit) as end:
        main([name, "--no-such-option=1\n2"])
    error = capsys.readouterr().err
    assert end.value.code == 2 and error.startswith(f"{program()} {name}: ") and error.endswith(f". See {program()} {name} --help\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("card, said", [
    pytest.param("[" * 200_000, "not JSON", id="deep"), ("{", "not JSON"), ("[]", "not a model card"),
    ('{"sha256": 5}', "'sha256' must be a text"), ('{"mnist_test_accuracy": "99 %"}', "'mnist_test_accuracy' must be a number"),
    ('{"validation_accuracy": NaN}', "'validation_accuracy' must be a number"),
])
def test_a_damaged_card_beside_a_network_is_one_line_that_names_it(card, said, tmp_path, capsys):
    (tmp_path / "mine.npz").write_bytes((WEIGHTS / "mlp-128-64.npz").read_bytes())
    (tmp_path / "mine.json").write_text(card, encoding="utf-8")
    assert main(["health", "--model", str(tmp_path / "mine.npz")]) == 1
    error = capsys.readouterr().err
    assert f"mine.json: {said}" in error and error.count("\n") == 1


@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_a_network_or_card_too_large_is_refused_before_it_is_read(suffix, tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.npz").write_bytes((WEIGHTS / "mlp-128-64.npz").read_bytes())
    with open(tmp_path / f"mine.{suffix}", "wb") as file:
        file.truncate(100 * 2**20)  # a hole: it takes no room on the disk
    for name in ("read_bytes", "read_text"):
        read = getattr(Path, name)
        monkeypatch.setattr(Path, name, lambda path, *a, read=read, **b: pytest.fail("read") if path.suffix == f".{suffix}" else read(path, *a, **b))
    assert main(["health", "--model", str(tmp_path / "mine.npz")]) == 1
    error = capsys.readouterr().err
    assert f"mine.{suffix}: has 104,857,600 bytes; at most " in error and error.count("\n") == 1


def test_a_card_may_leave_hash_and_accuracy_open(tmp_path):
    (tmp_path / "mine.npz").write_bytes((WEIGHTS / "mlp-128-64.npz").read_bytes())
    (tmp_path / "mine.json").write_text('{"sha256": null, "mnist_test_accuracy": null}', encoding="utf-8")
    assert main(["health", "--model", str(tmp_path / "mine.npz")]) == 0


def test_a_mistake_of_ours_is_one_line_and_the_traceback_can_be_had(monkeypatch, capsys):
    monkeypatch.setattr(health, "find_model", lambda name: {}["a\nb"])
    assert health.main([]) == 1
    assert capsys.readouterr().err == "health.py: unexpected KeyError: 'a\\nb'; run it again with --debug to see where\n"
    assert health.main(["--debug"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback") and error.endswith("health.py: unexpected KeyError: 'a\\nb'\n")


def test_the_front_door_lists_the_commands_and_refuses_others(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in COMMANDS)
    assert main(["resnet"]) == 2 and "there is no command 'resnet'; there are train, " in capsys.readouterr().err
    assert main([]) == 2 and "a command is missing" in capsys.readouterr().err


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "trainer", "predict", "no-such-file.png"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == "python -m trainer predict: no-such-file.png: no such file\n"


def test_an_installation_has_every_package_and_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {"inkling", "inkling.networks"} | {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in (ROOT / "trainer").rglob("__init__.py")}
    assert set(project["tool"]["setuptools"]["packages"]) == packages
    module, function = project["project"]["scripts"]["inkling"].split(":")
    assert getattr(importlib.import_module(module), function) is main


# health


def test_health_has_the_fields_of_the_page(capsys):
    assert health.main(["--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["status", "versions", "model", "boot", "self_test"] and document["status"] == "ok"
    assert document["versions"].keys() == {"inkling", "pyodide", "python", "numpy"}
    assert document["versions"]["pyodide"] is None and document["boot"] is None
    card = json.loads((WEIGHTS / f"{DEFAULT}.json").read_text(encoding="utf-8"))
    assert document["model"] == {"name": DEFAULT, **{key: card[key] for key in ("sha256", "parameters", "mnist_test_accuracy")}}


def test_health_tells_people_and_ends_with_1_if_the_self_test_fails(monkeypatch, capsys):
    assert health.main(["--model", "mlp-128-64"]) == 0
    assert re.search(r"ok: Inkling .*\n  model +mlp-128-64, .*\n  sha256 .*\n  self-test  passed\n", capsys.readouterr().out)
    monkeypatch.setattr(Session, "self_test", lambda self: {"ok": False, "product": True, "digits": False})
    assert health.main([]) == 1
    said = capsys.readouterr().out
    assert said.startswith("degraded: ") and "self-test  failed: digits" in said


# models


def test_models_lists_what_the_cards_say(capsys):
    assert list_models.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(RECIPES) and [line.split()[0] for line in lines if "the default" in line] == [DEFAULT]
    assert list_models.main(["--json"]) == 0
    for model in json.loads(capsys.readouterr().out):
        card = json.loads((WEIGHTS / f"{model['name']}.json").read_text(encoding="utf-8"))
        assert model == {"name": model["name"], "card": card, "current": model["name"] == DEFAULT}


def test_models_notices_a_file_that_its_card_does_not_describe(tmp_path, monkeypatch, capsys):
    for suffix in ("npz", "json"):
        (tmp_path / f"mlp-128-64.{suffix}").write_bytes((WEIGHTS / f"{'convnet' if suffix == 'npz' else 'mlp-128-64'}.{suffix}").read_bytes())
    monkeypatch.setattr("trainer.models.WEIGHTS", tmp_path)
    assert list_models.main([]) == 1
    assert "mlp-128-64: the file is not the one that its card describes" in capsys.readouterr().err
    (tmp_path / "mlp-128-64.json").write_text("{}", encoding="utf-8")
    assert list_models.main([]) == 1
    assert "its card is damaged or lacks 'name'" in capsys.readouterr().err


# debug-image


@pytest.fixture
def seven(tmp_path):
    """A 7 with a speck beside it, in a file."""
    picture = Image.new("RGB", (500, 360), (235, 225, 205))
    pen = ImageDraw.Draw(picture)
    pen.line([(150, 80), (300, 80), (200, 280)], fill=(20, 40, 110), width=18, joint="curve")
    pen.ellipse([420, 300, 426, 306], fill=(20, 40, 110))
    picture.save(tmp_path / "seven.png")
    return tmp_path / "seven.png"


def test_debug_image_writes_what_the_network_sees_and_its_statistics(seven, tmp_path, capsys):
    assert debug_image.main([str(seven), "--out", str(tmp_path / "out"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    rgba = np.asarray(Image.open(seven).convert("RGBA"))
    expected = Session().debug(rgba, 500, 360, 4)
    assert facts.keys() - {"steps", "png"} == expected.keys()
    np.testing.assert_allclose(facts["image"], expected["image"], atol=1e-6)
    assert {key: facts[key] for key in expected if key != "image"} == {key: value for key, value in expected.items() if key != "image"}
    small = Image.open(facts["png"])
    assert (small.size, small.mode) == ((28, 28), "L")
    np.testing.assert_allclose(np.asarray(small).ravel() / 255, expected["image"], atol=0.002)


def test_debug_image_draws_five_steps_and_leaves_the_speck_out(seven, tmp_path, capsys):
    assert debug_image.main([str(seven), "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "500 x 360 px, dark strokes on light paper" in said and "centre of mass  (240.0, 140.2)" in said
    steps = np.asarray(Image.open(tmp_path / "seven-steps.png").convert("L"))
    tile = debug_image.TILE + debug_image.GAP
    assert steps.shape[1] == debug_image.GAP + 5 * tile
    ink, clean, centred = (steps[debug_image.CAPTION + debug_image.GAP:, debug_image.GAP + i * tile:][:debug_image.TILE, :debug_image.TILE] for i in (1, 2, 4))
    speck = np.s_[205:215, 232:242]  # in a tile, where the picture is scaled by 280 / 500
    assert ink[speck].max() == 255 and clean[speck].max() == 0
    assert centred.max() > 240


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (60, 60)])
def test_debug_image_of_an_empty_sheet_says_so(size, tmp_path, capsys):
    Image.new("L", size, 255).save(tmp_path / "a.png")
    assert debug_image.main([str(tmp_path / "a.png"), "--out", str(tmp_path)]) == 0
    assert "there is nothing drawn in it" in capsys.readouterr().out
    assert not np.asarray(Image.open(tmp_path / "a-28x28.png")).any()


def test_debug_image_of_no_picture_ends_with_1_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert debug_image.main([str(tmp_path / "a.png"), "--out", str(tmp_path / "out")]) == 1
    assert "not a picture" in capsys.readouterr().err and not (tmp_path / "out").exists()
