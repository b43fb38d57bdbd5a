"""every table -> reports/{region}/index.html, reports/index.html, monitoring/publications"""

from functools import partial

from pyspark.sql import DataFrame

from shelfcast import demand, leaderboard, promotion, publications, schemas
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.challengers import CHAMPIONS
from shelfcast.cleaning.account import DELIVERIES
from shelfcast.config import Config
from shelfcast.insights import tables as insights
from shelfcast.inventory import tables as plans
from shelfcast.job import Job, Run
from shelfcast.judging.contracts import RESULTS
from shelfcast.monitoring.tables import ALERTS, DRIFT
from shelfcast.networks import tables as network_tables
from shelfcast.reporting.gather import describe, gather
from shelfcast.reporting.page import render, render_index
from shelfcast.steps.build_features import plan_of
from shelfcast.study import tables
from shelfcast.table import Table
from shelfcast.tuning.trials import TRIALS
from shelfcast.upkeep import newest_version

_READS = (
    schemas.ROW_COUNTS,
    schemas.QUARANTINE,
    schemas.PRODUCTS,
    demand.KNOWN_STORES,
    schemas.DEMAND["weekly"],
    schemas.SERIES,
    # What the champions read and are made of: not on the page, and published with it for those who score by them.
    schemas.STORES,
    schemas.PANEL_DEMAND,
    schemas.REGISTRY,
    schemas.ENSEMBLES,
    schemas.BACKTESTS,
    schemas.METRICS,
    schemas.LEADERBOARD,
    CHAMPIONS,
    schemas.FORECASTS,
    schemas.CALIBRATION,
    schemas.ACCURACY,
    schemas.SERIES_COUNTS,
)
_PLAN = (
    plans.LEAD_TIMES,
    plans.COSTS,
    plans.POLICIES,
    plans.ON_HAND,
    plans.OPEN_ORDERS,
    plans.OPEN_TRANSFERS,
    plans.ORDERS,
    plans.TRANSFERS,
    plans.RISKS,
)
# Of jobs that may not have run, and of what is not sought everywhere.
_OPTIONAL = (
    *_PLAN,
    plans.ORDER_DECISIONS,
    *(ALERTS, DRIFT, DELIVERIES, RESULTS),
    *(tables.STUDY_METRICS, tables.STUDY_SAMPLE, tables.STUDY_MODELS, TRIALS, network_tables.STORE_HEADS),
    *(table for pair in network_tables.BY_NETWORKS for table in pair),
    AVAILABILITY,
    *(insights.FINDINGS, insights.SEGMENTS, insights.SEASONS, insights.VENDORS, insights.STORES, insights.DELISTINGS),
    *(plans.REPLAYS, plans.REPLAY_GAINS, plans.LEAD_TIME_CALIBRATION),
)
_INDEX = "reports/index.html"


def job(config: Config) -> Job:
    settings = ("backtest", "training", "insights")
    return Job("report", _READS, (schemas.PUBLICATIONS,), settings, report, optional=_OPTIONAL, present=_is_there)


def report(run: Run) -> None:
    """The page first, then the publication: what is published can be looked at."""
    published = _published(run)
    newest = publications.newest(run.lake, run.config.region)
    if newest is None or newest.forecast_date <= run.known_on or not run.lake.has_file(_page(run.config.region)):
        _write_page(run)
    else:
        run.say(f"the page stays that of {newest.forecast_date}, which is newer")
    at = publications.moment(run.lake, run.config.region, run.known_on)
    row = (run.config.region, run.known_on, run.key, at, published)
    run.append_once(schemas.PUBLICATIONS, run.spark.createDataFrame([row], schemas.PUBLICATIONS.schema))


def _published(run: Run) -> dict[str, int]:
    """The versions to publish together: those of now, whose rows of the region are what was read, in the files of now.
    A plan of another forecast than today's is no part of them."""
    now = {name: newest_version(run.lake, name) for name in run.reads}
    plan = run.lake.last_commit(plans.POLICIES, run.scope(plans.POLICIES))
    forecast = schemas.FORECASTS.name
    if plan is None or plan.note.get("reads", {}).get(forecast) == run.reads[forecast]:
        return now
    run.say("the plan is of another forecast, and is not published; wanted plan_inventory before")
    apart = {table.name for table in _PLAN}
    return {name: version for name, version in now.items() if name not in apart}


def _write_page(run: Run) -> None:
    region = run.config.region
    read = partial(_find, run)
    provenance = describe(run.config, run.key, run.known_on, run.reads)
    data = gather(run.spark, read, plan_of(run), provenance, run.config.insights.currency)
    run.lake.write_text(_page(region), render(data))
    regions = [name for name in run.lake.names("reports/*") if run.lake.has_file(_page(name))]
    run.lake.write_text(_INDEX, render_index(regions))
    run.say(f"the report: {run.lake.path(_page(region))}")


def _find(run: Run, table: Table) -> DataFrame | None:
    """As the run does; the champions on the leaderboard are those of the as-of date, who may have been rolled back."""
    found = run.find(table)
    if found is None or table != schemas.LEADERBOARD:
        return found
    return leaderboard.mark(found, promotion.standing(run.read(CHAMPIONS), run.known_on))


def _page(region: str) -> str:
    return f"reports/{region}/index.html"


def _is_there(run: Run) -> bool:
    """Whether the region's page is, and whether the newest publication names the versions of now."""
    published = run.lake.last_commit(schemas.PUBLICATIONS, run.scope(schemas.PUBLICATIONS))
    pages = (_INDEX, _page(run.config.region))
    return all(map(run.lake.has_file, pages)) and published is not None and published.note.get("reads") == run.reads
