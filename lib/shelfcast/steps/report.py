"""every table -> reports/{region}/index.html, reports/index.html, monitoring/publications"""

from datetime import UTC, datetime

from shelfcast import schemas
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.networks import tables as network_tables
from shelfcast.reporting.gather import describe, gather
from shelfcast.reporting.page import render, render_index
from shelfcast.steps.build_features import plan_of
from shelfcast.study import tables
from shelfcast.tuning.trials import TRIALS

_READS = (
    schemas.ROW_COUNTS,
    schemas.QUARANTINE,
    schemas.PRODUCTS,
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
# Of jobs that are no part of the pipeline.
_OPTIONAL = (
    *(tables.STUDY_METRICS, tables.STUDY_SAMPLE, tables.STUDY_MODELS, TRIALS, network_tables.STORE_HEADS),
    *(backtests for backtests, _ in network_tables.BY_NETWORKS),
)
_INDEX = "reports/index.html"


def job(config: Config) -> Job:
    settings = ("backtest", "training")
    return Job("report", _READS, (schemas.PUBLICATIONS,), settings, report, optional=_OPTIONAL, present=_is_there)


def report(run: Run) -> None:
    """The page first, then the publication: what is published can be looked at."""
    data = gather(run.spark, run.find, plan_of(run), describe(run.config, run.key, run.known_on, run.reads))
    run.lake.write_text(_page(run.config.region), render(data))
    regions = [name for name in run.lake.names("reports/*") if run.lake.has_file(_page(name))]
    run.lake.write_text(_INDEX, render_index(regions))
    now = datetime.now(UTC).replace(tzinfo=None)
    row = (run.config.region, run.known_on, run.key, now, run.reads)
    run.append_once(schemas.PUBLICATIONS, run.spark.createDataFrame([row], schemas.PUBLICATIONS.schema))
    run.say(f"the report: {run.lake.path(_page(run.config.region))}")


def _page(region: str) -> str:
    return f"reports/{region}/index.html"


def _is_there(run: Run) -> bool:
    """Whether the region's page is, and whether the newest publication names the versions of now."""
    published = run.lake.last_commit(schemas.PUBLICATIONS, run.scope(schemas.PUBLICATIONS))
    pages = (_INDEX, _page(run.config.region))
    return all(map(run.lake.has_file, pages)) and published is not None and published.note.get("reads") == run.reads
