"""True demand as far as it is known, and the forecasts of it, a row a series: what a replay runs on."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_PAIR = ("store_id", "product_id")


def spread_lost_sales(spells: DataFrame) -> DataFrame:
    """store_id, product_id, day, quantity: what a spell out of stock lost, in units, evenly over its days. spells:
    store_id, product_id, first_day, last_day, lost."""
    days = F.sequence(F.col("first_day").cast("date"), F.col("last_day").cast("date"))
    share = F.col("lost") / (F.datediff("last_day", "first_day") + 1)
    return spells.where("lost > 0").select(*_PAIR, F.explode(days).alias("day"), share.alias("quantity"))


def demand_series(sold: DataFrame, lost: DataFrame) -> DataFrame:
    """store_id, product_id, sold: array of (day, quantity), what sold and what was lost. sold: product rows of
    demand/daily."""
    both = sold.select("store_id", F.col("item_id").alias("product_id"), "day", "quantity").unionByName(lost)
    return both.groupBy(*_PAIR).agg(F.collect_list(F.struct("day", "quantity")).alias("sold"))


def forecast_series(backtests: DataFrame, cutoffs: Sequence[object]) -> DataFrame:
    """store_id, product_id, forecasts: array of (cutoff, step, y_hat), of series that were forecast at every cutoff."""
    entry = F.struct("cutoff", "step", "y_hat")
    grouped = backtests.groupBy("store_id", F.col("item_id").alias("product_id")).agg(
        F.collect_list(entry).alias("forecasts"), F.count_distinct("cutoff").alias("cutoffs")
    )
    return grouped.where(F.col("cutoffs") == len(cutoffs)).drop("cutoffs")


def sample(series: DataFrame, most: int, count: int) -> DataFrame:
    """At most about `most` of `count` series, by their hash: as large a share of every class."""
    if count <= most:
        return series
    return series.where(F.pmod(F.xxhash64("product_id", "store_id"), F.lit(1_000_000)) < 1_000_000 * most // count)
