"""Stores and products that are new or gone."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.monitoring.alerts import INFO, WARNING, Finding, about
from shelfcast.settings.monitoring import Monitoring

STORES, PRODUCTS = "stores", "products"
# A block's share is odd where it is so many times the largest of those before it.
_FACTOR = 1.5
_LEAST_BLOCKS = 3


def vanished(store: str, last_sold: date, silent: int, bound: int) -> Finding:
    subject = f"store {store}"
    reason = f"{subject}: nothing sold for {silent} days, since {last_sold}"
    return Finding(WARNING, STORES, subject, store, None, float(silent), float(bound), False, reason)


def new_stores(store_days: DataFrame, as_of: date, window_days: int) -> DataFrame:
    """FINDINGS: a store whose first day is recent, while others are known for longer."""
    firsts = store_days.where("rows > 0").groupBy("store_id").agg(F.min("day").alias("first"))
    age = F.datediff(F.lit(as_of), F.col("first"))
    oldest = F.max(age).over(Window.partitionBy(F.lit(0)).rowsBetween(Window.unboundedPreceding,
                                                                      Window.unboundedFollowing))  # fmt: skip
    recent = firsts.select("store_id", "first", age.alias("age"), oldest.alias("oldest"))
    recent = recent.where((F.col("age") < window_days) & (F.col("oldest") >= 2 * window_days))
    subject = F.concat(F.lit("store "), F.col("store_id"))
    return recent.select(
        F.lit(INFO).alias("severity"),
        F.lit(STORES).alias("check"),
        subject.alias("subject"),
        "store_id",
        F.lit(None).cast("date").alias("day"),
        F.col("age").cast("double").alias("found"),
        F.lit(float(window_days)).alias("wanted"),
        F.lit(False).alias("held"),
        F.concat(subject, F.lit(": new, its first day is "), F.col("first").cast("string")).alias("reason"),
    )


def product_shares(sales: DataFrame, as_of: date, days: int) -> DataFrame:
    """Of each whole block of `days` days before `as_of`, 0 the newest: the share of its revenue from products that
    never sold before it (new), and that of the block before it from products that do not sell in it (gone).

    The oldest block has no shares: nothing is known before it.
    """
    age = F.floor(F.datediff(F.lit(as_of), F.col("sold_on")) / days).cast("int")
    blocks = sales.groupBy("product_id", age.alias("block")).agg(F.sum("revenue").alias("revenue"))
    product = Window.partitionBy("product_id")
    whole = product.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    following = F.lag("block").over(product.orderBy("block"))
    known = blocks.select("block", "revenue", F.max("block").over(whole).alias("first"), following.alias("next"))
    by_block = known.groupBy("block").agg(
        F.sum("revenue").alias("total"),
        F.coalesce(F.sum(F.when(F.col("first") == F.col("block"), F.col("revenue"))), F.lit(0.0)).alias("new"),
        F.coalesce(F.sum(F.when(_is_gone(), F.col("revenue"))), F.lit(0.0)).alias("gone"),
    )
    left = by_block.select((F.col("block") - 1).alias("block"), (F.col("gone") / F.col("total")).alias("gone"))
    new = by_block.select("block", (F.col("new") / F.col("total")).alias("new"))
    return new.join(left, "block")


def _is_gone() -> Column:
    """Not sold in the block after this one; the newest has none."""
    return (F.col("block") > 0) & (F.col("next").isNull() | (F.col("next") < F.col("block") - 1))


def judge_shares(shares: list[tuple[int, float, float]], settings: Monitoring) -> list[Finding]:
    """shares: (block, new, gone), as product_shares has them."""
    found, newest = [], {block: (new, gone) for block, new, gone in shares}.get(0)
    earlier = [(new, gone) for block, new, gone in shares if block > 0]
    if newest is None or len(earlier) < _LEAST_BLOCKS:
        return []
    said = (("new products", "never sold before them"), ("vanished products", "no longer sell in them"))
    for (subject, words), share, usual in zip(said, newest, zip(*earlier, strict=True), strict=True):
        bound = max(settings.new_share, _FACTOR * max(usual))
        if share > bound:
            told = f"{share:.0%} of the revenue is of products that {words}; {max(usual):.0%} at most in earlier weeks"
            found.append(about(PRODUCTS, WARNING, f"{subject}, last {settings.drift_weeks} weeks", told, share, bound))
    return found
