"""Past forecasts beside the demand that has come since: whether their quantiles keep their word, and their bias."""

from datetime import date, timedelta
from math import sqrt
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.forecasting.conformal import QUANTILES
from shelfcast.monitoring.alerts import WARNING, Finding, about
from shelfcast.monitoring.levels import SERIES
from shelfcast.settings.monitoring import Monitoring
from shelfcast.table import ALL

COVERAGE, BIAS = "coverage", "bias"
# 95 % of a normal distribution lies below so many standard deviations.
_DEVIATIONS = 1.645


class Arrived(NamedTuple):
    """Of a level: its forecasts' weeks that have come, how many of them, units sold and forecast, and by quantile the
    share of rows at or below it and strictly below it, None where it is not known."""

    level: str
    weeks: int
    sold: float
    forecast: float
    observed: dict[str, float | None]
    below: dict[str, float | None]


def held_weeks(held: DataFrame) -> DataFrame:
    """store_id, week: of days that are held, a null store for all. Without a store's the region's is not whole."""
    weeks = held.select("store_id", F.date_trunc("week", "day").cast("date").alias("week"))
    return weeks.unionByName(weeks.withColumn("store_id", F.lit(ALL))).distinct()


def join_demand(forecasts: DataFrame, history: DataFrame, unknown: DataFrame, first_ahead: date) -> DataFrame:
    """The rows of past forecasts whose week is over, with `y`, what sold in it; 0 where nothing did.

    history: as levels.weekly_levels makes it, up to the week `first_ahead`. unknown: store_id, week, of which not all
    days are known: they count for their store at no level, and where no store is named for none.
    """
    over = forecasts.where((F.col("week") < F.lit(first_ahead)) & (F.col("level") != "unlisted"))
    joined = over.join(history, [*SERIES, "week"], how="left")
    arrived = joined.withColumn("y", F.coalesce("quantity", F.lit(0.0)))
    of_stores, of_all = unknown.where("store_id is not null"), unknown.where("store_id is null").select("week")
    known = arrived.join(F.broadcast(of_stores), ["store_id", "week"], how="anti")
    return known.join(F.broadcast(of_all), "week", how="anti")


def recent(forecasts: DataFrame, as_of: date, weeks: int) -> DataFrame:
    """The forecasts that were made before `as_of`, and not long ago."""
    made = F.col("forecast_date")
    return forecasts.where((made < F.lit(as_of)) & (made >= F.lit(as_of - timedelta(weeks=weeks))))


def sum_arrivals(arrived: DataFrame) -> DataFrame:
    """A row for each level: level, weeks, sold, forecast, and observed_* and below_* of each quantile."""
    shares = [
        F.avg(F.when(F.col(name).isNotNull(), condition.cast("double"))).alias(f"{kind}_{name}")
        for name in QUANTILES
        for kind, condition in (("observed", F.col("y") <= F.col(name)), ("below", F.col("y") < F.col(name)))
    ]
    return arrived.groupBy("level").agg(
        F.count_distinct("week").alias("weeks"), F.sum("y").alias("sold"), F.sum("mean").alias("forecast"), *shares
    )


def judge_coverage(levels: list[Arrived], settings: Monitoring) -> list[Finding]:
    """A finding for each quantile that too few or too many sales stay below. Counts are equal to a quantile often: it
    keeps its word where it lies between the share below it and that at or below it.

    What befalls a week befalls all series: the weeks count, not the rows.
    """
    found = []
    for level in levels:
        for name, quantile in QUANTILES.items():
            at_most, below = level.observed[name], level.below[name]
            if at_most is None or below is None or level.weeks < settings.min_weeks:
                continue
            chance = _DEVIATIONS * sqrt(quantile * (1 - quantile) / level.weeks)
            gap, share = max((quantile - at_most, at_most), (below - quantile, below))
            if gap > settings.coverage_gap + chance:
                said = f"{share:.0%} of demand lies at or below it in {level.weeks} weeks that have come"
                subject = f"forecast, level {level.level}, {name}"
                found.append(about(COVERAGE, WARNING, subject, said, share, quantile))
    return found


def judge_bias(levels: list[Arrived], settings: Monitoring) -> list[Finding]:
    found = []
    for level in levels:
        if level.weeks < settings.min_weeks or level.sold <= 0:
            continue
        bias = level.forecast / level.sold - 1
        if abs(bias) > settings.bias:
            said = (
                f"{level.forecast:,.0f} units forecast and {level.sold:,.0f} sold in {level.weeks} weeks that have "
                f"come, {abs(bias):.0%} too {'many' if bias > 0 else 'few'}"
            )
            found.append(about(BIAS, WARNING, f"forecast, level {level.level}", said, bias, settings.bias))
    return found
