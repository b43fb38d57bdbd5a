"""Middle-out: the store x category mean is forecast; products not listed there yet have their measured share of it,
modelled ones keep their means, thin ones share what is left.

Frames hold several cutoffs side by side: `cutoff` is the last week known.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# How a mean came about; FALLBACK: by the model that stands in where the champion failed on a series.
MODELLED, SHARED, FALLBACK = "model", "middle_out", "moving_average"
_SERIES = ("store_id", "item_id", "category_id")
_CATEGORY = ("cutoff", "store_id", "category_id")


def split_categories(category_means: DataFrame, product_means: DataFrame, shares: DataFrame, floor: float) -> DataFrame:
    """How each category's mean is split: cutoff, store_id, category_id, step, factor, equal_part, remainder, weights,
    thin, unlisted.

    category_means: cutoff, store_id, category_id, step, mean, unlisted (the share of products not listed yet, 0..1).
    product_means: the same and item_id, of modelled products. shares: cutoff, store_id, category_id, weight of the
    thin ones.
    Of what the unlisted leave, the thin products share what the modelled ones leave. Where that is less than `floor`
    of it, the modelled ones are scaled (by `factor`) to leave so much; where there are no thin ones, to all of it;
    where all their means are zero and nobody else is there, they take equal parts. Where there are neither, the
    unlisted have all.
    """
    modelled = product_means.groupBy(*_CATEGORY, "step").agg(
        F.sum("mean").alias("modelled"), F.count(F.lit(1)).alias("models")
    )
    thin = shares.groupBy(*_CATEGORY).agg(F.sum("weight").alias("weights"), F.count(F.lit(1)).alias("thin"))
    listed = F.col("mean") * (1 - F.col("unlisted"))
    whole = category_means.select(*_CATEGORY, "step", "mean", listed.alias("whole"))
    joined = whole.join(modelled, [*_CATEGORY, "step"], how="left").join(thin, [*_CATEGORY], how="left")
    is_empty = F.col("models").isNull() & F.col("thin").isNull()
    return joined.select(
        *_CATEGORY,
        "step",
        "weights",
        "thin",
        _factor(floor).alias("factor"),
        (F.col("whole") / F.col("models")).alias("equal_part"),
        _remainder(floor).alias("remainder"),
        (F.col("mean") - F.when(is_empty, 0.0).otherwise(F.col("whole"))).alias("unlisted"),
    )


def scale_modelled(product_means: DataFrame, split: DataFrame) -> DataFrame:
    """The modelled products' means, scaled to leave the thin ones their part: cutoff, the series, step, mean and, as
    they have it, method."""
    joined = product_means.join(split, [*_CATEGORY, "step"])
    mean = F.coalesce(F.col("mean") * F.col("factor"), F.col("equal_part"))
    return joined.select("cutoff", *_SERIES, "step", mean.alias("mean"), "method")


def share_out(shares: DataFrame, split: DataFrame) -> DataFrame:
    """The thin products' means: their share of the remainder by weight, alike where no weight is above zero. What else
    `shares` tells of a series stays."""
    share = F.when(F.col("weights") > 0, F.col("weight") / F.col("weights")).otherwise(1 / F.col("thin"))
    joined = shares.join(F.broadcast(split), [*_CATEGORY])
    told = [name for name in shares.columns if name != "weight"]
    return joined.select(*told, "step", (F.col("remainder") * share).alias("mean"), F.lit(SHARED).alias("method"))


def _remainder(floor: float) -> Column:
    """What the thin products get: what is left, but not less than the floor; all where nothing is modelled."""
    modelled = F.coalesce("modelled", F.lit(0.0))
    left = F.col("whole") - modelled
    return F.when(modelled > 0, F.greatest(left, floor * F.col("whole"))).otherwise(F.col("whole"))


def _factor(floor: float) -> Column:
    """What the modelled means are multiplied by; null where they are all zero and must make up the whole."""
    for_modelled = F.when(F.col("thin").isNull(), F.col("whole")).otherwise(F.col("whole") - _remainder(floor))
    return F.when(F.col("modelled") > 0, for_modelled / F.col("modelled")).when(F.col("thin").isNotNull(), 0.0)
