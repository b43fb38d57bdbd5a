"""clean/sales, clean/products -> demand/daily, demand/weekly, demand/monthly, demand/series"""

from shelfcast import demand
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.schemas import DEMAND, PRODUCTS, SALES, SERIES


def job(config: Config) -> Job:
    return Job("aggregate", (SALES, PRODUCTS), (*DEMAND.values(), SERIES), ("demand",), aggregate)


def aggregate(run: Run) -> None:
    known = demand.known_on(run.read(SALES), run.known_on)
    sales = demand.join_category(known, run.read(PRODUCTS))
    run.write(DEMAND["daily"], demand.sum_by_period(demand.sum_by_day(sales), "day"))
    daily = run.read(DEMAND["daily"]).where("level = 'product'")
    for grain, period in (("weekly", "week"), ("monthly", "month")):
        run.write(DEMAND[grain], demand.sum_by_period(daily, period))
    series = demand.as_series(run.read(DEMAND["weekly"]), sales, run.known_on, run.config.demand.ended_after_weeks)
    run.write(SERIES, series)
