"""The true mean and distribution of demand of any store, product and day, on Spark, from the tables under truth/.

`demand.py` computes the same in numpy, for the generator itself.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.generator.demand import DAYS_A_YEAR
from shelfcast.generator.surprises import RAMP_DAYS, RAMP_START


def with_true_demand(frame: DataFrame, truth: str) -> DataFrame:
    """`frame` (store_id, product_id: string, day: date, and any others) with the true demand of its rows.

    Added: mean (units), variance (units squared), chance_of_none = P(demand = 0), and what makes the distribution:
    visit and dispersion, as in `demand.py`; those two are null where the store never lists the product. Not listed on
    a day is a mean of 0. truth: the folder that `shelfcast generate` wrote.
    """
    read = frame.sparkSession.read.parquet
    pairs = read(f"{truth}/pairs.parquet").withColumnRenamed("base", "_base")
    pairs = pairs.select("store_id", "product_id", "_base", "visit", "dispersion")
    stores = _drawn(read(f"{truth}/stores.parquet"), "store_id", "weekday", store_effects="effects")
    products = _drawn(
        read(f"{truth}/products.parquet"), "product_id", "season", "trend", "launch", product_effects="effects"
    )
    start = read(f"{truth}/chain.parquet").select(F.col("first_day").alias("_first_day"))
    joined = frame.join(pairs, ["store_id", "product_id"], "left").crossJoin(F.broadcast(start))
    joined = joined.join(F.broadcast(products), "product_id", "left").join(F.broadcast(stores), "store_id", "left")
    known = joined.withColumn("mean", F.coalesce(F.col("_base") * _product_factor() * _store_factor(), F.lit(0.0)))
    size, visit, k = F.col("mean") / F.col("visit"), F.col("visit"), F.col("dispersion")
    none = 1 - visit + visit * F.exp(-k * F.log1p(size / k))
    squares = visit * (size + size * size * (1 + 1 / k))
    return known.select(
        *frame.columns,
        "mean",
        F.coalesce(squares - F.col("mean") * F.col("mean"), F.lit(0.0)).alias("variance"),
        F.coalesce(none, F.lit(1.0)).alias("chance_of_none"),
        "visit",
        "dispersion",
    )


def _drawn(table: DataFrame, key: str, *same: str, **renamed: str) -> DataFrame:
    """The key and some columns, marked as ours: a frame may have columns of the same names."""
    names = {**{name: name for name in same}, **renamed}
    return table.select(key, *[F.col(name).alias(f"_{ours}") for ours, name in names.items()])


def _product_factor() -> Column:
    day = F.col("day")
    season = F.element_at("_season", F.weekofyear(day))
    trend = F.exp(F.col("_trend") * F.datediff(day, F.col("_first_day")) / DAYS_A_YEAR)
    since_launch = F.greatest(F.datediff(day, F.col("_launch")), F.lit(0))
    ramp = 1 - (1 - RAMP_START) * F.exp(-since_launch / RAMP_DAYS)
    return season * trend * ramp * _effects("_product_effects")


def _store_factor() -> Column:
    # Spark's weekday counts from Monday, 0, as ours does
    return F.element_at("_weekday", F.weekday("day") + 1) * _effects("_store_effects")


def _effects(column: str) -> Column:
    def with_effect(factor: Column, effect: Column) -> Column:
        holds = F.col("day").between(effect["first_day"], effect["last_day"])
        return F.when(holds, factor * effect["factor"]).otherwise(factor)

    return F.aggregate(column, F.lit(1.0), with_effect)
