"""every table -> reports/index.html, monitoring/publications"""

from datetime import UTC, datetime

from pyspark.sql import DataFrame

from shelfcast import schemas
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.reporting.gather import describe, gather
from shelfcast.reporting.page import render
from shelfcast.steps.build_features import plan_of
from shelfcast.table import Table

_READS = (
    schemas.ROW_COUNTS,
    schemas.QUARANTINE,
    schemas.STORES,
    schemas.DEMAND["weekly"],
    schemas.SERIES,
    schemas.BACKTESTS,
    schemas.METRICS,
    schemas.LEADERBOARD,
    schemas.FORECASTS,
    schemas.CALIBRATION,
    schemas.ACCURACY,
    schemas.SERIES_COUNTS,
)
_PAGE = "reports/index.html"


def job(config: Config) -> Job:
    return Job("report", _READS, (schemas.PUBLICATIONS,), ("backtest", "training"), report, present=_is_there)


def report(run: Run) -> None:
    """The page first, then the publication: what is published can be looked at."""

    def read(table: Table) -> DataFrame | None:
        return run.read(table) if table in _READS else run.find(table)

    data = gather(run.spark, read, plan_of(run), describe(run.config, run.key, run.known_on, run.reads))
    run.lake.write_text(_PAGE, render(data))
    now = datetime.now(UTC).replace(tzinfo=None)
    row = (run.config.region, run.known_on, run.key, now, run.reads)
    run.append_once(schemas.PUBLICATIONS, run.spark.createDataFrame([row], schemas.PUBLICATIONS.schema))
    run.say(f"the report: {run.lake.path(_PAGE)}")


def _is_there(run: Run) -> bool:
    return run.lake.has_file(_PAGE)
