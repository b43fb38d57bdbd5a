"""The series whose forecasts are drawn: all demand, the largest series of large categories, and large products."""

from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.plan import Plan
from shelfcast.reporting.data import COLUMNS
from shelfcast.reporting.queries import Read
from shelfcast.table import ALL

CATEGORY_SERIES = 5
PRODUCT_SERIES = 2
_KEYS = ("level", "store_id", "item_id")


def fans(read: Read, plan: Plan) -> pd.DataFrame:
    """The report's frame of that name: for each chosen series its whole weeks as sold, and its forecast."""
    series, demand, forecasts = read(schemas.SERIES), read(schemas.DEMAND["weekly"]), read(schemas.FORECASTS)
    if series is None or demand is None or forecasts is None:
        return pd.DataFrame(columns=list(COLUMNS["fans"]))
    chosen = F.broadcast(_choose(series, read(schemas.PRODUCTS)))
    # A week without a row sold nothing, from the first sale on.
    weeks = _weeks(demand, plan)
    known = chosen.join(weeks, F.col("week") >= F.col("first_week"))
    sold = known.join(_with_region(demand), [*_KEYS, "week"], how="left")
    past = sold.select("rank", "title", "week", F.coalesce("quantity", F.lit(0.0)).alias("units"), *_no_quantiles())
    ahead = chosen.join(forecasts, [*_KEYS]).select(
        "rank", "title", "week", F.lit(None).cast("double").alias("units"), "p10", "p50", "p90"
    )
    drawn: pd.DataFrame = past.unionByName(ahead).orderBy("rank", "week").drop("rank").toPandas()
    return drawn


def _weeks(demand: DataFrame, plan: Plan) -> DataFrame:
    return demand.sparkSession.createDataFrame([(week,) for week in plan.weeks], "week date")


def _choose(series: DataFrame, products: DataFrame | None) -> DataFrame:
    """level, store_id, item_id, first_week, title and rank of the chosen series."""
    sold = series.where("units > 0")
    categories = _largest(_one_each(sold.where("level = 'category'"), "category_id"), CATEGORY_SERIES)
    largest = _largest(_one_each(sold.where("level = 'product'"), "item_id"), PRODUCT_SERIES)
    everything = sold.where("level = 'category'").agg(F.min("first_week").alias("first_week")).select(
        F.lit("region").alias("level"), F.lit(ALL).alias("store_id"), F.lit(ALL).alias("item_id"), "first_week",
        F.lit("All stores").alias("title"), F.lit(0).alias("rank"),
    )  # fmt: skip
    named = [
        everything,
        _titled(categories, F.col("item_id"), 100),
        _titled(_with_type(largest, products), F.concat_ws(" ", "product_type", "item_id"), 200),
    ]
    return reduce(DataFrame.unionByName, named)


def _one_each(series: DataFrame, key: str) -> DataFrame:
    by_units = Window.partitionBy(key).orderBy(F.desc("units"), "store_id")
    numbered = series.withColumn("_place", F.row_number().over(by_units.rowsBetween(Window.unboundedPreceding, 0)))
    return numbered.where("_place = 1").drop("_place")


def _largest(series: DataFrame, n: int) -> DataFrame:
    return series.orderBy(F.desc("units"), "store_id", "item_id").limit(n)


def _titled(series: DataFrame, name: Column, first_rank: int) -> DataFrame:
    by_units = Window.partitionBy("level").orderBy(F.desc("units"), "store_id", "item_id")
    place = F.row_number().over(by_units.rowsBetween(Window.unboundedPreceding, 0))
    title = F.concat_ws(", store ", name, "store_id")
    return series.select(*_KEYS, "first_week", title.alias("title"), (place + first_rank).alias("rank"))


def _with_type(series: DataFrame, products: DataFrame | None) -> DataFrame:
    if products is None:
        return series.withColumn("product_type", F.lit(None).cast("string"))
    types = products.select(F.col("product_id").alias("item_id"), "product_type")
    return types.join(F.broadcast(series), "item_id", how="right")


def _with_region(demand: DataFrame) -> DataFrame:
    own = demand.select(*_KEYS, "week", "quantity")
    everything = demand.where("level = 'category'").groupBy("week").agg(F.sum("quantity").alias("quantity"))
    return own.unionByName(
        everything.select(
            F.lit("region").alias("level"),
            F.lit(ALL).alias("store_id"),
            F.lit(ALL).alias("item_id"),
            "week",
            "quantity",
        )
    )


def _no_quantiles() -> list[Column]:
    return [F.lit(None).cast("double").alias(name) for name in ("p10", "p50", "p90")]
