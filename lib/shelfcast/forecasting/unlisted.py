"""What sells of products that a store has never sold yet: their measured share of what its category sells.

Of what sold in a week, the part of products first sold there in the last k weeks is what a forecast k weeks before did
not know. It is the same share at every origin of like history, so the latest `horizon` weeks tell it for each step.
"""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

NOT_LISTED_YET, METHOD = "(not listed yet)", "not_listed_yet"
# Units by which a store's own share is held to its category's, and that to the region's: a category of a store sells
# a handful in `horizon` weeks.
PRIOR_UNITS = 50.0
_SERIES = ("store_id", "item_id", "category_id")
_CATEGORY = ("store_id", "category_id")


def sum_new_sales(weekly: DataFrame, horizon: int) -> DataFrame:
    """Units by store, category and week: all `units`, and `new`, of which the k-th (from 1) are those of products
    first sold there less than k weeks before.

    weekly: product rows of demand/weekly.
    """
    aged = weekly.withColumn("age", F.datediff("week", F.min("week").over(_all_of(*_SERIES))) / 7)
    new = [F.coalesce(F.sum(F.when(F.col("age") < step, F.col("quantity"))), F.lit(0.0)) for step in _steps(horizon)]
    return aged.groupBy(*_CATEGORY, "week").agg(F.sum("quantity").alias("units"), F.array(*new).alias("new"))


def share_not_listed(categories: DataFrame, new_sales: DataFrame, horizon: int) -> DataFrame:
    """Adds `unlisted`, the share of the category's units that products not sold there by the cutoff will have, 0..1.

    categories: cutoff (last week known), store_id, category_id, step. Learned from the `horizon` weeks up to the
    cutoff: of those, a step counts the ones whose origin, `step` weeks before, knew the category in that store.
    """
    since_first = F.datediff("week", F.min("week").over(_all_of(*_CATEGORY))) / 7
    cutoffs = F.broadcast(categories.select("cutoff").distinct())
    ago = F.datediff("cutoff", "week") / 7
    latest = new_sales.withColumn("known", since_first).join(cutoffs, (ago >= 0) & (ago < horizon))
    sums = [
        F.struct(
            F.lit(step).alias("step"),
            F.sum(F.when(F.col("known") >= step, F.col("new")[step - 1])).alias("new"),
            F.sum(F.when(F.col("known") >= step, F.col("units"))).alias("units"),
        )
        for step in _steps(horizon)
    ]
    by_store = latest.groupBy("cutoff", *_CATEGORY).agg(F.array(*sums).alias("steps"))
    by_step = by_store.select("cutoff", *_CATEGORY, F.inline("steps"))
    joined = categories.join(by_step, ["cutoff", *_CATEGORY, "step"], how="left").fillna(0.0, ["new", "units"])
    return joined.withColumn("unlisted", _shrunk_share()).drop("new", "units")


def forecast_unlisted(categories: DataFrame, split: DataFrame, new_sales: DataFrame) -> DataFrame:
    """A row for what each category of a store will sell of products not listed yet: cutoff, the series, step, week, y,
    mean, method.

    categories: rows with week and y (null where not known). split: their means as split, with that of the `unlisted`.
    """
    means = split.select("cutoff", *_CATEGORY, "step", F.col("unlisted").alias("mean"))
    rows = categories.select("cutoff", *_CATEGORY, "step", "week", "y").join(means, ["cutoff", *_CATEGORY, "step"])
    joined = rows.join(new_sales, [*_CATEGORY, "week"], how="left")
    came = F.coalesce(F.get("new", F.col("step") - 1), F.lit(0.0))
    return joined.select(
        "cutoff",
        "store_id",
        F.lit(NOT_LISTED_YET).alias("item_id"),
        "category_id",
        "step",
        "week",
        F.when(F.col("y").isNotNull(), came).alias("y"),
        "mean",
        F.lit(METHOD).alias("method"),
    )


def _shrunk_share() -> Column:
    """The share of store x category, held to the category's, and that to the region's: each by PRIOR_UNITS."""
    new, units = F.col("new"), F.col("units")
    region, category = _all_of("cutoff", "step"), _all_of("cutoff", "step", "category_id")
    of_region = F.coalesce(F.sum(new).over(region) / F.nullif(F.sum(units).over(region), F.lit(0.0)), F.lit(0.0))
    of_category = (F.sum(new).over(category) + PRIOR_UNITS * of_region) / (F.sum(units).over(category) + PRIOR_UNITS)
    return (new + PRIOR_UNITS * of_category) / (units + PRIOR_UNITS)


def _all_of(*keys: str) -> WindowSpec:
    return Window.partitionBy(*keys).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)


def _steps(horizon: int) -> range:
    return range(1, horizon + 1)
