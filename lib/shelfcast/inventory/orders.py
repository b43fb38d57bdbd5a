"""From needs to orders: transfers first, then whole packs, less what was refused, within the limits of money."""

from collections.abc import Iterator, Mapping
from itertools import chain, pairwise

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.inventory.decisions import order_id
from shelfcast.panels import by_bucket

SUGGESTED, REJECTED, OVER_LIMIT = "suggested", "rejected", "over_limit"
TRANSFER_COLUMNS = "product_id string, from_store string, to_store string, quantity double"
_PAIR = ("store_id", "product_id")
# 1 - 0.9 is a little less than 0.1.
_ROUNDING = 1e-9


def transfers(policies: DataFrame, buckets: int) -> DataFrame:
    """Moves that take a surplus of one store to the need of another: TRANSFER_COLUMNS, whole units. policies: rows of
    inventory/policies; all stores of a product share a bucket."""
    wanting = policies.where("surplus >= 1 or need >= 1")
    columns = wanting.select("bucket", *_PAIR, "surplus", "need", "stock_out")
    return by_bucket(columns, buckets).applyInPandas(match_stores, TRANSFER_COLUMNS)


def match_stores(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each product the largest surplus goes first, to who is likeliest to run out; nobody gives what it needs."""
    moves = [move for product, group in rows.groupby("product_id", sort=True) for move in _moves(product, group)]
    return pd.DataFrame(moves, columns=["product_id", "from_store", "to_store", "quantity"]).astype({"quantity": float})


def _moves(product: object, rows: pd.DataFrame) -> Iterator[tuple[object, str, str, float]]:
    giving = rows[rows["surplus"] >= 1].sort_values(["surplus", "store_id"], ascending=[False, True])
    taking = rows[rows["need"] >= 1].sort_values(["stock_out", "store_id"], ascending=[False, True])
    if giving.empty or taking.empty:
        return
    # Units in order: a store gives, or takes, those of its stretch.
    given, taken = (np.cumsum(np.floor(side.to_numpy())) for side in (giving["surplus"], taking["need"]))
    edges = np.unique(np.concatenate([[0.0], given, taken]))
    for start, end in pairwise(edges):
        if end <= min(given[-1], taken[-1]):
            source = giving["store_id"].iloc[int(np.searchsorted(given, start, side="right"))]
            target = taking["store_id"].iloc[int(np.searchsorted(taken, start, side="right"))]
            yield product, source, target, float(end - start)


def orders(policies: DataFrame, moves: DataFrame, rejected: DataFrame, growth: float) -> DataFrame:
    """What is to be ordered: the columns of inventory/orders and `priority`, no limit applied yet.

    What transfers bring is not ordered. An order refused lately is held back unless it has grown by the share
    `growth`. priority: value in money expected to be missing without it / its cost.
    """
    moved = moves.groupBy(F.col("to_store").alias("store_id"), "product_id").agg(F.sum("quantity").alias("moved"))
    joined = policies.where("need > 0").join(moved, [*_PAIR], how="left").join(rejected, [*_PAIR], how="left")
    left = F.col("need") - F.coalesce("moved", F.lit(0.0))
    needed = joined.withColumn("left", left).where("left > 0")
    sized = needed.withColumn("quantity", F.ceil(F.greatest("left", "minimum") / F.col("pack")) * F.col("pack"))
    is_refused = F.coalesce(F.col("quantity") <= F.col("rejected") * (1 + growth), F.lit(False))
    value = F.coalesce("price", "unit_cost", F.lit(0.0)) * F.col("shortfall")
    cost = F.col("quantity") * F.col("unit_cost")
    return sized.select(
        "region",
        "forecast_date",
        order_id(F.col("region")).alias("order_id"),
        *_PAIR,
        "vendor_id",
        "need_by",
        "quantity",
        F.when(is_refused, REJECTED).otherwise(SUGGESTED).alias("status"),
        cost.alias("cost"),
        "stock_out",
        "stock_out_after",
        F.try_divide(F.col("position") + F.col("quantity"), F.col("daily_mean")).alias("days_of_supply"),
        F.when(cost > 0, value / cost).otherwise(0.0).alias("priority"),
    )


def within_limits(suggested: DataFrame, column: str, limits: Mapping[str, float]) -> DataFrame:
    """Holds back what goes beyond a vendor's or store's limit of money, by `column`: the orders of highest priority are
    kept, and all behind the first that does not fit are held back."""
    if not limits:
        return suggested
    named = F.create_map(*chain.from_iterable((F.lit(name), F.lit(money)) for name, money in limits.items()))
    limit, asks = named[F.col(column)], F.col("status") == SUGGESTED
    in_order = Window.partitionBy(column, asks).orderBy(F.desc("priority"), "order_id")
    so_far = F.sum(F.coalesce("cost", F.lit(0.0))).over(in_order.rowsBetween(Window.unboundedPreceding, 0))
    is_over = F.coalesce(asks & (so_far > limit), F.lit(False))
    return suggested.withColumn("status", F.when(is_over, OVER_LIMIT).otherwise(F.col("status")))


def risks(policies: DataFrame) -> DataFrame:
    """The rows of inventory/risks: what is likelier to run out before an order of today comes than its target allows,
    and what is too much."""
    at_shelf = F.coalesce("price", "unit_cost")
    short = _risk("stock_out", F.col("stock_out"), F.col("shortfall"), at_shelf)
    over = _risk("overstock", F.lit(None).cast("double"), F.col("surplus"), F.coalesce("unit_cost", "price"))
    scarce = policies.where(F.col("stock_out") > 1 - F.col("target") + _ROUNDING).select(*short)
    return scarce.unionByName(policies.where("surplus >= 1").select(*over))


def _risk(name: str, probability: Column, units: Column, value: Column) -> list[Column]:
    return [
        F.col("region"),
        F.col("forecast_date"),
        *map(F.col, _PAIR),
        F.lit(name).alias("risk"),
        probability.alias("probability"),
        units.alias("units"),
        (units * value).alias("value"),
        F.col("days_of_supply"),
    ]
