"""The queries behind the page's plan and replay: a row a vendor, a class, a rule's parameter."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.inventory.decisions import SUGGESTED
from shelfcast.inventory.gains import ALL_CLASSES
from shelfcast.inventory.tables import LEAD_TIME_CALIBRATION, ORDERS, POLICIES, REPLAY_GAINS, REPLAYS, RISKS
from shelfcast.reporting.queries import Read

VENDORS = 15


def vendor_orders(read: Read) -> DataFrame | None:
    """The vendors with most money to be ordered from, and how many of their orders are held back."""
    orders = read(ORDERS)
    if orders is None:
        return None
    asks = F.col("status") == SUGGESTED
    grouped = orders.groupBy("vendor_id").agg(
        F.count_if(asks).alias("orders"),
        *(F.sum(F.when(asks, F.col(name)).otherwise(0.0)).alias(name) for name in ("quantity", "cost")),
        F.count_if(~asks).alias("held_back"),
    )
    return grouped.orderBy(F.desc("cost"), "vendor_id").limit(VENDORS)


def risk_classes(read: Read) -> DataFrame | None:
    """Risks by kind and class of product."""
    risks, policies = read(RISKS), read(POLICIES)
    if risks is None or policies is None:
        return None
    pair = ["store_id", "product_id"]
    named = risks.join(policies.select(*pair, "class"), pair)
    sums = [F.count(F.lit(1)).alias("series"), F.sum("units").alias("units"), F.sum("value").alias("value")]
    return named.groupBy("risk", "class").agg(*sums)


def replays(read: Read) -> DataFrame | None:
    """What each rule comes to with each of its parameters, the mean over seeds."""
    found = read(REPLAYS)
    if found is None:
        return None
    names = ("fill_rate", "short_days", "stock", "turnover", "holding", "ordering", "lost_margin", "cost")
    whole = found.where(F.col("class") == ALL_CLASSES).groupBy("rule", "parameter")
    return whole.agg(*[F.avg(name).alias(name) for name in names])


def replay_gains(read: Read) -> DataFrame | None:
    return read(REPLAY_GAINS)


def lead_time_calibration(read: Read) -> DataFrame | None:
    found = read(LEAD_TIME_CALIBRATION)
    return None if found is None else found.where(F.col("class") == ALL_CLASSES)
