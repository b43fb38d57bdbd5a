"""clean/sales, clean/products -> demand/daily, demand/weekly, demand/monthly, demand/series"""

from functools import partial

from pyspark.sql import functions as F

from shelfcast import demand
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.schemas import DEMAND, PRODUCTS, SALES, SERIES
from shelfcast.session import side_by_side


def job(config: Config) -> Job:
    return Job("aggregate", (SALES, PRODUCTS), (*DEMAND.values(), SERIES), ("cleaning", "demand"), aggregate)


def aggregate(run: Run) -> None:
    received = demand.known_on(run.read(SALES), run.known_on, run.config.cleaning.key_of("sales"))
    sales = demand.join_category(received, run.read(PRODUCTS))
    run.write(DEMAND["daily"], demand.sum_by_period(demand.sum_by_day(sales), "day"))
    side_by_side(run.spark, partial(_write_weekly, run), partial(_write_period, run, "monthly", "month"))


def _write_weekly(run: Run) -> None:
    """Weeks, and the series that they form."""
    _write_period(run, "weekly", "week")
    received = run.read(SALES).where(F.col("known_from") <= F.lit(run.known_on))
    listed = demand.join_category(received, run.read(PRODUCTS))
    series = demand.as_series(run.read(DEMAND["weekly"]), listed, run.known_on, run.config.demand.ended_after_weeks)
    run.write(SERIES, series)


def _write_period(run: Run, grain: str, period: str) -> None:
    daily = run.read(DEMAND["daily"]).where("level = 'product'")
    run.write(DEMAND[grain], demand.sum_by_period(daily, period))
