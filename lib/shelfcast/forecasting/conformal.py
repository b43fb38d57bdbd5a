"""Split-conformal quantiles, by level and size of the mean: what demand was, as a multiple of what was forecast.

Mondrian conformal prediction (Vovk, Gammerman and Shafer 2005, section 4.5): among past forecasts of like size, the
quantile q of the ratios demand / mean is the ceil((n + 1) q)-th of n in order, which holds for one further draw.
Where n is less than that rank, none of the sample holds, and the quantile is null: p90 wants 9 ratios, p98 wants 49.
"""

from math import ceil

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.panel import FloatArray

QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "p98": 0.98}
# The fewest n with ceil((n + 1) q) <= n.
WANTED_RATIOS = {name: next(n for n in range(1, 1000) if ceil((n + 1) * q) <= n) for name, q in QUANTILES.items()}
LEAST_ROWS = 200
# Half powers of two: a mean of 1.4 times another lies in the next bin. All below 2^-12 share the first bin, all above
# 2^20 the last.
_BINS_PER_DOUBLING = 2
_FIRST_BIN, _LAST_BIN = -24, 40
_SMALLEST_MEAN = 2.0**-12


def fit_ratios(past: DataFrame) -> DataFrame:
    """The conformal ratios of every bin of means: level, bin, p10, p50, p90, p98, how many `ratios` they rest on, and
    `excess`, the variance of demand about its forecast beyond Poisson's as a multiple of the squared mean, at least 0.

    past: level, mean, y (null where not known) of cutoffs that are over. A bin shares the ratios of bins nearest in
    size until they have 200 rows together.
    """
    known = past.where(F.col("y").isNotNull()).withColumn("bin", size_bin("mean"))
    groups = _group_bins(known.groupBy("level", "bin").agg(F.count(F.lit(1)).alias("rows")))
    ratio = F.col("y") / F.greatest("mean", F.lit(_SMALLEST_MEAN))
    ratios = known.join(F.broadcast(groups), ["level", "bin"]).select(
        "level", "group", "y", "mean", ratio.alias("ratio")
    )
    fitted = groups.join(_conformal_quantiles(ratios), ["level", "group"])
    return fitted.select("level", "bin", "ratios", "excess", *QUANTILES)


def with_quantiles(means: DataFrame, ratios: DataFrame) -> DataFrame:
    """Adds p10, p50, p90 and p98, in the mean's units, to rows with level and mean; and the `ratios` they rest on."""
    binned = means.withColumn("bin", size_bin("mean"))
    joined = binned.join(F.broadcast(ratios), ["level", "bin"], how="left")
    size = F.greatest("mean", F.lit(_SMALLEST_MEAN))
    quantiles = [(F.col(name) * size).alias(name) for name in QUANTILES]
    return joined.select(*means.columns, *quantiles, F.coalesce("ratios", F.lit(0)).alias("ratios"))


def measure_calibration(scored: DataFrame) -> DataFrame:
    """Per level and quantile: rows, the shares of demand at or below and strictly below the quantile, and the mean
    pinball loss in units; null where the `ratios` of the level are fewer than are `wanted` for the quantile.

    For counts a true quantile lies between the two shares.

    scored: level, y, p10, p50, p90, p98, ratios.
    """
    known = scored.where(F.col("y").isNotNull())
    names = F.explode(
        F.array(
            *[
                F.struct(F.lit(q).alias("quantile"), F.col(p).alias("q_hat"), F.lit(WANTED_RATIOS[p]).alias("wanted"))
                for p, q in QUANTILES.items()
            ]
        )
    )
    long = known.select("level", "y", "ratios", names.alias("_q")).select("level", "y", "ratios", "_q.*")
    error = F.col("y") - F.col("q_hat")
    return long.groupBy("level", "quantile").agg(
        F.count(F.lit(1)).alias("rows"),
        F.avg((error <= 0).cast("double")).alias("observed"),
        F.avg((error < 0).cast("double")).alias("below"),
        F.avg(F.greatest(F.col("quantile") * error, (F.col("quantile") - 1) * error)).alias("pinball"),
        F.min("ratios").alias("ratios"),
        F.max("wanted").cast("bigint").alias("wanted"),
    )


def size_bin(mean: str) -> Column:
    """The bin of a mean: half powers of two."""
    size = F.greatest(F.col(mean), F.lit(_SMALLEST_MEAN))
    return F.least(F.floor(F.log2(size) * _BINS_PER_DOUBLING), F.lit(_LAST_BIN)).cast("int")


def mean_of_bin(bins: FloatArray) -> FloatArray:
    """The middle of each bin, in the mean's units."""
    return np.asarray(2.0 ** ((bins + 0.5) / _BINS_PER_DOUBLING))


def _group_bins(counts: DataFrame) -> DataFrame:
    """level, bin, group for every bin there may be. counts: level, bin, rows."""
    return counts.groupBy("level").applyInPandas(_cut_groups, "level string, bin int, group int")


def _cut_groups(counts: pd.DataFrame) -> pd.DataFrame:
    """In order of size, a group ends with the bin that gives it 200 rows; what is left joins the last."""
    rows = dict(zip(counts["bin"], counts["rows"], strict=True))
    groups, group, held = [], 0, 0
    bins = range(_FIRST_BIN, _LAST_BIN + 1)
    for number in bins:
        groups.append(group)
        held += rows.get(number, 0)
        if held >= LEAST_ROWS:
            group, held = group + 1, 0
    return pd.DataFrame({"level": counts["level"].iloc[0], "bin": bins, "group": np.minimum(groups, max(group - 1, 0))})


def _conformal_quantiles(ratios: DataFrame) -> DataFrame:
    group = Window.partitionBy("level", "group")
    in_order = group.orderBy("ratio").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    rows = F.count(F.lit(1)).over(group.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing))
    ranked = ratios.select("*", F.row_number().over(in_order).alias("rank"), rows.alias("rows"))
    quantiles = [_ranked_value(q).alias(name) for name, q in QUANTILES.items()]
    beyond = F.sum(F.pow(F.col("y") - F.col("mean"), F.lit(2)) - F.col("mean"))
    squares = F.nullif(F.sum(F.pow("mean", F.lit(2))), F.lit(0.0))
    excess = F.coalesce(F.greatest(beyond, F.lit(0.0)) / squares, F.lit(0.0)).alias("excess")
    return ranked.groupBy("level", "group").agg(F.first("rows").alias("ratios"), excess, *quantiles)


def _ranked_value(quantile: float) -> Column:
    """Null where the rank is beyond the last row."""
    return F.max(F.when(F.col("rank") == F.ceil((F.col("rows") + 1) * quantile), F.col("ratio")))
