"""The tuning's trials at once: the same fixed trials of the network by SparkTrials, two at a time beside one.

    python tests/benchmarks/tuning.py [--trials 6] [--series 400] [--epochs 6] [--runs 3] [--out FILE.json]

Each contestant is a process with a Spark session of two cores, and a first, unmeasured trial in each worker, which
loads TensorFlow. The trials differ in their dropout alone, so that all cost the same. Both must find the same losses.
Wanted: two at a time end at least 1.6 times as soon.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from commandline import command, make_parser, write_json
from measured import contest, measured
from random_windows import HORIZON, MONDAY, SEED, WEEKS, write_windows

from shelfcast.session import open_session
from shelfcast.settings.networks import Networks
from shelfcast.training.stream import Source
from shelfcast.tuning.search import Grid, search
from shelfcast.tuning.trial import TrialTask, run_trial

CORES, WANTED = 2, 1.6
CUTOFF = (MONDAY + 7 * (WEEKS - 1)).astype(object)


def write_task(series: int, epochs: int, folder: Path) -> TrialTask:
    """A search on the windows of Poisson series, written into the folder with their words."""
    from shelfcast.training.networks import NetworkPlan, make_design, make_recipe

    files, known = write_windows(series, folder)
    words = [(name, word, code + 1) for name in known for code, word in enumerate(known[name])]
    vocabulary = pd.DataFrame(words, columns=["column", "value", "index"]).assign(panel="product", cutoff=CUTOFF)
    vocabulary.to_parquet(folder / "words.parquet")
    settings = Networks(epochs=epochs)
    plan = NetworkPlan(
        panel="product",
        model="mlp",
        cutoff=CUTOFF,
        source=Source(files, {}, HORIZON, WEEKS - HORIZON, WEEKS),
        vocabulary=(str(folder / "words.parquet"),),
        design=make_design("mlp", HORIZON, settings),
        recipe=make_recipe(settings, SEED),
        batch_size=settings.batch_size,
        country="US",
    )
    return TrialTask(plan, settings, "grid", "")


def losses(folder: Path) -> list[float]:
    """Of each trial, in the order of their numbers."""
    return [json.loads(path.read_text())["loss"] for path in sorted(folder.glob("*.json"))]


def play(parallelism: int, arguments: argparse.Namespace) -> None:
    """In the contestant's own process: start, load what is needed, search so often, tell."""
    scratch = arguments.scratch
    task = write_task(arguments.series, arguments.epochs, scratch)
    spark = open_session("benchmark", {"spark.master": f"local[{CORES}]", "spark.local.dir": str(scratch)})

    def work(name: str, dropouts: Sequence[float], at_once: int) -> dict[str, Any]:
        own = TrialTask(task.plan, task.settings, task.method, str(scratch / name))
        search(spark, Grid({"dropout": dropouts}), partial(run_trial, own), (), at_once)
        return {"losses": losses(scratch / name)}

    work("first", [0.01 * n for n in range(CORES)], CORES)
    trials = [0.05 * n for n in range(arguments.trials)]
    contest(time.time(), lambda number: work(f"run-{number}", trials, parallelism), arguments.runs)


def race(arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"wanted": WANTED}
    for parallelism in (1, CORES):
        with tempfile.TemporaryDirectory() as scratch:
            names = ("trials", "series", "epochs", "runs")
            started = command(__file__, parallelism, arguments, *names, scratch=scratch)
            found[f"{parallelism} at a time"] = measured(started, {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"})
    one, several = (found[f"{parallelism} at a time"] for parallelism in (1, CORES))
    if len(one["losses"]) != arguments.trials or not np.allclose(one["losses"], several["losses"], rtol=1e-4):
        raise SystemExit(f"losses: found {several['losses']} beside {one['losses']}; wanted the same of each trial")
    return found | {"speed_up": round(one["median_s"] / several["median_s"], 2)}


def show(found: dict[str, Any]) -> None:
    print(f"{'':16s} {'median':>9s} {'first':>9s} {'processor':>10s} {'peak':>8s}")
    for name, result in found.items():
        if isinstance(result, dict):
            times = (result[key] for key in ("median_s", "first_s", "cpu_s"))
            print(f"{name:16s} {'{:7.2f} s {:7.2f} s {:8.2f} s'.format(*times)} {result['peak_gb']:5.2f} GB")
    print(f"{CORES} at a time are {found['speed_up']:.2f} times as fast; wanted {found['wanted']} or more")


def main() -> None:
    parser = make_parser(__doc__, trials=6, series=400, epochs=6, runs=3)
    parser.add_argument("--play", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        play(arguments.play, arguments)
        return
    found = race(arguments)
    show(found)
    write_json(found, arguments.out)


if __name__ == "__main__":
    main()
