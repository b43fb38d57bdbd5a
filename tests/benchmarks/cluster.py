"""Jobs on a standalone cluster of this machine: a driver of 1 GB and executors of 3 GB on the loopback.

    python tests/benchmarks/cluster.py --config conf/bench.yaml [--job ingest ...] [--set source.path=FOLDER ...]
        [--workers 2] [--cores 1] [--log FOLDER]

Two workers of a core each beside one of two (`--workers 1 --cores 2`) tell what it costs to share the same cores among
machines; one of one core, what a second core brings. --log: keeps Spark's event logs, for `scaling.py`.

Prints for each job its seconds and the peak memory of all processes, the cluster's own among them; a job for which the
memory does not suffice fails.
"""

import argparse
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from event_log import logging_to
from measured import Sample, watch
from standalone import BIN, ENVIRONMENT, cluster

JOBS = ("ingest", "clean", "aggregate")


def submit(job: str, master: str, settings: Sequence[str], flags: Sequence[str]) -> int:
    """Run the job on the cluster; returns the exit status."""
    settings = [part for setting in settings for part in ("--spark-conf", setting)]
    command = [BIN / "shelfcast", "submit", job, "--master", master, *settings, *flags]
    return subprocess.run(command, env=ENVIRONMENT, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", action="append", help=f"in this order (default: {', '.join(JOBS)})")
    parser.add_argument("--driver-memory", default="1g")
    parser.add_argument("--executor-memory", default="3g")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1, help="of each worker")
    parser.add_argument("--log", type=Path, metavar="FOLDER")
    arguments, flags = parser.parse_known_args()
    samples: list[Sample] = []
    threading.Thread(target=watch, args=(os.getpid(), samples), daemon=True).start()
    settings = [
        f"spark.driver.memory={arguments.driver_memory}",
        f"spark.executor.memory={arguments.executor_memory}",
        *(logging_to(arguments.log) if arguments.log else ()),
    ]
    workers = {"workers": arguments.workers, "cores": arguments.cores}
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(arguments.executor_memory, Path(folder), **workers) as master,
    ):
        for job in arguments.job or JOBS:
            started = time.monotonic()
            if submit(job, master, settings, flags):
                raise SystemExit(f"{job}: failed on the cluster; wanted the memory to suffice")
            print(f"{job}: {time.monotonic() - started:.0f} s, peak {max(s.pss for s in samples) / 1e9:.2f} GB so far")


if __name__ == "__main__":
    main()
