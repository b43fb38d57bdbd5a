"""From needs to orders: whole packs of what transfers do not bring, less what was refused; and the risks that stay."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.inventory.decisions import REJECTED, SUGGESTED, order_id
from shelfcast.inventory.levels import FILL_RATE

_PAIR = ("store_id", "product_id")
# 1 - 0.9 is a little less than 0.1.
_ROUNDING = 1e-9


def orders(policies: DataFrame, moves: DataFrame, rejected: DataFrame, growth: float) -> DataFrame:
    """What may be ordered, no limit applied yet: the columns of inventory/orders; is_due; days_until_due, until the
    position falls to the reorder point; value, what is expected to be missing without it, in money.

    Of what is due what transfers bring is not ordered; what is not due has room up to its order-up-to level. An order
    refused lately is held back unless it has grown by the share `growth`.
    """
    arriving = moves.where(F.col("status") == SUGGESTED).groupBy(F.col("to_store").alias("store_id"), "product_id")
    moved = arriving.agg(F.sum("quantity").alias("moved"))
    of_orders = rejected.where("from_store is null").select(*_PAIR, "rejected")
    joined = policies.where("may_order").join(moved, [*_PAIR], how="left").join(of_orders, [*_PAIR], how="left")
    is_due, room = F.col("need") > 0, F.col("order_up_to") - F.col("position")
    left = F.when(is_due, F.col("need")).otherwise(room) - F.coalesce("moved", F.lit(0.0))
    needed = joined.withColumns({"left": left, "is_due": is_due}).where("left > 0 and need_by is not null")
    sized = needed.withColumn("quantity", F.ceil(F.greatest("left", "minimum") / F.col("pack")) * F.col("pack"))
    return sized.select(*_described(growth))


def _described(growth: float) -> list[Column]:
    is_refused = F.coalesce(F.col("quantity") <= F.col("rejected") * (1 + growth), F.lit(False))
    spare = F.greatest(F.col("position") - F.col("reorder_point"), F.lit(0.0))
    return [
        F.col("region"),
        F.col("forecast_date"),
        order_id(F.col("region")).alias("order_id"),
        *map(F.col, _PAIR),
        F.col("vendor_id"),
        F.col("need_by"),
        F.date_add("forecast_date", F.ceil("lead_days").cast("int")).alias("expected_on"),
        F.col("quantity"),
        F.when(is_refused, REJECTED).otherwise(SUGGESTED).alias("status"),
        (F.col("quantity") * F.col("unit_cost")).alias("cost"),
        F.col("stock_out"),
        F.col("stock_out_after"),
        F.try_divide(F.col("position") + F.col("quantity"), F.col("daily_mean")).alias("days_of_supply"),
        F.col("is_due"),
        F.try_divide(spare, F.col("daily_mean")).alias("days_until_due"),
        (F.coalesce("price", "unit_cost", F.lit(0.0)) * F.col("shortfall")).alias("value"),
    ]


def risks(policies: DataFrame) -> DataFrame:
    """The rows of inventory/risks: what is likelier to run out before an order of today comes than its cycle service
    level allows, or expected to miss more until then than its fill rate does, and what is too much."""
    at_shelf = F.coalesce("price", "unit_cost")
    short = _risk("stock_out", F.col("stock_out"), F.col("shortfall"), at_shelf)
    over = _risk("overstock", F.lit(None).cast("double"), F.col("surplus"), F.coalesce("unit_cost", "price"))
    missed = F.when(F.col("target_kind") == FILL_RATE, F.col("missing_share")).otherwise(F.col("stock_out"))
    scarce = policies.where(missed > 1 - F.col("target") + _ROUNDING).select(*short)
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
