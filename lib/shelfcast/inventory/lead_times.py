"""Lead times: days from order to receipt, per vendor and store, as purchases show them."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.inventory.tables import ALL_STORES

_PAIR = ("vendor_id", "store_id")


def as_orders(purchases: DataFrame, as_of: date) -> DataFrame:
    """Received orders: vendor_id, store_id, days. A vendor's purchase order comes store by store.

    Of orders of the last weeks only the quick ones have come: orders younger than the vendor's longest lead time are
    left out, for the slow ones among them are not known yet. purchases: clean/purchases as known on `as_of`.
    """
    days = F.datediff("received_on", "ordered_on")
    received = purchases.where(F.col("vendor_id").isNotNull() & (F.col("received_on") <= F.lit(as_of)))
    orders = received.select(*_PAIR, "po_number", "ordered_on", days.alias("days")).distinct()
    of_vendor = Window.partitionBy("vendor_id").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    longest = F.max("days").over(of_vendor)
    whole = F.date_add("ordered_on", F.col("longest")) <= F.lit(as_of)
    return orders.withColumn("longest", longest).where(whole).select(*_PAIR, "days")


def fit_lead_times(orders: DataFrame, prior: float) -> DataFrame:
    """The distribution per vendor and store, and per vendor under store_id (all): vendor_id, store_id, orders,
    vendor_orders, days, chances (cumulative), mean.

    A store's share of orders that took so many days is shrunk to its vendor's by `prior` orders: (n_d + prior f_d) /
    (n + prior), the posterior mean under a Dirichlet prior (Gelman et al. 2013, section 3.4).
    """
    of_vendor = orders.groupBy("vendor_id", "days").agg(F.count(F.lit(1)).alias("vendor_n"))
    totals = orders.groupBy("vendor_id").agg(F.count(F.lit(1)).alias("vendor_orders"))
    frequency = of_vendor.join(totals, "vendor_id")
    by_store = orders.groupBy(*_PAIR).agg(F.count(F.lit(1)).alias("orders"))
    counts = orders.groupBy(*_PAIR, "days").agg(F.count(F.lit(1)).alias("n"))
    shrunk = frequency.join(by_store, "vendor_id").join(counts, [*_PAIR, "days"], how="left")
    shared = F.col("vendor_n") / F.col("vendor_orders")
    chance = (F.coalesce("n", F.lit(0)) + prior * shared) / (F.col("orders") + prior)
    stores = shrunk.select(*_PAIR, "orders", "vendor_orders", "days", chance.alias("chance"))
    whole = frequency.select(
        "vendor_id",
        F.lit(ALL_STORES).alias("store_id"),
        F.col("vendor_orders").alias("orders"),
        "vendor_orders",
        "days",
        shared.alias("chance"),
    )
    return _as_distributions(stores.unionByName(whole))


def _as_distributions(chances: DataFrame) -> DataFrame:
    in_order = Window.partitionBy(*_PAIR).orderBy("days")
    so_far = F.sum("chance").over(in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    kinds = F.sort_array(F.collect_list(F.struct("days", "up_to")))
    cumulated = chances.withColumn("up_to", so_far).groupBy(*_PAIR, "orders", "vendor_orders")
    return cumulated.agg(kinds.alias("kinds"), F.sum(F.col("days") * F.col("chance")).alias("mean")).select(
        *_PAIR,
        "orders",
        "vendor_orders",
        F.col("kinds.days").alias("days"),
        F.col("kinds.up_to").alias("chances"),
        "mean",
    )
