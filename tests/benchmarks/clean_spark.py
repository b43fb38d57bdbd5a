"""The chain's sales with this project's own transforms on Spark: read, judge, keep the first of each key, sum by week;
three Delta tables. The same on two executors of 1 GB, and the jobs, which do more."""

import atexit
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import reduce
from pathlib import Path

from chain_rules import CONFIG, COUNTS
from event_log import logging_to
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from standalone import cluster

from shelfcast import config, schemas
from shelfcast.cleaning import fate
from shelfcast.config import Config
from shelfcast.judging.rows import judge, settle
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.session import open_session
from shelfcast.sources import open_source
from shelfcast.sources.raw import as_raw
from shelfcast.steps import aggregate, clean, ingest
from shelfcast.table import Table

SALES = Table(
    "sales",
    "region string, store_id string, product_id string, sold_on date, source_quantity double, unit_price double, "
    "revenue double, excise_tax double, known_from date",
    key=(),
    checks={name: check for name, check in schemas.SALES.checks.items() if "capped" not in check},
)
QUARANTINE = Table("quarantine", "region string, source_table string, rule string, row string, batch_id string", key=())
WEEKLY = Table(
    "weekly",
    "region string, store_id string, product_id string, week date, quantity double, revenue double, sales bigint",
    key=(),
)


Engine = Callable[[Sequence[str], Path], Mapping[str, int]]
MEMORY = "1g"


def open_engine(threads: int, scratch: Path) -> Engine:
    return _engine(_session(f"local[{threads}]", scratch))


def open_executors(threads: int, scratch: Path) -> Engine:
    """As many executors of a core each, and they and the driver with 1 GB: what does not fit is spilled."""
    running = ExitStack()
    atexit.register(running.close)
    master = running.enter_context(cluster(MEMORY, scratch / "work", workers=threads))
    memory = {"spark.driver.memory": MEMORY, "spark.executor.memory": MEMORY}
    spark = _session(master, scratch, memory)
    running.callback(spark.stop)
    return _engine(spark)


def _engine(spark: SparkSession) -> Engine:
    def run(files: Sequence[str], out: Path) -> Mapping[str, int]:
        return _run(spark, _config(files, out), out)

    return run


def open_jobs(threads: int, scratch: Path) -> Engine:
    """ingest, clean and aggregate as they are: the raw tables, the catalogue, bounds of quantities, and demand by day,
    month and series too."""
    spark = _session(f"local[{threads}]", scratch)

    def run(files: Sequence[str], out: Path) -> Mapping[str, int]:
        settings = _config(files, out)
        runner = Runner(spark, settings)
        for step in (ingest, clean, aggregate):
            runner.run(step.job(settings))
        counts = runner.lake.read(schemas.ROW_COUNTS, settings.region).where("source_table = 'sales'").first()
        assert counts is not None
        return {name: counts[name] for name in COUNTS}

    return run


def _session(master: str, scratch: Path, memory: Mapping[str, str] | None = None) -> SparkSession:
    log = dict(setting.split("=", 1) for setting in logging_to(scratch / "log"))
    return open_session("benchmark", {"spark.master": master, "spark.local.dir": str(scratch), **log, **(memory or {})})


def _config(files: Sequence[str], out: Path) -> Config:
    folder = Path(files[0]).parent
    return config.load(CONFIG, [f"source.path={folder}", f"lake={out}"])


def _run(spark: SparkSession, settings: Config, out: Path) -> Mapping[str, int]:
    source, lake, note = open_source(settings), Lake(spark, str(out)), {"run_key": "benchmark"}
    scope = {"region": settings.region}
    files = [file.path for file in source.found("sales")]
    received = [
        as_raw(part, source.raw["sales"], settings.region, {}, "") for part in source.read(spark, "sales", files)
    ]
    judged = settle(settings, "sales", judge(settings, "sales", reduce(DataFrame.unionByName, received)))
    staged = f"{out}/_staging"
    judged.write.parquet(staged)
    judged = spark.read.schema(judged.schema).parquet(staged)
    region = F.lit(settings.region).alias("region")
    kept = judged.where(F.col("_fate") == fate.CLEAN).select(region, *SALES.names[1:])
    lake.replace(SALES, kept, scope, note)
    lake.replace(QUARANTINE, fate.quarantined(judged, settings.region, "sales"), scope, note)
    lake.replace(WEEKLY, _weekly(lake.read(SALES, settings.region)), scope, note)
    counts = judged.agg(*fate.tally()).first()
    shutil.rmtree(staged)
    assert counts is not None
    return {name: counts[name] for name in COUNTS}


def _weekly(sales: DataFrame) -> DataFrame:
    week = F.date_trunc("week", "sold_on").cast("date").alias("week")
    sold = sales.where(F.col("source_quantity") > 0)
    return sold.groupBy("region", "store_id", "product_id", week).agg(
        F.sum("source_quantity").alias("quantity"),
        F.sum("revenue").alias("revenue"),
        F.count(F.lit(1)).alias("sales"),
    )
