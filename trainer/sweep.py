#!/usr/bin/env python3
"""Trains many networks on the processes of this machine or on a Dask cluster. Run again, it goes on with what is missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # called as a file: find the package `trainer`
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # a training a process; each needs one core

from trainer.command import TrainerError, UsageError, make_parser, require, run  # noqa: E402

require("numpy", "matplotlib", "PIL", "tqdm", "distributed")

import argparse  # noqa: E402
import csv  # noqa: E402
import io  # noqa: E402
import logging  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402

from distributed import Client, LocalCluster, as_completed  # noqa: E402

from inkling.training import Settings  # noqa: E402
from trainer import plots  # noqa: E402
from trainer.files import RUNS, atomic_file, shown, write_json  # noqa: E402
from trainer.models import read_card  # noqa: E402
from trainer.sweep_plan import read_plan, train_one  # noqa: E402

ANSWER, PATIENCE = 10, 60  # s until a scheduler must answer, and have a worker
MEASURED = ("validation_accuracy", "validation_loss", "seconds")


def parser(program: str = "sweep.py") -> argparse.ArgumentParser:
    parser = make_parser(program, __doc__, "python -m trainer sweep sweep.toml --workers 4")
    parser.add_argument("plan", type=Path, help="TOML with any of a run's settings; each list is tried with every other")
    parser.add_argument("--scheduler", metavar="ADDRESS", 
                        help="of a Dask cluster whose workers have this package, such as tcp://10.0.0.5:8786; default: this machine")
    parser.add_argument("--workers", type=int, metavar="N", help="processes on this machine; default: one a core")
    parser.add_argument("--data", type=Path, metavar="DIR", 
                        help="folder of files in MNIST's format and names, as the workers see it; default MNIST, fetched once")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="default: runs/sweep-<name of the plan>")
    return parser


def main(arguments: list[str] | None = None, program: str = "sweep.py") -> int:
    return run(parser(program), sweep, arguments)


def sweep(options: argparse.Namespace) -> int:
    """Trains what is missing, then draws up table and picture. Returns 1 if a training failed."""
    if options.workers is not None and (options.workers < 1 or options.scheduler):
        raise UsageError("--workers is the number of processes on this machine, 1 or more; a cluster behind --scheduler has its own")
    data = options.data and str(options.data if options.scheduler else options.data.resolve())
    plan, varied = read_plan(options.plan, data)
    out = options.out or RUNS / f"sweep-{options.plan.stem}"
    missing = {name: settings for name, settings in plan.items() if not (out / f"{name}.json").exists()}
    print(f"{len(plan)} trainings, {len(plan) - len(missing)} of them done before; results go to {shown(out)}", flush=True)
    failed = 0
    if missing:
        with connect(options.scheduler, options.workers or os.cpu_count() or 1) as client:
            failed = train_all(client, missing, data, out)
    results = {name: read_card(out / f"{name}.json") for name in plan if (out / f"{name}.json").exists()}
    if results:
        report(results, varied, out)
    return int(failed > 0)


@contextmanager
def connect(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client of the cluster, or of one of this machine's own processes that ends with the block. Raises TrainerError."""
    if scheduler is None:
        # No dashboard, and only this machine may talk to it: what a Dask worker is sent, it runs.
        with LocalCluster(n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
                          silence_logs=logging.CRITICAL) as cluster:
            with Client(cluster) as client:
                yield client
        return
    try:
        client = Client(scheduler, timeout=ANSWER)
    except (OSError, ValueError) as error:
        raise TrainerError(f"--scheduler {scheduler}: no Dask scheduler answers there ({error}). Start one with: dask scheduler") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise TrainerError(f"--scheduler {scheduler}: has no workers. Start some, on any machine, with: dask worker {scheduler} --nthreads 1") from error
        yield client


def train_all(client: Client, missing: dict[str, Settings], data: str | None, out: Path, training: Callable[[dict, str | None], dict] = train_one) -> int:
    """Trains these networks and writes each result as it comes: <name>.npz, then <name>.json. Returns how many failed.

    A worker that dies loses the training that it was at; Dask gives it to another. Raises TrainerError if the scheduler is lost.
    """
    out.mkdir(parents=True, exist_ok=True)
    futures = [client.submit(training, settings.to_dict(), data, key=name, pure=False) for name, settings in missing.items()]
    failed = 0
    for n, future in enumerate(as_completed(futures), 1):
        name = future.key
        if future.cancelled():  # nobody does so here: the scheduler is gone, or has forgotten us
            raise TrainerError(f"the scheduler was lost with {len(futures) - n + 1} trainings to come. Call it again: it goes on with those")
        if error := future.exception():
            print(f"{n}/{len(futures)}  {name}: FAILED, {error}", flush=True)
            failed += 1
            continue
        result = future.result()
        with atomic_file(out / f"{name}.npz") as file:
            file.write(result.pop("npz"))
        write_json(out / f"{name}.json", result)  # last: what has this file is done
        print(f"{n}/{len(futures)}  {name}: validation {result['validation_accuracy']:.2%}, {result['seconds']:.0f} s", flush=True)
        future.release()
    return failed


def report(results: dict[str, dict], varied: list[str], out: Path) -> None:
    """Writes results.csv and results.png, the best first, and prints the table."""
    best_first = sorted(results.items(), key=lambda item: (-item[1]["validation_accuracy"], item[1]["validation_loss"]))
    rows = [{"name": name, **{key: result["settings"][key] for key in varied}, **{key: result[key] for key in MEASURED}} for name, result in best_first]
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    with atomic_file(out / "results.csv") as file:
        file.write(text.getvalue().encode())
    groups: dict[str, list[float]] = {}
    for row in rows:
        groups.setdefault(", ".join(str(row[key]) for key in varied if key != "seed") or "all", []).append(row["validation_accuracy"])
    plots.draw_sweep(out / "results.png", out.name, groups)
    print(as_text(rows))
    print(f"Table: {shown(out / 'results.csv')}   picture: {shown(out / 'results.png')}")


def as_text(rows: list[dict]) -> str:
    """The table for people, without the names."""
    cells = [[key for key in rows[0] if key != "name"]]
    for row in rows:
        cells.append([f"{value:.2%}" if key == "validation_accuracy" else f"{value:.4g}" if isinstance(value, float) else str(value)
                      for key, value in row.items() if key != "name"])
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)


if __name__ == "__main__":
    sys.exit(main())
