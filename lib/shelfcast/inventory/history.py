"""True demand as far as it is known, its forecasts and its supply, a row a series: what a replay runs on."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

_PAIR = ("store_id", "product_id")


def spread_lost_sales(spells: DataFrame) -> DataFrame:
    """store_id, product_id, day, quantity: what a spell out of stock lost, in units, evenly over its days. spells:
    store_id, product_id, first_day, last_day, lost."""
    days = F.sequence(F.col("first_day").cast("date"), F.col("last_day").cast("date"))
    share = F.col("lost") / (F.datediff("last_day", "first_day") + 1)
    return spells.where("lost > 0").select(*_PAIR, F.explode(days).alias("day"), share.alias("quantity"))


def demand_series(sold: DataFrame, lost: DataFrame) -> DataFrame:
    """store_id, product_id, sold, lost: arrays of (day, quantity). sold: product rows of demand/daily."""
    days = sold.select("store_id", F.col("item_id").alias("product_id"), "day", "quantity")
    both = days.withColumn("is_sold", F.lit(True)).unionByName(lost.withColumn("is_sold", F.lit(False)))
    entry, is_sold = F.struct("day", "quantity"), F.col("is_sold")
    parts = [F.collect_list(F.when(of, entry)).alias(name) for name, of in (("sold", is_sold), ("lost", ~is_sold))]
    return both.groupBy(*_PAIR).agg(*parts)


def forecast_series(backtests: DataFrame, cutoffs: Sequence[object]) -> DataFrame:
    """store_id, product_id, forecasts: array of (cutoff, step, y_hat), of series that were forecast at every cutoff."""
    entry = F.struct("cutoff", "step", "y_hat")
    grouped = backtests.groupBy("store_id", F.col("item_id").alias("product_id")).agg(
        F.collect_list(entry).alias("forecasts"), F.count_distinct("cutoff").alias("cutoffs")
    )
    return grouped.where(F.col("cutoffs") == len(cutoffs)).drop("cutoffs")


def supply_series(stock: DataFrame, purchases: DataFrame, known_on: date) -> DataFrame:
    """store_id, product_id, counted_on, counted, ordered: the store's first count, and the orders that it does not
    hold, an array of (day, quantity) by day, as known on `known_on`. A product that the count does not list counts 0.

    What is counted at an opening is what the day before closed with.
    """
    first = stock.where(F.col("counted_on") <= F.lit(known_on)).groupBy("store_id").agg(F.min(_closing()).alias("at"))
    rows = stock.join(F.broadcast(first), "store_id").where(_closing() == F.col("at"))
    counted = rows.groupBy(*_PAIR).agg(F.sum("on_hand").alias("counted"))
    lines = purchases.where(F.col("ordered_on") <= F.lit(known_on)).join(F.broadcast(first), "store_id")
    after = lines.where(F.col("received_on").isNull() | (F.col("received_on") > F.col("at")))
    entry = F.struct(F.col("ordered_on").alias("day"), "quantity")
    ordered = after.groupBy(*_PAIR).agg(F.sort_array(F.collect_list(entry)).alias("ordered"))
    both = ordered.join(counted, [*_PAIR], how="left").join(F.broadcast(first), "store_id")
    return both.select(*_PAIR, F.col("at").alias("counted_on"), F.coalesce("counted", F.lit(0.0)).alias("counted"),
                       "ordered")  # fmt: skip


def _closing() -> Column:
    is_opening = F.coalesce(F.col("moment") == "opening", F.lit(False))
    return F.when(is_opening, F.date_sub("counted_on", 1)).otherwise(F.col("counted_on"))


def review_cycles(purchases: DataFrame, known_on: date, assumed_days: int) -> DataFrame:
    """vendor_id, shown_review: the most frequent number of days from one order day of a vendor to its next."""
    placed = purchases.where(F.col("vendor_id").isNotNull() & (F.col("ordered_on") <= F.lit(known_on)))
    before = F.lag("ordered_on").over(Window.partitionBy("vendor_id").orderBy("ordered_on"))
    days = placed.select("vendor_id", "ordered_on").distinct().withColumn("gap", F.datediff("ordered_on", before))
    shown = days.groupBy("vendor_id").agg(F.mode("gap", True).alias("gap"))
    return shown.select("vendor_id", F.coalesce("gap", F.lit(assumed_days)).alias("shown_review"))


def sample(series: DataFrame, most: int, count: int) -> DataFrame:
    """At most about `most` of `count` series, by their hash: as large a share of every class."""
    if count <= most:
        return series
    return series.where(F.pmod(F.xxhash64("product_id", "store_id"), F.lit(1_000_000)) < 1_000_000 * most // count)
