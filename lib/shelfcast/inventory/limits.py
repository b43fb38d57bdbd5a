"""What a vendor asks of an order at least, and what may be ordered at most."""

from collections.abc import Mapping
from functools import reduce
from itertools import chain
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.inventory.decisions import SUGGESTED

OVER_LIMIT, BELOW_MINIMUM = "over_limit", "below_minimum"
_WHOLE = (Window.unboundedPreceding, Window.unboundedFollowing)


class Limit(NamedTuple):
    """The most of a `measure`, cost (money) or quantity (units), that may be ordered for each named value of `column`,
    vendor_id or store_id."""

    column: str
    measure: str
    most: Mapping[str, float]


def filled_up(wanted: DataFrame, minima: Mapping[str, float]) -> DataFrame:
    """Rows of orders that are due, and where these are worth less than the vendor's least order (vendor -> money),
    more of what it sells: first what would be due soonest, each up to its order-up-to level, in whole packs.

    wanted: rows of `orders.orders`: those that are due (is_due), and those that have room but are not.
    """
    due, named = F.col("is_due"), F.col("vendor_id").isin(*minima)
    if not minima:
        return wanted.where(due)
    asks = F.col("status") == SUGGESTED
    whole = Window.partitionBy("vendor_id").rowsBetween(*_WHOLE)
    before = Window.partitionBy("vendor_id", due).orderBy("days_until_due", "order_id")
    worth_due = F.sum(_cost(due & asks)).over(whole)
    so_far = F.sum(_cost(~due & asks)).over(before.rowsBetween(Window.unboundedPreceding, -1))
    is_short = worth_due + F.coalesce(so_far, F.lit(0.0)) < _of(minima, "vendor_id")
    joins = ~due & asks & (worth_due > 0) & is_short
    limited = wanted.where(named).withColumn("joins", joins).where(due | F.col("joins")).drop("joins")
    return wanted.where(due & ~F.coalesce(named, F.lit(False))).unionByName(limited)


def within_limits(suggested: DataFrame, limits: list[Limit]) -> DataFrame:
    """Holds back what goes beyond a limit: the orders that save most for what is scarce are kept, and all behind the
    first that does not fit are held back. suggested: rows of `orders.orders`."""
    return reduce(_within, [limit for limit in limits if limit.most], suggested)


def _within(suggested: DataFrame, limit: Limit) -> DataFrame:
    asks, used = F.col("status") == SUGGESTED, F.coalesce(limit.measure, F.lit(0.0))
    worth = F.when(used > 0, F.col("value") / used).otherwise(0.0)
    in_order = Window.partitionBy(limit.column, asks).orderBy(worth.desc(), "order_id")
    so_far = F.sum(used).over(in_order.rowsBetween(Window.unboundedPreceding, 0))
    is_over = F.coalesce(asks & (so_far > _of(limit.most, limit.column)), F.lit(False))
    return suggested.withColumn("status", F.when(is_over, OVER_LIMIT).otherwise(F.col("status")))


def above_minima(suggested: DataFrame, minima: Mapping[str, float]) -> DataFrame:
    """Holds back a vendor's orders where together they are worth less than its least order."""
    if not minima:
        return suggested
    asks = F.col("status") == SUGGESTED
    worth = F.sum(_cost(asks)).over(Window.partitionBy("vendor_id").rowsBetween(*_WHOLE))
    is_below = F.coalesce(asks & (worth < _of(minima, "vendor_id")), F.lit(False))
    return suggested.withColumn("status", F.when(is_below, BELOW_MINIMUM).otherwise(F.col("status")))


def _cost(counts: Column) -> Column:
    return F.when(counts, F.coalesce("cost", F.lit(0.0))).otherwise(0.0)


def _of(named: Mapping[str, float], column: str) -> Column:
    """Null for who is not named."""
    return F.create_map(*chain.from_iterable((F.lit(name), F.lit(number)) for name, number in named.items()))[
        F.col(column)
    ]
