"""Raw files -> clean sales, quarantine and weekly demand: this project on Spark beside pandas, Polars and DuckDB.

    shelfcast generate bench data/bench_100m --rows 100000000
    python tests/benchmarks/chain_cleaning.py data/bench_100m [--share 0.1 ...] [--engine NAME ...] [--out FILE.json]

Each does the same work from the same sales files, in a process of its own: parse every field, judge each row by the
same rules, keep the first row of each key, put the refused ones whole aside with their rule, sum by week, and write
three tables. What they write is compared, and must be equal. `executors` is Spark once more, with a driver and
executors of 1 GB each; of Spark it is told how much it wrote to the disk for lack of memory, and as its shuffles.
`jobs` is the work of ingest, clean and aggregate, which is more: its counts are compared, and no engine's time is.
--share takes that part of a folder's files.
"""

import argparse
import importlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from chain_rules import COLUMNS, COUNTS
from commandline import command, make_parser, write_json
from event_log import read
from measured import contest, measured

from shelfcast.submit import spark_environment

ENGINES = {
    "spark": ("clean_spark", "open_engine"),
    "pandas": ("clean_pandas", "open_engine"),
    "polars": ("clean_polars", "open_engine"),
    "duckdb": ("clean_duckdb", "open_engine"),
    "executors": ("clean_spark", "open_executors"),
    "jobs": ("clean_spark", "open_jobs"),
}
SALES_FILE = "SalesFINAL12312016"


def play(engine: str, folder: Path, out: Path, runs: int, threads: int) -> None:
    """In the contestant's own process: start, run so often, tell."""
    module, opener = ENGINES[engine]
    files = sorted(str(file) for file in folder.glob(f"{SALES_FILE}-*.csv"))
    run = getattr(importlib.import_module(module), opener)(threads, out / "scratch")

    def work(number: int) -> dict[str, int]:
        shutil.rmtree(out / f"run-{number - 1}", ignore_errors=True)
        target = out / f"run-{number}"
        target.mkdir(parents=True)
        return dict(run(files, target))

    contest(time.time(), work, runs)


def race(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Every engine's figures on the files of `folder`, and whether what they wrote is equal."""
    found: dict[str, Any] = {}
    threads, last = str(arguments.threads), arguments.runs - 1
    with tempfile.TemporaryDirectory(prefix="chain-", dir=folder.parent) as scratch:
        for engine in arguments.engine or [*ENGINES]:
            out = Path(scratch) / engine
            started = [*command(__file__, engine, arguments, "runs", "threads", scratch=out), str(folder)]
            found[engine] = measured(started, {**os.environ, **spark_environment(), "POLARS_MAX_THREADS": threads})
            found[engine] |= {} if engine == "jobs" else digest(out / f"run-{last}")
            found[engine] |= to_disk(out / "scratch" / "log")
            shutil.rmtree(out)
    return found


@contextmanager
def part_of(folder: Path, share: float) -> Iterator[Path]:
    """A folder with the first `share` of the parts of each of the chain's files."""
    if share == 1:
        yield folder
        return
    parts = sorted({file.stem.rpartition("-")[2] for file in folder.glob("*.csv")})
    with tempfile.TemporaryDirectory(prefix="part-", dir=folder.parent) as some:
        for part in parts[: max(round(share * len(parts)), 1)]:
            for file in folder.glob(f"*-{part}.csv"):
                os.link(file, Path(some) / file.name)
        yield Path(some)


def to_disk(log: Path) -> dict[str, float]:
    """Gigabytes that Spark's tasks spilled and shuffled over all runs; nothing where there is no log."""
    tasks = [task for file in log.glob("[!.]*") for task in read(file).tasks]
    sums = {"spilled_gb": sum(task.spilled for task in tasks), "shuffled_gb": sum(task.shuffled for task in tasks)}
    return {name: round(size / 1e9, 2) for name, size in sums.items() if tasks}


def digest(out: Path) -> dict[str, str]:
    """Rows and an order-free hash of each table, cents and units exactly, whichever engine wrote it."""
    import duckdb

    fields = ", ".join(f"coalesce(json_extract_string(row, '$.{name}'), '')" for name in COLUMNS)
    keys = "store_id::varchar, product_id::varchar"
    contents = {
        "sales": f"{keys}, sold_on::date, source_quantity, unit_price, revenue, excise_tax",
        # Of a row out of form engines tell different fields: its text is the same.
        "quarantine": "source_table, rule, case rule when 'malformed_row' "
        f"then rtrim(json_extract_string(row, '$.malformed_row'), e'\\r\\n') else concat_ws('|', {fields}) end",
        "weekly": f"{keys}, week::date, quantity, round(revenue, 2), sales::bigint",
    }
    return {
        table: "{}:{:x}".format(
            *duckdb.execute(
                f"select count(*), coalesce(sum(hash({columns})::hugeint), 0) from "
                f"read_parquet(['{_files(out, table)}'], union_by_name = true)"
            ).fetchall()[0]
        )
        for table, columns in contents.items()
    }


def _files(out: Path, table: str) -> str:
    files = [out / f"{table}.parquet"] if (out / f"{table}.parquet").exists() else (out / table).rglob("*.parquet")
    return "', '".join(str(file) for file in files if "_delta_log" not in file.parts)


def require_equal(found: dict[str, Any]) -> None:
    """Raise SystemExit, naming engine and table, where two did not do the same."""
    for what in (*COUNTS, "sales", "quarantine", "weekly"):
        values = {engine: result[what] for engine, result in found.items() if what in result}
        if len({*values.values()}) > 1:
            raise SystemExit(f"{what}: found {values}, wanted the same of all")


def show(rows: str, found: dict[str, Any]) -> None:
    print(f"{rows}: " + ", ".join(f"{found[next(iter(found))][name]:,} {name}" for name in COUNTS))
    width = max(map(len, found))
    print(heading(width))
    for engine, result in found.items():
        print(line(engine, result, width))


def heading(width: int) -> str:
    return f"{'':{width}s} {'start-up':>9s} {'first':>8s} {'median':>8s} {'processor':>10s} {'peak':>8s}"


def line(engine: str, result: dict[str, Any], width: int) -> str:
    times = (result[name] for name in ("startup_s", "first_s", "median_s", "cpu_s"))
    told = f"{engine:{width}s}" + " {:7.1f} s {:6.1f} s {:6.1f} s {:8.1f} s".format(*times)
    told += f" {result['peak_gb']:5.2f} GB"
    if "spilled_gb" in result:
        told += f" (all runs: {result['spilled_gb']} GB spilled, {result['shuffled_gb']} GB shuffled)"
    return told


def show_marginal(results: dict[str, Any]) -> None:
    """Processor seconds and seconds a million rows more, from one size to the next."""
    sizes = sorted(results.values(), key=_rows)
    for fewer, more in pairwise(sizes):
        millions = (_rows(more) - _rows(fewer)) / 1e6
        for engine in fewer:
            cost = [(more[engine][name] - fewer[engine][name]) / millions for name in ("median_s", "cpu_s")]
            what = f"{engine}: {_rows(fewer):,} to {_rows(more):,} rows"
            print(f"{what}: {cost[0]:.2f} s, {cost[1]:.2f} processor seconds a million")


def _rows(found: dict[str, Any]) -> int:
    return sum(found[next(iter(found))][name] for name in COUNTS)


def main() -> None:
    parser = make_parser(__doc__, runs=3, threads=2)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a generated bench chain")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="these alone (default: all)")
    parser.add_argument("--share", action="append", type=float, help="this part of the files (default: all)")
    parser.add_argument("--play", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        play(arguments.play, arguments.folders[0], arguments.scratch, arguments.runs, arguments.threads)
        return
    results: dict[str, Any] = {}
    for folder, share in product(arguments.folders, arguments.share or [1.0]):
        with part_of(folder, share) as files:
            found = race(files, arguments)
        require_equal(found)
        name = folder.name if share == 1 else f"{share:g} of {folder.name}"
        show(name, found)
        results[name] = found
    show_marginal(results)
    write_json(results, arguments.out)


if __name__ == "__main__":
    main()
