"""The means of every level, from those of categories and what their products have of them."""

from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.forecasting import middle_out
from shelfcast.table import ALL

# The level of the thin products until they are published.
SHARED = "product_shared"
_SERIES = ("store_id", "item_id", "category_id")


class Parts(NamedTuple):
    """The means at each cutoff that all others follow from: of categories, of modelled products, the weights of the
    thin ones, how each category is split, and what products not listed yet have of it."""

    category: DataFrame
    modelled: DataFrame
    thin: DataFrame
    split: DataFrame
    unlisted: DataFrame

    def at(self, condition: Column) -> "Parts":
        """The parts at the cutoffs of which the condition holds."""
        return Parts(*[frame.where(condition) for frame in self])


def past_levels(parts: Parts, shared: DataFrame) -> DataFrame:
    """Rows of every level: level, cutoff, the series, step, week, y, mean, method. `level` tells modelled and shared
    products apart: their errors are not alike.

    shared: the thin products' means, with week and y.
    """
    return _direct(parts).unionByName(shared.withColumn("level", F.lit(SHARED)))


def levels_ahead(parts: Parts, recent: DataFrame) -> DataFrame:
    """As past_levels, of the weeks ahead: y is null, and own_weeks and own_excess of `recent` are added, null where it
    does not have them. recent: of dispersion.measure_recent."""
    # Of the thin products, most of all rows, before there is a row for each step.
    own = recent.where("level = 'product'").drop("level")
    thin = parts.thin.join(own, ["store_id", "item_id"], how="left")
    dated = {"week": F.date_add("cutoff", F.col("step") * 7), "y": F.lit(None).cast("double"), "level": F.lit(SHARED)}
    shared = middle_out.share_out(thin, parts.split).withColumns(dated)
    return _direct(parts).join(recent, ["level", "store_id", "item_id"], how="left").unionByName(shared)


def _direct(parts: Parts) -> DataFrame:
    """All levels but the thin products."""
    outcome = parts.modelled.select("cutoff", *_SERIES, "step", "week", "y")
    levels = {
        "product": middle_out.scale_modelled(parts.modelled, parts.split).join(outcome, ["cutoff", *_SERIES, "step"]),
        "unlisted": parts.unlisted,
        "category": parts.category,
        "store": _sum(parts.category, F.col("store_id")),
        "region": _sum(parts.category, F.lit(ALL)),
    }
    named = [frame.withColumn("level", F.lit(level)) for level, frame in levels.items()]
    return reduce(DataFrame.unionByName, named)


def _sum(category: DataFrame, store: Column) -> DataFrame:
    """The sums of category means over stores, or over all."""
    known = F.when(F.count("y") == F.count(F.lit(1)), F.sum("y"))
    sums = category.groupBy("cutoff", store.alias("store_id"), "step", "week")
    everything = F.lit(ALL)
    return sums.agg(known.alias("y"), F.sum("mean").alias("mean")).select(
        "cutoff",
        "store_id",
        everything.alias("item_id"),
        everything.alias("category_id"),
        "step",
        "week",
        "y",
        "mean",
        F.lit("sum").alias("method"),
    )
