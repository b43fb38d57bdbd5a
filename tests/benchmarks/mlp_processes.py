"""Two processes of one core each, that Horovod joins, beside one: examples a second of the forecasting network.

    python tests/benchmarks/mlp_processes.py [--series 1500] [--batch 4096] [--units 128] [--runs 9] [--out FILE.json]

The same network, windows and global batch, of which each of two processes reads half, and the same learning rate; each
process is held to a core of its own. A run is an epoch; the first, in which TensorFlow traces, is not in the median.
Nine others are, for a virtual machine may stand still for seconds. Losses differ by the order of the rows alone.
Wanted: two are at least 1.6 times as fast.

Beside them two that work at the same time and tell one another nothing: what the machine gives to two cores, of which
those that train together cannot have more. Two cores of one that is shared, as virtual ones may be, give no 1.6.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from commandline import make_parser, write_json
from random_windows import HORIZON, SEED, WEEKS, write_windows

from shelfcast.models.mlp.loss import loss_sums
from shelfcast.models.mlp.network import make_network
from shelfcast.session import open_session
from shelfcast.settings.networks import Networks
from shelfcast.training import distributed
from shelfcast.training.communicator import Alone, Communicator
from shelfcast.training.loop import Recipe, Trainer
from shelfcast.training.networks import make_design
from shelfcast.training.stream import Source, Stream

CORES, WANTED, RATE = 2, 1.6, 0.001


class Told(NamedTuple):
    """Of each epoch the seconds it took and the loss, and the examples of one."""

    seconds: list[float]
    losses: list[float]
    examples: int


class Apart(Alone):
    """One of several processes that each read their share and never hear of the others."""

    def __init__(self, rank: int) -> None:
        self.rank, self.size, self.local_rank = rank, CORES, rank


@dataclass(frozen=True)
class Work:
    """What every process does. batch: of all processes together."""

    source: Source
    settings: Networks
    batch: int

    def __call__(self, communicator: Communicator) -> Told:
        # Set before TensorFlow starts its threads: one core each, as `train_mlp` does for several.
        os.sched_setaffinity(0, {communicator.local_rank})
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        epochs, size = self.settings.epochs, communicator.size
        sizes = tuple(len(words) + 1 for words in self.source.words.values())
        network = make_network(replace(make_design("mlp", HORIZON, self.settings), sizes=sizes), SEED)
        # The loop's rate is that of one process, and rises with their number.
        recipe = Recipe("adam", epochs, RATE / size, warmup=0.0, weight_decay=0.0, patience=epochs, seed=SEED)
        data = Stream(self.source, self.batch // size, SEED, communicator)
        trainer, seconds = Trainer(network, loss_sums, data, recipe, communicator), []
        while not trainer.is_done:
            communicator.join()
            started = time.monotonic()
            trainer.run_epoch()
            seconds.append(time.monotonic() - started)
        return Told(seconds, [epoch.loss for epoch in trainer.history], data.total)


def race(flags: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"wanted": WANTED}
    with tempfile.TemporaryDirectory() as scratch:
        files, words = write_windows(flags.series, Path(scratch))
        source = Source(files, words, HORIZON, WEEKS, WEEKS)
        work = Work(source, Networks(epochs=flags.runs + 1, units=flags.units), flags.batch)
        # A worker that was held to a core would hold to it what it starts next.
        settings = {"spark.local.dir": scratch, "spark.python.worker.reuse": "false"}
        spark = open_session("benchmark", {"spark.master": f"local[{CORES}]", **settings})
        for processes in (1, CORES):
            found[f"{processes} of one core"] = _told(distributed.run(spark, work, (), processes))
        ranks = spark.sparkContext.parallelize(range(CORES), CORES)
        apart = ranks.map(lambda rank: work(Apart(rank))).collect()
        # Each has counted its own examples alone.
        total = sum(told.examples for told in apart)
        found[f"{CORES} apart"] = _told([told._replace(examples=total) for told in apart])
        spark.stop()
    one, two, free = (found[name]["examples_a_second"] for name in ("1 of one core", "2 of one core", "2 apart"))
    return found | {"speed_up": round(two / one, 2), "of_what_cores_give": round(two / free, 2)}


def _told(of_ranks: list[Told]) -> dict[str, Any]:
    """Of processes that end an epoch when the last of them does."""
    seconds = np.max([told.seconds for told in of_ranks], axis=0)
    return {
        "examples_a_second": round(of_ranks[0].examples / float(np.median(seconds[1:]))),
        "seconds": [round(value, 3) for value in seconds],
        "losses": [round(value, 5) for value in of_ranks[0].losses],
    }


def show(found: dict[str, Any]) -> None:
    for name, result in found.items():
        if isinstance(result, dict):
            print(f"{name:14s} {result['examples_a_second']:10,d} examples/s   losses {result['losses']}")
    print(f"two are {found['speed_up']:.2f} times as fast; wanted {found['wanted']} or more")
    print(f"and have {found['of_what_cores_give']:.2f} of what two have that never wait for one another")


def main() -> None:
    flags = make_parser(__doc__, series=1500, batch=4096, units=128, runs=9).parse_args()
    found = race(flags)
    show(found)
    write_json(found, flags.out)


if __name__ == "__main__":
    main()
