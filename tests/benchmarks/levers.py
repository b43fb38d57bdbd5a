"""What brings Spark nearer to Polars and DuckDB in `chain_cleaning.py`: the same work under other settings.

    python tests/benchmarks/levers.py data/bench_10m [--runs 3] [--lever NAME ...] [--comet JAR] [--out FILE.json]

Each lever is one change of the settings of conf/spark-defaults.conf, in a process of its own. --comet: the jar of
Apache DataFusion Comet for this Spark, whose native engine takes over what it can; it is no dependency.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chain_cleaning import digest, heading, line, require_equal, to_disk
from commandline import command, make_parser, write_json
from measured import measured
from standalone import BIN

from shelfcast.resources import resource_folder
from shelfcast.submit import spark_environment

Settings = Mapping[str, str]
OURS = ("--properties-file", resource_folder("conf") / "spark-defaults.conf")
LEVERS: dict[str, Settings] = {
    "as it is": {},
    "no adaptive execution": {"spark.sql.adaptive.enabled": "false"},
    "8 partitions": {"spark.sql.shuffle.partitions": "8"},
    "200 partitions": {"spark.sql.shuffle.partitions": "200"},
    "128 MB of files a task": {"spark.sql.files.maxPartitionBytes": "128m"},
    "no generated code": {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"},
    "the JVM's own options": {"spark.driver.extraJavaOptions": "-XX:+UseG1GC"},
    "4 GB for the driver": {"spark.driver.memory": "4g"},
}


def of_comet(jar: Path) -> Settings:
    """Operators and shuffles in Rust, in memory beside the heap. Its shuffle of Spark's own rows does not link with
    this Spark, which is newer than the one it is made for."""
    return {
        "spark.jars": str(jar),
        "spark.driver.extraClassPath": str(jar),
        "spark.plugins": "org.apache.spark.CometPlugin",
        "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
        "spark.comet.exec.shuffle.mode": "native",
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "2g",
    }


def measure(settings: Settings, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    environment = {**os.environ, **spark_environment()}
    settings = {"spark.master": f"local[{arguments.threads}]", **settings}
    flags = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    with tempfile.TemporaryDirectory(prefix="levers-", dir=folder.parent) as scratch:
        out = Path(scratch) / "spark"
        file = str(Path(__file__).with_name("chain_cleaning.py"))
        played = command(file, "spark", arguments, "runs", "threads", scratch=out)[1:]
        found = measured([BIN / "spark-submit", *OURS, *flags, *played, str(folder)], environment)
        return found | digest(out / f"run-{arguments.runs - 1}") | to_disk(out / "scratch" / "log")


def main() -> None:
    parser = make_parser(__doc__, runs=3, threads=2)
    parser.add_argument("folder", type=Path, help="a generated bench chain")
    parser.add_argument("--lever", action="append", choices=LEVERS, help="these alone (default: all)")
    parser.add_argument("--comet", type=Path, metavar="JAR")
    arguments = parser.parse_args()
    levers = {name: LEVERS[name] for name in arguments.lever or LEVERS}
    if arguments.comet:
        levers["DataFusion Comet"] = of_comet(arguments.comet.absolute())
    results: dict[str, Any] = {}
    width = max(map(len, levers))
    print(heading(width))
    for name, settings in levers.items():
        results[name] = measure(settings, arguments.folder, arguments)
        print(line(name, results[name], width), flush=True)
    require_equal(results)
    write_json(results, arguments.out)


if __name__ == "__main__":
    main()
