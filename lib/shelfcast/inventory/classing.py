"""The classes of shelfcast.inventory.classes as columns of a frame."""

from math import log

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.inventory.classes import Borders

# Values within a factor of 1.09 are ranked together in one task.
_BIN = log(2) / 8


def abc_class(before: Column, value: Column, borders: Borders) -> Column:
    """before: the share of the total value that comes before the row's own."""
    by_share = F.when(before < borders.a, "A").when(before < borders.b, "B").otherwise("C")
    return F.when(value <= 0, "C").otherwise(by_share)


def xyz_class(variation: Column, borders: Borders) -> Column:
    """variation: coefficient of variation; unknown (null or NaN) is Z."""
    known = variation.isNotNull() & ~F.isnan(variation)
    return F.when(known & (variation <= borders.x), "X").when(known & (variation <= borders.y), "Y").otherwise("Z")


def share_before(value: str, item: str, group: str) -> Column:
    """The share of the total of `value` in its group that comes before the row, as `with_shares` has it of all rows:
    for groups that a task can hold, such as the products of a store."""
    worth = _worth(value)
    whole = Window.partitionBy(group)
    falling = whole.orderBy(worth.desc(), item).rowsBetween(Window.unboundedPreceding, -1)
    total = F.sum(worth).over(whole.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing))
    return F.coalesce(F.try_divide(F.coalesce(F.sum(worth).over(falling), F.lit(0.0)), total), F.lit(1.0))


def with_shares(frame: DataFrame, value: str, item: str) -> DataFrame:
    """Adds `before`, the share of the total of `value` that comes before the row in falling order of it, and `up_to`,
    with the row's own; equals come in order of `item`, and what is worth nothing comes last.

    Rows are ranked within bins of like value, and a bin's sum is known to those after it: no task holds all rows.
    """
    worth = _worth(value)
    place = F.when(worth > 0, F.floor(F.log(worth) / _BIN))
    binned = frame.withColumn("_worth", worth).withColumn("_bin", F.coalesce(place, F.lit(-(10**6))))
    sums = binned.groupBy("_bin").agg(F.sum("_worth").alias("_sum"))
    # A few hundred bins: rows without a partition that may be.
    falling = Window.orderBy(F.desc("_bin"))
    earlier = F.coalesce(F.sum("_sum").over(falling.rowsBetween(Window.unboundedPreceding, -1)), F.lit(0.0))
    whole = F.sum("_sum").over(falling.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing))
    bins = sums.select("_bin", earlier.alias("_earlier"), whole.alias("_whole"))
    inside = Window.partitionBy("_bin").orderBy(F.desc("_worth"), item)
    so_far = F.sum("_worth").over(inside.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    ranked = binned.join(F.broadcast(bins), "_bin").withColumn("_so_far", F.col("_earlier") + so_far)
    before, up_to = (
        F.try_divide(part, F.col("_whole")) for part in (F.col("_so_far") - F.col("_worth"), F.col("_so_far"))
    )
    shares = {"before": F.coalesce(before, F.lit(1.0)), "up_to": F.coalesce(up_to, F.lit(1.0))}
    return ranked.withColumns(shares).drop("_bin", "_worth", "_earlier", "_whole", "_so_far")


def _worth(value: str) -> Column:
    return F.greatest(F.coalesce(value, F.lit(0.0)), F.lit(0.0))
