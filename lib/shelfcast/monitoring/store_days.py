"""What each store sold on each day, and what became of the rows received of it: what the input checks look at."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Hashes are cut to 40 bits, so that the sum of eight million of them is a whole number still.
_HASH = 2**40
_BOUNDED = ("rows", "units")
# Days on which a store has sold from which on its median is known.
_KNOWN_DAYS = 8


def sum_store_days(sales: DataFrame, day_counts: DataFrame) -> DataFrame:
    """store_id, day, rows, units, content (an order-free hash of what sold), twice (whether each row is there an even
    number of times), and of the rows received how many were duplicates or refused.

    sales, day_counts: clean/sales and clean/day_counts as known on the day. A day of which every row was refused is
    there, with 0 rows.
    """
    row = F.xxhash64("product_id", "quantity", "unit_price", "revenue")
    sold = sales.groupBy("store_id", F.col("sold_on").alias("day")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.sum("quantity").alias("units"),
        F.sum(F.pmod(row, F.lit(_HASH))).alias("content"),
        # Equal numbers cancel: that others do too has a chance of 2^-64.
        (F.bit_xor(row) == 0).alias("twice"),
    )
    received = [F.sum(name).alias(name) for name in ("raw", "duplicates", "quarantined")]
    counted = day_counts.groupBy("store_id", "day").agg(*received)
    both = sold.join(counted, ["store_id", "day"], how="full")
    return both.select(
        "store_id",
        "day",
        F.coalesce("rows", F.lit(0)).cast("double").alias("rows"),
        F.coalesce("units", F.lit(0.0)).alias("units"),
        F.coalesce("content", F.lit(0)).alias("content"),
        F.coalesce("twice", F.lit(False)).alias("twice"),
        *[F.coalesce(name, F.lit(0)).cast("double").alias(name) for name in ("raw", "duplicates", "quarantined")],
    )


def sum_stores(store_days: DataFrame, most: float) -> DataFrame:
    """The same of all stores together: a row a day, its store_id null; and bounded_rows, bounded_units, in which no
    store counts for more than `most` times its median day. Who has sold on hardly a day counts for no more than `most`
    times the largest median of the others: the day in question may be all that it has."""
    usual = [F.median(F.when(F.col(name) > 0, F.col(name))).alias(f"usual_{name}") for name in _BOUNDED]
    stores = store_days.groupBy("store_id").agg(F.count_if(F.col("rows") > 0).alias("sold_on"), *usual)
    known = stores.where(F.col("sold_on") >= _KNOWN_DAYS).drop("sold_on")
    largest = known.agg(*[F.max(f"usual_{name}").alias(f"largest_{name}") for name in _BOUNDED])
    bounded = [
        F.least(name, most * F.coalesce(f"usual_{name}", f"largest_{name}")).alias(f"bounded_{name}")
        for name in _BOUNDED
    ]
    counts = ("rows", "units", "content", "raw", "duplicates", "quarantined", "bounded_rows", "bounded_units")
    twice = F.coalesce(F.bool_and(F.when(F.col("rows") > 0, F.col("twice"))), F.lit(False))
    beside = store_days.join(F.broadcast(known), "store_id", how="left").crossJoin(F.broadcast(largest))
    sums = beside.select("*", *bounded).groupBy("day").agg(*[F.sum(name).alias(name) for name in counts],
                                                           twice.alias("twice"))  # fmt: skip
    return sums.select(F.lit(None).cast("string").alias("store_id"), "*")
