"""Jobs on a standalone cluster of this machine: a driver of 1 GB and two executors of 3 GB on the loopback.

    python tests/benchmarks/cluster.py --config conf/bench.yaml [--job ingest ...] [--set source.path=FOLDER ...]

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

from measured import Sample, watch
from standalone import BIN, ENVIRONMENT, cluster

JOBS = ("ingest", "clean", "aggregate")


def submit(job: str, master: str, driver_memory: str, executor_memory: str, flags: Sequence[str]) -> int:
    """Run the job on the cluster; returns the exit status."""
    memory = {"spark.driver.memory": driver_memory, "spark.executor.memory": executor_memory}
    settings = [part for key, value in memory.items() for part in ("--spark-conf", f"{key}={value}")]
    command = [BIN / "shelfcast", "submit", job, "--master", master, *settings, *flags]
    return subprocess.run(command, env=ENVIRONMENT, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", action="append", help=f"in this order (default: {', '.join(JOBS)})")
    parser.add_argument("--driver-memory", default="1g")
    parser.add_argument("--executor-memory", default="3g")
    arguments, flags = parser.parse_known_args()
    samples: list[Sample] = []
    threading.Thread(target=watch, args=(os.getpid(), samples), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, cluster(arguments.executor_memory, Path(folder)) as master:
        for job in arguments.job or JOBS:
            started = time.monotonic()
            if submit(job, master, arguments.driver_memory, arguments.executor_memory, flags):
                raise SystemExit(f"{job}: failed on the cluster; wanted the memory to suffice")
            print(f"{job}: {time.monotonic() - started:.0f} s, peak {max(s.pss for s in samples) / 1e9:.2f} GB so far")


if __name__ == "__main__":
    main()
