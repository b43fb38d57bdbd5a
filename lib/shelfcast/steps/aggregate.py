"""clean/sales, clean/products -> demand/daily, demand/weekly, demand/monthly, demand/series"""

from pyspark.sql import functions as F

from shelfcast import demand
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.schemas import DEMAND, PRODUCTS, SALES, SERIES


def job(config: Config) -> Job:
    return Job("aggregate", (SALES, PRODUCTS), (*DEMAND.values(), SERIES), ("demand",), aggregate)


def aggregate(run: Run) -> None:
    received, products = run.read(SALES), run.read(PRODUCTS)
    sales = demand.join_category(demand.known_on(received, run.known_on), products)
    run.write(DEMAND["daily"], demand.sum_by_period(demand.sum_by_day(sales), "day"))
    daily = run.read(DEMAND["daily"]).where("level = 'product'")
    for grain, period in (("weekly", "week"), ("monthly", "month")):
        run.write(DEMAND[grain], demand.sum_by_period(daily, period))
    listed = demand.join_category(received.where(F.col("known_from") <= F.lit(run.known_on)), products)
    series = demand.as_series(run.read(DEMAND["weekly"]), listed, run.known_on, run.config.demand.ended_after_weeks)
    run.write(SERIES, series)
