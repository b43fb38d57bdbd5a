"""Forecast means outside of what a series has ever sold in a week."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.monitoring.levels import SERIES, findings
from shelfcast.settings.monitoring import Monitoring

CHECK = "bounds"
# Below so many units a week a mean is near any bound.
_LEAST_UNITS = 5.0


def outside_history(forecasts: DataFrame, history: DataFrame, settings: Monitoring) -> DataFrame:
    """FINDINGS: series whose largest mean is bound_ratio times their largest week or more, or, where they sold in every
    one of history_weeks weeks or more, whose smallest mean is so much below their smallest; critical from the square of
    that on.

    forecasts: of one date. history: as levels.weekly_levels makes it. A series that never sold has no bounds.
    """
    weeks = F.datediff(F.max("week"), F.min("week")) / 7 + 1
    # Of a store that sold but once, the least is no bound.
    is_steady = (F.count(F.lit(1)) == weeks) & (weeks >= settings.history_weeks)
    known = history.groupBy(*SERIES).agg(
        F.max("quantity").alias("most"),
        F.when(is_steady, F.min("quantity")).alias("least"),
    )
    ratio, mean = settings.bound_ratio, F.col("mean")
    # Most series of a chain sell less than the least units: they need not be put together week by week.
    large = forecasts.where(mean >= _LEAST_UNITS).join(known, [*SERIES]).where(mean > ratio * F.col("most"))
    steady = known.where(F.col("least") >= _LEAST_UNITS)
    small = forecasts.join(steady, [*SERIES]).where(mean < F.col("least") / ratio)
    odd = _farthest(_beyond(large, "most", -mean).unionByName(_beyond(small, "least", mean)), ratio)
    return findings(odd, CHECK, forecasts.where("step = 1"), settings.outside_share)


def _beyond(rows: DataFrame, bound: str, order: Column) -> DataFrame:
    return rows.select(
        *SERIES, "week", F.col("mean").alias("found"), F.col(bound).alias("wanted"), F.lit(bound).alias("bound"),
        # Too large first; of equal means the earliest.
        F.struct(F.lit(bound != "most").alias("place"), order.alias("distance"), "step").alias("order"),
    )  # fmt: skip


def _farthest(beyond: DataFrame, ratio: float) -> DataFrame:
    """Of each series the mean that is farthest beyond its bound, in words."""
    worst = beyond.groupBy(*SERIES).agg(F.min_by(F.struct("week", "found", "wanted", "bound"), "order").alias("worst"))
    week, found, wanted, bound = (F.col(f"worst.{name}") for name in ("week", "found", "wanted", "bound"))
    told = "%.1f units in the week of %s; %.1f at %s in the past"
    return worst.select(
        *SERIES,
        found.alias("found"),
        wanted.alias("wanted"),
        F.format_string(told, found, week.cast("string"), wanted, bound).alias("said"),
        ((found > ratio**2 * wanted) | (found < wanted / ratio**2)).alias("is_critical"),
    )
