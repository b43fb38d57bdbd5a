"""Middle-out: the store x category mean is forecast, modelled products keep theirs, thin ones share what is left.

Frames hold several cutoffs side by side: `cutoff` is the last week known.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.config import Forecast

MODELLED, SHARED = "model", "middle_out"
_SERIES = ("store_id", "item_id", "category_id")
_CATEGORY = ("cutoff", "store_id", "category_id")


def share_weights(weekly: DataFrame, series: DataFrame, cutoffs: Sequence[date], settings: Forecast) -> DataFrame:
    """What each product of each store weighs in its category at each cutoff: cutoff, the series, weight.

    weekly: product rows of demand/weekly. series: the products, which all have rows at the last cutoff; at an earlier
    one those that had sold by then have.
    weight = units of the last `share_weeks` weeks + share_prior x older units.
    """
    history = weekly.groupBy(*_SERIES).agg(*[column for cutoff in cutoffs for column in _history(cutoff, settings)])
    listed = series.select(*_SERIES).join(history, [*_SERIES], how="left")
    last = max(cutoffs)
    at = [
        F.struct(F.lit(c).alias("cutoff"), F.col(f"weeks_{c}").alias("weeks"), F.col(f"weight_{c}").alias("weight"))
        for c in cutoffs
    ]
    by_cutoff = listed.select(*_SERIES, F.explode(F.array(*at)).alias("_at")).select(*_SERIES, "_at.*")
    known = by_cutoff.where((F.col("weeks") > 0) | (F.col("cutoff") == F.lit(last)))
    return known.select("cutoff", *_SERIES, F.coalesce("weight", F.lit(0.0)).alias("weight"))


def split_categories(category_means: DataFrame, product_means: DataFrame, shares: DataFrame, floor: float) -> DataFrame:
    """How each category's mean is split: cutoff, store_id, category_id, step, factor, equal_part, remainder, weights,
    thin.

    category_means: cutoff, store_id, category_id, step, mean. product_means: the same and item_id, of modelled
    products. shares: cutoff, store_id, category_id, weight of the thin ones.
    The thin products share what the modelled ones leave. Where that is less than `floor` of the whole, the modelled
    ones are scaled (by `factor`) to leave so much; where there are no thin ones, to the whole; where all their means
    are zero and nobody else is there, they take equal parts.
    """
    modelled = product_means.groupBy(*_CATEGORY, "step").agg(
        F.sum("mean").alias("modelled"), F.count(F.lit(1)).alias("models")
    )
    thin = shares.groupBy(*_CATEGORY).agg(F.sum("weight").alias("weights"), F.count(F.lit(1)).alias("thin"))
    whole = category_means.select(*_CATEGORY, "step", F.col("mean").alias("whole"))
    joined = whole.join(modelled, [*_CATEGORY, "step"], how="left").join(thin, [*_CATEGORY], how="left")
    return joined.select(
        *_CATEGORY,
        "step",
        "weights",
        "thin",
        _factor(floor).alias("factor"),
        (F.col("whole") / F.col("models")).alias("equal_part"),
        _remainder(floor).alias("remainder"),
    )


def scale_modelled(product_means: DataFrame, split: DataFrame) -> DataFrame:
    """The modelled products' means, scaled to leave the thin ones their part: cutoff, the series, step, mean,
    method."""
    joined = product_means.join(split, [*_CATEGORY, "step"])
    mean = F.coalesce(F.col("mean") * F.col("factor"), F.col("equal_part"))
    return joined.select("cutoff", *_SERIES, "step", mean.alias("mean"), F.lit(MODELLED).alias("method"))


def share_out(shares: DataFrame, split: DataFrame) -> DataFrame:
    """The thin products' means: their share of the remainder by weight, alike where no weight is above zero."""
    share = F.when(F.col("weights") > 0, F.col("weight") / F.col("weights")).otherwise(1 / F.col("thin"))
    joined = shares.join(F.broadcast(split), [*_CATEGORY])
    return joined.select(
        "cutoff", *_SERIES, "step", (F.col("remainder") * share).alias("mean"), F.lit(SHARED).alias("method")
    )


def _history(cutoff: date, settings: Forecast) -> list[Column]:
    """Selling weeks and weight by `cutoff`, of a group of weekly rows."""
    since = cutoff - timedelta(weeks=settings.share_weeks)
    known = F.col("week") <= F.lit(cutoff)
    worth = F.when(F.col("week") > F.lit(since), F.col("quantity")).otherwise(F.col("quantity") * settings.share_prior)
    return [
        F.count(F.when(known, 1)).alias(f"weeks_{cutoff}"),
        F.coalesce(F.sum(F.when(known, worth)), F.lit(0.0)).alias(f"weight_{cutoff}"),
    ]


def _remainder(floor: float) -> Column:
    """What the thin products get: what is left, but not less than the floor; all where nothing is modelled."""
    modelled = F.coalesce("modelled", F.lit(0.0))
    left = F.col("whole") - modelled
    return F.when(modelled > 0, F.greatest(left, floor * F.col("whole"))).otherwise(F.col("whole"))


def _factor(floor: float) -> Column:
    """What the modelled means are multiplied by; null where they are all zero and must make up the whole."""
    for_modelled = F.when(F.col("thin").isNull(), F.col("whole")).otherwise(F.col("whole") - _remainder(floor))
    return F.when(F.col("modelled") > 0, for_modelled / F.col("modelled")).when(F.col("thin").isNotNull(), 0.0)
