"""Forecast means outside of what a series has ever sold in a week."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.monitoring.levels import SERIES, findings
from shelfcast.settings.monitoring import Monitoring

CHECK = "bounds"
# Below so many units a week a mean is near any bound.
_LEAST_UNITS = 5.0


def outside_history(forecasts: DataFrame, history: DataFrame, settings: Monitoring) -> DataFrame:
    """FINDINGS: series whose largest mean is bound_ratio times their largest week or more, or, where they sold in every
    week, whose smallest mean is so much below their smallest; critical from the square of that on.

    forecasts: of one date. history: as levels.weekly_levels makes it. A series that never sold has no bounds.
    """
    weeks = F.datediff(F.max("week"), F.min("week")) / 7 + 1
    known = history.groupBy(*SERIES).agg(
        F.max("quantity").alias("most"),
        F.when(F.count(F.lit(1)) == weeks, F.min("quantity")).alias("least"),
    )
    # Of equal means the earliest.
    step = F.col("step")
    ahead = forecasts.groupBy(*SERIES).agg(
        F.max("mean").alias("high"),
        F.max_by("week", F.struct("mean", -step)).alias("high_week"),
        F.min("mean").alias("low"),
        F.min_by("week", F.struct("mean", step)).alias("low_week"),
    )
    both = ahead.join(known, [*SERIES])
    ratio = settings.bound_ratio
    above = (F.col("high") > ratio * F.col("most")) & (F.col("high") >= _LEAST_UNITS)
    below = (F.col("low") < F.col("least") / ratio) & (F.col("least") >= _LEAST_UNITS)
    told = "%.1f units in the week of %s; %.1f at {} in the past"
    high = F.format_string(told.format("most"), "high", F.col("high_week").cast("string"), "most")
    low = F.format_string(told.format("least"), "low", F.col("low_week").cast("string"), "least")
    far = (F.col("high") > ratio**2 * F.col("most")) | (F.col("low") < F.col("least") / ratio**2)
    odd = both.where(above | below).select(
        *SERIES,
        F.when(above, F.col("high")).otherwise(F.col("low")).alias("found"),
        F.when(above, F.col("most")).otherwise(F.col("least")).alias("wanted"),
        F.when(above, high).otherwise(low).alias("said"),
        F.coalesce(far, F.lit(False)).alias("is_critical"),
    )
    return findings(odd, CHECK, both, settings.outside_share)
