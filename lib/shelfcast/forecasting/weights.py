"""What a thin product weighs in its store and category: what it sold of late, at the rate at which such units return.

Of products that sold this month more units come again than of those silent since spring: the rates are measured, by
weeks of silence, over the window before each cutoff.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.config import Forecast
from shelfcast.weeks import WEEK

# Units by which the rate of one band is held to that of all.
PRIOR_UNITS = 100.0
# Weeks since the last sale at which a band of silence begins: a fortnight, a month, two, a quarter, half a year.
_BANDS = (2, 4, 8, 14, 27)
_SERIES = ("store_id", "item_id", "category_id")


def share_weights(
    weekly: DataFrame, series: DataFrame, cutoffs: Sequence[date], horizon: int, models_from: int, settings: Forecast
) -> DataFrame:
    """What each product of each store weighs in its category at each cutoff: cutoff, the series, weight.

    weekly: product rows of demand/weekly. series: the products, which all have rows at the last cutoff; at an earlier
    one those that had sold by then have. models_from: selling weeks from which a product is modelled and not thin.
    weight = (units of the last `share_weeks` weeks + share_prior x older units) x the rate of its silence.
    """
    before, last = [cutoff - horizon * WEEK for cutoff in cutoffs], max(cutoffs)
    history = sum_history(weekly, sorted({*cutoffs, *before}), horizon, settings)
    # The first units of a product come anew, and none comes again.
    has_sold = F.col("weeks").between(1, models_from - 1)
    learned = at_each_day(history, last).where(F.col("at").isin(before) & has_sold)
    rates = fit_rates(learned).withColumn("at", F.date_add("at", 7 * horizon))
    listed = at_each_day(series.select(*_SERIES).join(history, [*_SERIES], how="left"), last)
    known = listed.where(F.col("at").isin([*cutoffs]) & ((F.col("weeks") > 0) | (F.col("at") == F.lit(last))))
    rated = known.join(F.broadcast(rates), ["at", "band"], how="left")
    weight = F.coalesce("weight", F.lit(0.0)) * F.coalesce("rate", F.lit(1.0))
    return rated.select(F.col("at").alias("cutoff"), *_SERIES, weight.alias("weight"))


def sum_history(weekly: DataFrame, days: Sequence[date], horizon: int, settings: Forecast) -> DataFrame:
    """What was known of each series at each of the days: the series, days (at, weeks that sold, weight, the last week
    that sold, and what sold `next`, in the `horizon` weeks after)."""
    sums = [F.struct(F.lit(day).alias("at"), *_sums(day, horizon, settings)) for day in days]
    return weekly.groupBy(*_SERIES).agg(F.array(*sums).alias("days"))


def at_each_day(history: DataFrame, last: date) -> DataFrame:
    """A row a day: at, the series, weeks, weight, next, band (of silence); of a series without a history one at the
    `last`."""
    rows = history.select(*_SERIES, F.inline_outer("days")).withColumn("at", F.coalesce("at", F.lit(last)))
    silent = F.datediff("at", "last") / 7
    band = sum((F.when(silent >= weeks, 1).otherwise(0) for weeks in _BANDS), F.lit(0))
    return rows.select("at", *_SERIES, "weeks", "weight", "next", band.alias("band"))


def fit_rates(history: DataFrame) -> DataFrame:
    """Units that came next of a unit of weight, as a multiple of that of all bands: at, band, rate."""
    by_band = history.groupBy("at", "band").agg(F.sum("next").alias("next"), F.sum("weight").alias("weight"))
    day = Window.partitionBy("at").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    of_all = F.sum("next").over(day) / F.nullif(F.sum("weight").over(day), F.lit(0.0))
    rate = (F.col("next") + PRIOR_UNITS * of_all) / (F.col("weight") + PRIOR_UNITS) / F.nullif(of_all, F.lit(0.0))
    return by_band.select("at", "band", F.coalesce(rate, F.lit(1.0)).alias("rate"))


def _sums(day: date, horizon: int, settings: Forecast) -> list[Column]:
    since = day - timedelta(weeks=settings.share_weeks)
    known = F.col("week") <= F.lit(day)
    worth = F.when(F.col("week") > F.lit(since), F.col("quantity")).otherwise(F.col("quantity") * settings.share_prior)
    comes = (F.col("week") > F.lit(day)) & (F.col("week") <= F.lit(day + horizon * WEEK))
    return [
        F.count(F.when(known, 1)).alias("weeks"),
        F.coalesce(F.sum(F.when(known, worth)), F.lit(0.0)).alias("weight"),
        F.max(F.when(known, F.col("week"))).alias("last"),
        F.coalesce(F.sum(F.when(comes, F.col("quantity"))), F.lit(0.0)).alias("next"),
    ]
