"""Sweeps on a Dask cluster of two processes: results come, are kept and never made twice; a worker that is killed loses one training at most.

    python build.py test --all -m sweep
"""

import csv
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkling import weights
from tiny_mnist import write_folder

pytestmark = pytest.mark.sweep

PLAN = 'arch = ["784-12-10", "784-16-10"]\noptimizer = ["adamw", "momentum"]\nseed = [0, 1]\nepochs = 2\nbatch_size = 50\nlearning_rate = 0.01\n'


@pytest.fixture(scope="module", autouse=True)
def dask(pytestconfig):
    """Skips unless asked for; then what is missing is a failure."""
    if not os.environ.get("INKLING_ALL") and pytestconfig.option.markexpr.split() != ["sweep"]:
        pytest.skip("sweeps are tested with: python build.py test --all")
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        pytest.fail(f"a sweep needs Dask ({error}). Run these with: python build.py test --all", pytrace=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data"), 600, 20)


@pytest.fixture(scope="module")
def swept(data, tmp_path_factory):
    """The folder of a whole sweep."""
    from trainer import sweep

    folder = tmp_path_factory.mktemp("sweep")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    assert sweep.main([str(folder / "plan.toml"), "--workers", "2", "--data", str(data), "--out", str(folder / "out")]) == 0
    return folder


def results(folder):
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("784-*.json")}


def test_a_sweep_leaves_weights_a_table_and_a_picture(swept):
    out = swept / "out"
    found = results(out)
    assert len(found) == 8
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [*rows[0]] == ["name", "arch", "optimizer", "seed", "validation_accuracy", "validation_loss", "seconds"]
    accuracies = [float(row["validation_accuracy"]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert {row["name"]: float(row["validation_accuracy"]) for row in rows} == {name: result["validation_accuracy"] for name, result in found.items()}
    assert all(weights.load(out / f"{name}.npz").spec()["layers"][0]["n_out"] in (12, 16) for name in found)
    assert np.asarray(Image.open(out / "results.png").convert("L")).std() > 5


def test_a_sweep_gives_what_the_same_training_gives_here(swept, data):
    from trainer.sweep_plan import train_one

    name, result = sorted(results(swept / "out").items())[0]
    again = train_one(result["settings"], str(data))
    assert again["npz"] == (swept / "out" / f"{name}.npz").read_bytes() and again["history"] == result["history"]


def test_what_is_done_is_not_done_again(swept, data, capsys, monkeypatch):
    from trainer import sweep

    out = swept / "out"
    times = {path.name: path.stat().st_mtime_ns for path in out.glob("784-*")}
    monkeypatch.setattr(sweep, "connect", lambda *_: pytest.fail("there was nothing to train"))
    assert sweep.main([str(swept / "plan.toml"), "--data", str(data), "--out", str(out)]) == 0
    assert "8 trainings, 8 of them done before" in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("784-*")} == times
    monkeypatch.undo()
    lost = sorted(out.glob("784-*.json"))[3]
    before = lost.read_text(encoding="utf-8")
    lost.unlink()
    assert sweep.main([str(swept / "plan.toml"), "--data", str(data), "--out", str(out), "--workers", "1"]) == 0
    assert json.loads(lost.read_text(encoding="utf-8"))["history"] == json.loads(before)["history"]
    changed = {path.name for path in out.glob("784-*") if path.stat().st_mtime_ns != times[path.name]}
    assert changed == {lost.name, lost.with_suffix(".npz").name}


def noted(settings, data):
    """train_one, with a line in a file for each time that one begins and ends."""
    from trainer.sweep_plan import train_one

    def note(word):
        with (Path(data) / "begun.txt").open("a", encoding="utf-8") as file:  # one short write: lines of two processes do not mix
            file.write(f"{os.getpid()} {word} {settings['arch']} {settings['seed']}\n")

    note("begins")
    result = train_one(settings, data)
    note("ends")
    return result


@pytest.mark.skipif(sys.platform == "win32", reason="a process is killed the way Unix has it")
def test_a_killed_worker_loses_nothing_but_its_current_training(tmp_path, capsys, monkeypatch):
    from trainer import sweep
    from trainer.sweep_plan import read_plan

    data = write_folder(tmp_path, 2000, 20)
    text = 'arch = ["784-64-10", "784-65-10"]\nseed = [0, 1, 2, 3, 4]\nepochs = 40\nbatch_size = 20\naugment = false'
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    plan, _ = read_plan(tmp_path / "plan.toml", str(data))
    log, killed = tmp_path / "begun.txt", []

    def busy():
        """(process, training) of what has begun and not ended, the latest last."""
        running = {}
        for process, word, *training in map(str.split, log.read_text(encoding="utf-8").splitlines()):
            running.pop(process, None)
            if word == "begins":
                running[process] = training
        return list(running.items())

    write_json = sweep.write_json

    def kill_after_the_second(path, document):
        write_json(path, document)
        if len(results(tmp_path / "out")) == 2:
            process, training = busy()[-1]
            os.kill(int(process), signal.SIGKILL)
            killed.append(training)

    monkeypatch.setattr(sweep, "write_json", kill_after_the_second)
    with sweep.connect(None, 2) as client:
        assert sweep.train_all(client, plan, str(data), tmp_path / "out", training=noted) == 0
    assert results(tmp_path / "out").keys() == plan.keys()
    begun = [training for _, word, *training in map(str.split, log.read_text(encoding="utf-8").splitlines()) if word == "begins"]
    twice = [training for training in begun if begun.count(training) > 1]
    assert len(killed) == 1 and len(begun) == len(plan) + 1 and twice == [killed[0]] * 2


def test_a_training_that_fails_stops_none_of_the_others(data, tmp_path, capsys):
    from trainer import sweep

    plan = 'arch = "784-12-10"\noptimizer = "sgd"\nschedule = "constant"\nlearning_rate = [0.1, 1e30]\nepochs = 1'
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    assert sweep.main([str(tmp_path / "plan.toml"), "--workers", "1", "--data", str(data), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out
    assert said.count("FAILED") == 1 and len(results(tmp_path / "out")) == 1 and (tmp_path / "out" / "results.png").exists()


def test_another_cluster_is_used_by_its_address(data, tmp_path):
    from distributed import LocalCluster

    from trainer import sweep

    (tmp_path / "plan.toml").write_text('arch = "784-12-10"\nepochs = 1', encoding="utf-8")
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        arguments = ["--scheduler", cluster.scheduler_address, "--data", str(data), "--out", str(tmp_path / "out")]
        assert sweep.main([str(tmp_path / "plan.toml"), *arguments]) == 0
    assert len(results(tmp_path / "out")) == 1


def test_a_scheduler_that_is_not_there_or_has_no_workers_ends_with_1(tmp_path, capsys, monkeypatch):
    from distributed import LocalCluster

    from trainer import sweep

    monkeypatch.setattr(sweep, "ANSWER", 1)
    monkeypatch.setattr(sweep, "PATIENCE", 1)
    (tmp_path / "plan.toml").write_text("epochs = 1", encoding="utf-8")
    assert sweep.main([str(tmp_path / "plan.toml"), "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert "no Dask scheduler answers there" in capsys.readouterr().err
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as cluster:
        assert sweep.main([str(tmp_path / "plan.toml"), "--scheduler", cluster.scheduler_address]) == 1
    assert "has no workers. Start some" in capsys.readouterr().err


def test_a_scheduler_that_is_lost_ends_with_1_and_keeps_what_came(data, tmp_path, capsys, monkeypatch):
    from distributed import LocalCluster

    from trainer import sweep

    (tmp_path / "plan.toml").write_text('arch = "784-64-10"\nepochs = 20\nseed = [0, 1, 2, 3]', encoding="utf-8")
    cluster = LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    write_json = sweep.write_json

    def lose_the_scheduler(path, document):
        write_json(path, document)
        cluster.close()

    monkeypatch.setattr(sweep, "write_json", lose_the_scheduler)
    call = [str(tmp_path / "plan.toml"), "--scheduler", cluster.scheduler_address, "--data", str(data), "--out", str(tmp_path / "out")]
    assert sweep.main(call) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "sweep.py: the scheduler was lost with 3 trainings to come. Call it again: it goes on with those"
    assert len(results(tmp_path / "out")) == 1


@pytest.mark.parametrize("more", [["--workers", "0"], ["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"]])
def test_a_number_of_workers_that_makes_no_sense_ends_with_2(more, tmp_path, capsys):
    from trainer import sweep

    (tmp_path / "plan.toml").write_text("epochs = 1", encoding="utf-8")
    assert sweep.main([str(tmp_path / "plan.toml"), *more]) == 2
    assert "--workers is the number of processes" in capsys.readouterr().err
