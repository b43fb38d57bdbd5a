"""What a unit costs: its purchase price, its part of the freight, and the pack it comes in."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# No pack is larger: twelve dozen.
_LARGEST_PACK = 144


def product_costs(purchases: DataFrame, freight: DataFrame, prices: DataFrame, least_lines: int) -> DataFrame:
    """product_id, vendor_id, purchase_price, freight, price, pack, for every product bought or listed.

    Vendor and price are those of the newest purchase, else of the catalogue. freight: vendor_id, freight_share; that
    share of the purchase price is a unit's. purchases, prices: clean/purchases and clean/prices as known.
    """
    lines = purchases.where("purchase_price is not null and vendor_id is not null")
    newest = F.struct("ordered_on", "po_number", "store_id")
    bought = lines.groupBy("product_id").agg(
        F.max_by("vendor_id", newest).alias("bought_from"),
        F.max_by("purchase_price", newest).alias("bought_at"),
        _pack(least_lines).alias("pack"),
    )
    version = F.struct("known_from", "purchase_price")
    listed = prices.groupBy("product_id").agg(
        *[F.max_by(name, version).alias(name) for name in ("vendor_id", "price", "purchase_price")]
    )
    both = listed.join(bought, "product_id", how="full").select(
        "product_id",
        F.coalesce("bought_from", "vendor_id").alias("vendor_id"),
        F.coalesce("bought_at", "purchase_price").alias("purchase_price"),
        "price",
        F.coalesce("pack", F.lit(1.0)).alias("pack"),
    )
    of_unit = (F.col("purchase_price") * F.coalesce("freight_share", F.lit(0.0))).alias("freight")
    joined = both.join(F.broadcast(freight), "vendor_id", how="left")
    return joined.select("product_id", "vendor_id", "purchase_price", of_unit, "price", "pack")


def freight_shares(invoices: DataFrame) -> DataFrame:
    """vendor_id, freight_share: freight / invoiced amount, both money, over the vendor's invoices."""
    charged = invoices.where("vendor_id is not null and dollars > 0 and freight >= 0")
    return charged.groupBy("vendor_id").agg((F.sum("freight") / F.sum("dollars")).alias("freight_share"))


def _pack(least_lines: int) -> Column:
    """The greatest number of units that divides every quantity bought; 1 where fewer than `least_lines` lines, or
    broken units, tell of it."""
    quantities = F.collect_set("quantity")
    sizes = F.sequence(F.lit(1), F.least(F.min("quantity"), F.lit(_LARGEST_PACK)).cast("int"))
    divides = F.filter(sizes, lambda size: F.forall(quantities, lambda quantity: quantity % size == 0))
    known = (F.count(F.lit(1)) >= least_lines) & (F.min("quantity") >= 1)
    return F.when(known, F.coalesce(F.array_max(divides).cast("double"), F.lit(1.0))).otherwise(1.0)
