"""Forecasts that leave the level of the last weeks farther than demand ever has from one such stretch to the next."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.monitoring.levels import NAMED, SERIES, findings
from shelfcast.settings.monitoring import Monitoring

CHECK = "level_shift"
_LEAST_UNITS = 5.0


def level_shifts(
    forecasts: DataFrame, history: DataFrame, first_ahead: date, horizon: int, settings: Monitoring
) -> DataFrame:
    """FINDINGS: stores and the region whose mean over the `horizon` weeks ahead is shift_ratio times that of as many
    last weeks, or more, or so much less, and farther from it than the past shows; critical from the square of
    shift_ratio on.

    forecasts: of one date, its first week `first_ahead`. history: as levels.weekly_levels makes it, to the week before.
    """
    ahead = forecasts.where(F.col("level").isin(*NAMED)).groupBy(*SERIES).agg(F.avg("mean").alias("ahead"))
    past = _shifts(history.where(F.col("level").isin(*NAMED)), first_ahead, horizon)
    both = ahead.join(past, [*SERIES]).where(F.col("recent") >= _LEAST_UNITS)
    ratio = F.col("ahead") / F.col("recent")
    limit = settings.shift_ratio
    high, low = F.greatest(F.lit(limit), "highest"), F.least(F.lit(1 / limit), "lowest")
    said = F.format_string(
        "%.1f units a week ahead, %.1f in the last %d weeks, a factor of %.2f", "ahead", "recent", F.lit(horizon), ratio
    )
    odd = both.where((ratio > high) | (ratio < low)).select(
        *SERIES,
        ratio.alias("found"),
        F.when(ratio > 1, high).otherwise(low).alias("wanted"),
        said.alias("said"),
        ((ratio > limit**2) | (ratio < limit**-2)).alias("is_critical"),
    )
    return findings(odd, CHECK, both, settings.outside_share)


def _shifts(history: DataFrame, first_ahead: date, horizon: int) -> DataFrame:
    """SERIES, recent: the mean of the last `horizon` weeks; highest, lowest: what the mean of so many weeks has been to
    that of as many weeks before them, at most and at least. Weeks without a row sold nothing."""
    number = (F.datediff(F.col("week"), F.lit(first_ahead)) / 7).cast("int")
    weeks = Window.partitionBy(*SERIES).orderBy("number")
    sums = history.select(*SERIES, "quantity", number.alias("number")).withColumns(
        {
            "behind": F.sum("quantity").over(weeks.rangeBetween(1 - horizon, 0)),
            "before": F.sum("quantity").over(weeks.rangeBetween(1 - 2 * horizon, -horizon)),
            "start": F.min("number").over(weeks.rangeBetween(Window.unboundedPreceding, 0)),
        }
    )
    whole = F.col("number") - F.col("start") >= 2 * horizon - 1
    ratio = F.when(whole & (F.col("before") > 0), F.col("behind") / F.col("before"))
    return sums.groupBy(*SERIES).agg(
        (F.sum(F.when(F.col("number") >= -horizon, F.col("quantity")).otherwise(0.0)) / horizon).alias("recent"),
        F.max(ratio).alias("highest"),
        F.min(ratio).alias("lowest"),
    )
