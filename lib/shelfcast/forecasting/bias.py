"""What forecast means are too high by, at each size: series are modelled because they sold well, and then sell less.

Regression to the mean (Galton 1886): of series chosen by their past, the past says too much. The small ones of a
household panel, where few buy a product in a store, sell a quarter less than their champion says; the large, such as
fuel, about as much.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.weeks import WEEK

# Units by which the factor of one size is held to that of all, and that to 1.
PRIOR_UNITS = 200.0
# Powers of two of the weekly mean: below 1/4 all are alike, and so are those above 32.
_FIRST_BIN, _LAST_BIN = -3, 5


def teachers(cutoffs: Sequence[date], horizon: int) -> dict[date, date]:
    """From which cutoff's window each learns: the latest that was over by then.

    cutoffs: ascending, the last with nothing known after it, the one before it judged. Where none was over, the means
    serve the quantiles of later cutoffs alone: they learn from their own window, unless it is judged.
    """
    over = {cutoff: [past for past in cutoffs if past + horizon * WEEK <= cutoff] for cutoff in cutoffs}
    own = {cutoff: cutoff for cutoff in cutoffs[:-2]}
    learned = {cutoff: max(past, default=own.get(cutoff)) for cutoff, past in over.items()}
    return {cutoff: teacher for cutoff, teacher in learned.items() if teacher}


def fit_factors(means: DataFrame) -> DataFrame:
    """By what to multiply means of each size, by the window of each cutoff: cutoff, bin, factor.

    means: cutoff, mean, y (null where not known).
    """
    known = means.where(F.col("y").isNotNull()).withColumn("bin", _bin())
    by_bin = known.groupBy("cutoff", "bin").agg(F.sum("y").alias("y"), F.sum("mean").alias("mean"))
    of_all = (F.sum("y") + PRIOR_UNITS) / (F.sum("mean") + PRIOR_UNITS)
    bins = F.explode(F.sequence(F.lit(_FIRST_BIN), F.lit(_LAST_BIN))).alias("bin")
    every = by_bin.groupBy("cutoff").agg(of_all.alias("of_all")).select("cutoff", "of_all", bins)
    joined = every.join(by_bin, ["cutoff", "bin"], how="left").fillna(0.0, ["y", "mean"])
    factor = (F.col("y") + PRIOR_UNITS * F.col("of_all")) / (F.col("mean") + PRIOR_UNITS)
    return joined.select("cutoff", "bin", factor.alias("factor"))


def correct(means: DataFrame, factors: DataFrame, learned_from: Mapping[date, date]) -> DataFrame:
    """The means less their bias, as the cutoff that each learns from tells it; those without one as they are."""
    pairs = F.create_map(*[F.lit(day) for day in chain.from_iterable(learned_from.items())])
    taught = means.withColumn("teacher", pairs[F.col("cutoff")]).withColumn("bin", _bin())
    of_teacher = F.broadcast(factors.withColumnRenamed("cutoff", "teacher"))
    joined = taught.join(of_teacher, ["teacher", "bin"], how="left")
    return joined.withColumn("mean", F.col("mean") * F.coalesce("factor", F.lit(1.0))).select(*means.columns)


def _bin() -> Column:
    size = F.greatest("mean", F.lit(2.0**_FIRST_BIN))
    return F.least(F.floor(F.log2(size)), F.lit(_LAST_BIN)).cast("int")
