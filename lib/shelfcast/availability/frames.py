"""Hidden demand on Spark: products in buckets, each bucket's shelves in one task."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.availability.absence import Rules
from shelfcast.availability.rows import Calendar
from shelfcast.availability.shelves import find_spells
from shelfcast.availability.stores import each_day
from shelfcast.availability.tables import AVAILABILITY, LOST
from shelfcast.demand import UNCATALOGUED
from shelfcast.panels import bucket_of, by_bucket
from shelfcast.weeks import monday

# Spells, and a row of state LOST for each day that lost anything.
FOUND = (
    "store_id string, item_id string, first_day date, last_day date, state string, is_stated boolean, "
    "probability double, units double"
)
_KEYS = ("store_id", "item_id")


def find_absences(told: DataFrame, silent: DataFrame, ends: Sequence[date], rules: Rules, buckets: int) -> DataFrame:
    """Spells of products in stores, and what each day lost: FOUND.

    told: store_id, item_id, day, kind, quantity, as `rows.read_rows`. silent: the stores' own spells. ends: the last
    day of each block, the last one known among them.
    """
    first = told.where("kind = 'sold'").agg(F.min("day")).first()
    if first is None or first[0] is None:
        return told.sparkSession.createDataFrame([], FOUND)
    calendar = Calendar(monday(first[0]), max(ends), tuple(sorted(ends)))

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        spells, days = find_spells(rows, calendar, rules)
        lost = days.rename(columns={"day": "first_day"}).assign(state=LOST)
        both = pd.concat([spells, lost.assign(last_day=lost["first_day"])], ignore_index=True)
        return both[[name.split()[0] for name in FOUND.split(", ")]]

    return by_bucket(_in_buckets(told, silent, buckets), buckets).applyInPandas(of_bucket, FOUND)


def _in_buckets(told: DataFrame, silent: DataFrame, buckets: int) -> DataFrame:
    """Every bucket needs to know when its stores were closed."""
    placed = told.select(bucket_of(buckets).alias("bucket"), *_KEYS, "day", "kind", "quantity")
    nothing = F.lit(None).cast("string").alias("item_id")
    days = silent.select("store_id", nothing, each_day().alias("day"))
    each = F.explode(F.sequence(F.lit(0), F.lit(buckets - 1))).alias("bucket")
    closed = days.select(each, *_KEYS, "day", F.lit("closed").alias("kind"), F.lit(1.0).alias("quantity"))
    return placed.unionByName(closed)


def told_rows(daily: DataFrame, sales: DataFrame, purchases: DataFrame, stock: DataFrame, last: date) -> DataFrame:
    """store_id, item_id, day, kind, quantity: what the tables say of shelves until the closing of `last`.

    daily: demand by day (item_id, day, quantity). sales, purchases, stock: of clean/, as known. Without a count of its
    store a receipt says nothing, and is left out with the sales that would be set against it.
    """
    counted = stock.select("store_id").distinct()
    item = F.col("product_id").alias("item_id")
    since = F.when(F.col("moment") == "closing", F.date_add("counted_on", 1)).otherwise(F.col("counted_on"))
    moved = {
        "taken": sales.select("store_id", item, F.col("sold_on").alias("day"), "quantity"),
        "received": purchases.select("store_id", item, F.col("received_on").alias("day"), "quantity"),
        "counted": stock.select("store_id", item, since.alias("day"), F.col("on_hand").alias("quantity")),
    }
    parts = [
        frame.where(F.col("day") <= F.lit(last))
        .join(F.broadcast(counted), "store_id", how="semi")
        .groupBy(*_KEYS, "day")
        .agg(F.sum("quantity").alias("quantity"))
        .withColumn("kind", F.lit(kind))
        for kind, frame in moved.items()
    ]
    sold = daily.select(*_KEYS, "day", "quantity").where(F.col("day") <= F.lit(last)).withColumn("kind", F.lit("sold"))
    return reduce(DataFrame.unionByName, [sold, *parts])


def as_availability(found: DataFrame, silent: DataFrame, region: str) -> DataFrame:
    """demand/availability of the spells of products and those of stores."""
    of_stores = silent.withColumns(
        {
            "item_id": F.lit(None).cast("string"),
            "is_stated": F.lit(False),
            "units": F.lit(0.0),
        }
    )
    spells = found.where(F.col("state") != LOST).unionByName(of_stores)
    return spells.withColumn("region", F.lit(region)).select(*AVAILABILITY.names)


def with_recovered(daily: DataFrame, lost: DataFrame, products: DataFrame, region: str) -> DataFrame:
    """daily with `recovered_quantity`, units: what sold and what is expected to have been lost; and rows of nothing for
    days on which all of it was lost.

    daily: product rows by day. lost: store_id, item_id, first_day (the day), units. products: product_id, category_id.
    """
    days = lost.select(*_KEYS, F.col("first_day").alias("day"), F.col("units").alias("_lost"))
    named = products.select(F.col("product_id").alias("item_id"), F.col("category_id").alias("_category"))
    joined = daily.join(days, [*_KEYS, "day"], how="full").join(F.broadcast(named), "item_id", how="left")
    zero = F.lit(0.0)
    return joined.withColumns(
        {
            **{name: F.coalesce(name, zero) for name in ("quantity", "observed_quantity", "revenue", "discount")},
            "recovered_quantity": F.coalesce("quantity", zero) + F.coalesce("_lost", zero),
            "sales": F.coalesce("sales", F.lit(0)).cast("bigint"),
            "category_id": F.coalesce("category_id", "_category", F.lit(UNCATALOGUED)),
            "region": F.lit(region),
        }
    ).select(*daily.columns)
