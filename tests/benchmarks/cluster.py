"""Jobs on a standalone cluster of this machine: a driver of 1 GB and two executors of 3 GB on the loopback.

    python tests/benchmarks/cluster.py --config conf/bench.yaml [--job ingest ...] [--set source.path=FOLDER ...]

Prints for each job its seconds and the peak memory of all processes, the cluster's own among them; a job for which the
memory does not suffice fails.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measured import Sample, watch

from shelfcast.submit import spark_environment

BIN = Path(sys.executable).parent
MASTER = "spark://127.0.0.1:7077"
JOBS = ("ingest", "clean", "aggregate")
DEPLOY = "org.apache.spark.deploy"
ENVIRONMENT = {**os.environ, **spark_environment()}


@contextmanager
def cluster(executor_memory: str) -> Iterator[None]:
    """A master and two workers of a core each, until the block ends."""
    master = [f"{DEPLOY}.master.Master", "--host", "127.0.0.1", "--port", "7077", "--webui-port", "0"]
    worker = [f"{DEPLOY}.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1"]
    with ExitStack() as stack:
        for part in (master, *[[*worker, "--memory", executor_memory, MASTER]] * 2):
            process = subprocess.Popen([BIN / "spark-class", *part], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield


def submit(job: str, driver_memory: str, executor_memory: str, flags: Sequence[str]) -> int:
    """Run the job on the cluster; returns the exit status."""
    memory = {"spark.driver.memory": driver_memory, "spark.executor.memory": executor_memory}
    settings = [part for key, value in memory.items() for part in ("--spark-conf", f"{key}={value}")]
    command = [BIN / "shelfcast", "submit", job, "--master", MASTER, *settings, *flags]
    return subprocess.run(command, env=ENVIRONMENT, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", action="append", help=f"in this order (default: {', '.join(JOBS)})")
    parser.add_argument("--driver-memory", default="1g")
    parser.add_argument("--executor-memory", default="3g")
    arguments, flags = parser.parse_known_args()
    samples: list[Sample] = []
    threading.Thread(target=watch, args=(os.getpid(), samples), daemon=True).start()
    with cluster(arguments.executor_memory):
        for job in arguments.job or JOBS:
            started = time.monotonic()
            if submit(job, arguments.driver_memory, arguments.executor_memory, flags):
                raise SystemExit(f"{job}: failed on the cluster; wanted the memory to suffice")
            print(f"{job}: {time.monotonic() - started:.0f} s, peak {max(s.pss for s in samples) / 1e9:.2f} GB so far")


if __name__ == "__main__":
    main()
