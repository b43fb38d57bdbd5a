"""How demand spreads about its published mean: the dispersion of a negative binomial.

Of the variance beyond Poisson's, as a multiple of the squared mean (1 / k), a series has half as its own recent weeks
tell it and half as the level does at means of its size: few weeks tell little of a variance, and quantiles that follow
from the size of the mean alone tell lumpy demand from smooth not at all.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.availability.stores import marked, with_known_weeks
from shelfcast.forecasting.conformal import QUANTILES, mean_of_bin, size_bin
from shelfcast.negative_binomial import DISPERSIONS, fit_dispersion
from shelfcast.table import ALL

RECENT_WEEKS = 26
# A series that is known for so many weeks counts for half.
PRIOR_WEEKS = 26
_SERIES = ["level", "store_id", "item_id"]


def measure_recent(weekly: DataFrame, series: DataFrame, last_week: date, unknown: DataFrame) -> DataFrame:
    """Of each series and of the sums of categories over a store and over the region: level, store_id, item_id,
    own_weeks (of the last RECENT_WEEKS, those known since its first sale), own_excess ((variance - mean) / mean^2 of
    its weekly units there, at least 0; null where nothing sold, or one week alone is known).

    weekly: demand/weekly. series: demand/series. unknown: store_id, week; the region has all its weeks.
    """
    first = last_week - timedelta(weeks=RECENT_WEEKS - 1)
    rows = weekly.where(F.col("week").between(F.lit(first), F.lit(last_week)))
    known = series.where(F.col("first_week").isNotNull())
    units, starts = _with_sums(rows, "quantity"), _with_sums(known, "first_week")
    sold = marked(units, unknown).where("is_known").groupBy(*_SERIES, "week").agg(F.sum("quantity").alias("quantity"))
    sums = sold.groupBy(*_SERIES).agg(
        F.sum("quantity").alias("sum"), F.sum(F.pow("quantity", F.lit(2))).alias("square")
    )
    since = starts.groupBy(*_SERIES).agg(F.min("first_week").alias("first_week"))
    known_since = with_known_weeks(since, F.greatest("first_week", F.lit(first)), last_week, unknown)
    mean = F.col("sum") / F.col("own_weeks")
    variance = (F.col("square") - F.col("own_weeks") * mean * mean) / (F.col("own_weeks") - 1)
    excess = F.try_divide(F.greatest(variance - mean, F.lit(0.0)), mean * mean)
    joined = known_since.withColumnRenamed("known_weeks", "own_weeks").join(sums, _SERIES)
    return joined.select(*_SERIES, "own_weeks", F.when(F.col("own_weeks") > 1, excess).alias("own_excess"))


def _with_sums(rows: DataFrame, value: str) -> DataFrame:
    """Adds the rows of categories as rows of their store and of the region."""
    week = [name for name in ("week",) if name in rows.columns]
    own = rows.select(*_SERIES, *week, value)
    categories = own.where("level = 'category'").withColumn("item_id", F.lit(ALL))
    stores = categories.withColumn("level", F.lit("store"))
    region = categories.withColumns({"level": F.lit("region"), "store_id": F.lit(ALL)})
    return own.unionByName(stores).unionByName(region)


def fit_by_size(ratios: DataFrame) -> DataFrame:
    """level, bin, excess (1 / k) of means of each size at each level: of the dispersion that fits its quantiles; where
    the p90 is no two units, and rounding decides which fits, what past forecasts missed by. Null where no quantile is
    known.

    ratios: rows of conformal.fit_ratios.
    """
    return ratios.mapInPandas(_fit, "level string, bin int, excess double")


def _fit(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for rows in parts:
        mean = mean_of_bin(rows["bin"].to_numpy(dtype=np.float64))
        quantiles = rows[[*QUANTILES]].to_numpy(dtype=np.float64) * mean[:, None]
        fitted = 1 / DISPERSIONS[fit_dispersion(mean, quantiles, [*QUANTILES.values()])]
        is_spread = np.rint(quantiles[:, [*QUANTILES].index("p90")]) >= 2
        excess = np.where(is_spread, fitted, rows["excess"].to_numpy(dtype=np.float64))
        is_known = ~np.isnan(quantiles).all(axis=1)
        yield rows[["level", "bin"]].assign(excess=np.where(is_known, excess, np.nan))


def with_dispersion(means: DataFrame, by_size: DataFrame) -> DataFrame:
    """Adds `dispersion`, within DISPERSIONS; null where the level knows no quantile of means of that size.

    means: level, mean, own_weeks, own_excess (null where not known). by_size: of `fit_by_size`.
    """
    of_level = F.broadcast(by_size.withColumnRenamed("excess", "_excess"))
    joined = means.withColumn("bin", size_bin("mean")).join(of_level, ["level", "bin"], how="left")
    weeks = F.when(F.col("own_excess").isNotNull(), F.col("own_weeks")).otherwise(0.0)
    own = weeks * F.coalesce("own_excess", F.lit(0.0))
    excess = (own + PRIOR_WEEKS * F.col("_excess")) / (weeks + PRIOR_WEEKS)
    least, most = float(1 / DISPERSIONS[-1]), float(1 / DISPERSIONS[0])
    bounded = F.least(F.greatest(excess, F.lit(least)), F.lit(most))
    dispersion = F.when(F.col("_excess").isNotNull(), 1 / bounded)
    return joined.withColumn("dispersion", dispersion).drop("bin", "_excess")
