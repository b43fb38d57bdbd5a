"""clean/sales, clean/products -> demand/daily, demand/weekly, demand/monthly, demand/series, demand/stores; where
hidden demand is sought, with clean/stock, clean/purchases as well: demand/availability"""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand
from shelfcast.availability import frames, stores
from shelfcast.availability.absence import Rules
from shelfcast.availability.tables import AVAILABILITY, LOST
from shelfcast.cleaning import supply
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.monitoring import holds
from shelfcast.plan import known_until
from shelfcast.schemas import DEMAND, PRODUCTS, SALES, SERIES
from shelfcast.session import side_by_side
from shelfcast.sources import open_source
from shelfcast.table import Table


def job(config: Config) -> Job:
    is_on = config.hidden_demand.enabled
    return Job(
        "aggregate",
        (SALES, PRODUCTS, *(_of_supply(config) if is_on else ())),
        (*DEMAND.values(), SERIES, demand.KNOWN_STORES, *((AVAILABILITY,) if is_on else ())),
        ("cleaning", "demand", *(("hidden_demand", "backtest", "runtime") if is_on else ())),
        aggregate,
        stamp=holds.stamp,
    )


def _of_supply(config: Config) -> list[Table]:
    """What the source tells of its shelves."""
    raw = {*open_source(config).raw}
    counted = [supply.STOCK] if {"opening_stock", "closing_stock"} & raw else []
    return counted + ([supply.PURCHASES] if "purchases" in raw else [])


def aggregate(run: Run) -> None:
    received = demand.known_on(run.read(SALES), run.known_on, run.config.cleaning.key_of("sales"))
    sales = demand.join_category(holds.without_held(received, holds.held_days(run)), run.read(PRODUCTS))
    daily = demand.sum_by_day(sales)
    if run.config.hidden_demand.enabled:
        daily = _recover(run, sales, run.stage("daily", daily))
    run.write(DEMAND["daily"], demand.sum_by_period(daily, "day"))
    side_by_side(
        run.spark,
        partial(_write_weekly, run),
        partial(_write_period, run, "monthly", "month"),
        partial(_write_stores, run),
    )


def _recover(run: Run, sales: DataFrame, daily: DataFrame) -> DataFrame:
    """Write what is known of shelves and stores, and return `daily` with what was lost."""
    found = daily.agg(F.min("day"), F.max("day")).first()
    first, last = (found[0], found[1]) if found and found[0] else (run.known_on, run.known_on)
    rules = Rules(**run.config.hidden_demand.model_dump(exclude={"enabled"}))
    purchases = _known(run, supply.PURCHASES)
    received = purchases.select("store_id", F.col("received_on").alias("day"))
    silent = run.stage("silent", stores.silent_spells(daily.select("store_id", "day"), received, last, rules))
    told = frames.told_rows(daily, sales, purchases, _known(run, supply.STOCK), last)
    ends = known_until(run.config, first, last, run.trained_on)
    spells = run.stage("spells", frames.find_absences(told, silent, ends, rules, run.config.runtime.buckets))
    run.write(AVAILABILITY, frames.as_availability(spells, silent, run.config.region))
    listed = run.read(PRODUCTS).select("product_id", "category_id")
    return frames.with_recovered(daily, spells.where(F.col("state") == LOST), listed, run.config.region)


def _known(run: Run, table: Table) -> DataFrame:
    """The rows of a table of clean/ as known on the day; none where the source has no such table."""
    if table not in run.job.reads:
        return run.spark.createDataFrame([], table.schema)
    return demand.newest_known(run.read(table), run.known_on, supply.version_key(table, run.config.cleaning))


def _write_weekly(run: Run) -> None:
    """Weeks, and the series that they form."""
    _write_period(run, "weekly", "week")
    listed = demand.join_category(demand.standing(run.read(SALES), run.known_on), run.read(PRODUCTS))
    series = demand.as_series(run.read(DEMAND["weekly"]), listed, run.known_on, run.config.demand.ended_after_weeks)
    run.write(SERIES, series)


def _write_stores(run: Run) -> None:
    """Stores, of all days on which their sales are known: those of a held day have come."""
    run.write(demand.KNOWN_STORES, demand.days_of_stores(demand.standing(run.read(SALES), run.known_on)))


def _write_period(run: Run, grain: str, period: str) -> None:
    daily = run.read(DEMAND["daily"]).where("level = 'product'")
    run.write(DEMAND[grain], demand.sum_by_period(daily, period))
