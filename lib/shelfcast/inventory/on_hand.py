"""Stock on hand: the newest count of each store, rolled forward by what came and what sold."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def roll_forward(stock: DataFrame, purchases: DataFrame, sales: DataFrame, as_of: date) -> DataFrame:
    """Stock at the closing of `as_of`: store_id, product_id, counted_on, counted, received, sold, balance, on_hand, in
    units.

    A count covers its store: what it does not list was not there. Stores that were never counted have no rows. Returns
    go back to the shelf. stock, purchases, sales: the tables of clean/ as known on `as_of`.
    """
    counts = _newest_counts(stock, as_of)
    since = counts.select("store_id", "counted_on", "since").distinct()
    movements = (
        counts.select("store_id", "product_id", F.lit("counted").alias("kind"), F.col("on_hand").alias("quantity"))
        .unionByName(_moved(purchases, since, "received_on", as_of).withColumn("kind", F.lit("received")))
        .unionByName(_moved(sales, since, "sold_on", as_of).withColumn("kind", F.lit("sold")))
    )
    kinds = [
        F.sum(F.when(F.col("kind") == kind, F.col("quantity")).otherwise(0.0)).alias(kind)
        for kind in ("counted", "received", "sold")
    ]
    summed = movements.groupBy("store_id", "product_id").agg(*kinds)
    balance = F.col("counted") + F.col("received") - F.col("sold")
    rolled = summed.join(F.broadcast(since), "store_id").withColumn("balance", balance)
    return rolled.select(
        "store_id",
        "product_id",
        "counted_on",
        "counted",
        "received",
        "sold",
        "balance",
        F.greatest("balance", F.lit(0.0)).alias("on_hand"),
    )


def _newest_counts(stock: DataFrame, as_of: date) -> DataFrame:
    """The rows of each store's newest count, and `since`: the first day whose movements it does not know. What is
    counted at an opening has not seen that day."""
    known = stock.where(F.col("counted_on") <= F.lit(as_of))
    moment = F.struct("counted_on", (F.col("moment") == "closing").alias("is_closing"))
    newest = known.groupBy("store_id").agg(F.max(moment).alias("newest"))
    rows = known.join(F.broadcast(newest), "store_id").where(moment == F.col("newest"))
    since = F.when(F.col("newest.is_closing"), F.date_add("counted_on", 1)).otherwise(F.col("counted_on"))
    counted = rows.groupBy("store_id", "product_id", "counted_on", since.alias("since"))
    return counted.agg(F.sum("on_hand").alias("on_hand"))


def _moved(rows: DataFrame, since: DataFrame, day: str, as_of: date) -> DataFrame:
    moved = F.col(day).between(F.col("since"), F.lit(as_of))
    return rows.join(F.broadcast(since), "store_id").where(moved).select("store_id", "product_id", "quantity")
