"""What a plan's tables tell a manager: vendors, stock in excess, and moves from store to store."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.inventory.tables import ALL_STORES


def vendors(lead_times: DataFrame, costs: DataFrame, least_orders: int) -> DataFrame:
    """The rows of insights/vendors without region and date, of vendors of `least_orders` or more. lead_times, costs:
    inventory/lead_times and costs of one date."""
    whole = lead_times.where((F.col("store_id") == ALL_STORES) & (F.col("vendor_orders") >= least_orders))
    share = F.try_divide("freight", "purchase_price")
    # A product without a price has no share; a vendor's share is the same for all its products.
    priced = costs.groupBy("vendor_id").agg(
        F.avg(F.when(F.col("purchase_price") > 0, share)).alias("freight_share"), F.count(F.lit(1)).alias("products")
    )
    return whole.join(priced, "vendor_id", how="left").select(
        "vendor_id",
        F.col("vendor_orders").alias("orders"),
        F.col("mean").alias("mean_days"),
        F.try_divide(_deviation(), "mean").alias("variation"),
        _quantile(0.1).alias("p10"),
        _quantile(0.9).alias("p90"),
        F.when(F.col("freight_share") > 0, F.col("freight_share")).alias("freight_share"),
        F.coalesce("products", F.lit(0)).cast("bigint").alias("products"),
    )


def _deviation() -> Column:
    """Of days with cumulative chances: the root of E[d^2] - E[d]^2."""
    before = F.concat(F.array(F.lit(0.0)), F.slice("chances", 1, F.size("chances") - 1))
    own = F.zip_with("chances", before, lambda up_to, earlier: up_to - earlier)
    squares = F.zip_with("days", own, lambda days, chance: days * days * chance)
    mean_square = F.aggregate(squares, F.lit(0.0), lambda total, square: total + square)
    return F.sqrt(F.greatest(mean_square - F.col("mean") ** 2, F.lit(0.0)))


def _quantile(level: float) -> Column:
    """The fewest days within which that share of orders comes. Chances are sums of doubles."""
    enough = F.filter(F.arrays_zip("days", "chances"), lambda kind: kind["chances"] >= level - 1e-9)
    return F.try_element_at(enough, F.lit(1))["days"]


def excess(risks: DataFrame) -> DataFrame:
    """store_id, excess_products, excess, excess_value. risks: inventory/risks of one date."""
    over = risks.where("risk = 'overstock'")
    return over.groupBy("store_id").agg(
        F.count(F.lit(1)).alias("excess_products"), F.sum("units").alias("excess"), F.sum("value").alias("excess_value")
    )


def stores(measured: DataFrame, over: DataFrame | None) -> DataFrame:
    """The rows of insights/stores without region and date. measured: store_id, units, missed, wape, bias; over:
    `excess`, or None where no stock is counted."""
    names = ("excess_products", "excess", "excess_value")
    if over is None:
        unknown = {name: F.lit(None).cast("bigint" if name == names[0] else "double") for name in names}
        return measured.withColumns(unknown)
    joined = measured.join(over, "store_id", how="full")
    return joined.select("store_id", "units", "missed", "wape", "bias", *names)


def moves(transfers: DataFrame, costs: DataFrame) -> DataFrame:
    """from_store, to_store, products, quantity, value: what goes from store to store in all, value at cost, null where
    no cost is known, without what was rejected. transfers: inventory/transfers of one date."""
    cost = F.col("purchase_price") + F.coalesce("freight", F.lit(0.0))
    suggested = transfers.where("status = 'suggested'")
    priced = suggested.join(F.broadcast(costs.select("product_id", cost.alias("cost"))), "product_id", how="left")
    return priced.groupBy("from_store", "to_store").agg(
        F.count(F.lit(1)).alias("products"),
        F.sum("quantity").alias("quantity"),
        F.sum(F.col("quantity") * F.col("cost")).alias("value"),
    )
