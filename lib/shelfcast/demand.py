"""Demand: what was sold, per store and product or category, by day, week and month; and the series that it forms."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.schemas import STORES
from shelfcast.table import Table

# As clean/stores, of what is known on the as-of date.
KNOWN_STORES = Table("demand/stores", STORES.columns, key=STORES.key, checks=STORES.checks)
# Syntetos, Boylan and Croston (2005), "On the categorization of demand patterns", J. Oper. Res. Soc. 56.
ADI_LIMIT = 1.32
CV2_LIMIT = 0.49
UNCATALOGUED = "(not in catalogue)"
_SERIES = ("region", "level", "store_id", "item_id", "category_id")
_DRAWS = 1_000_000
_SUMMED = ("quantity", "observed_quantity", "revenue", "discount", "sales", "recovered_quantity")


def known_on(sales: DataFrame, as_of: date, key: Sequence[str]) -> DataFrame:
    """The newest version of each sale that was known on `as_of`; without a key there is one of each."""
    return newest_known(sales.where(F.col("sold_on") <= F.lit(as_of)), as_of, key)


def newest_known(rows: DataFrame, as_of: date, key: Sequence[str]) -> DataFrame:
    """The newest version of each row that was known on `as_of`; without a key there is one of each."""
    known = standing(rows, as_of)
    if not key:
        return known
    # Rows are sorted by their partition first: a number that differs tells them apart sooner than texts that agree.
    versions = Window.partitionBy(F.xxhash64(*key), *key).orderBy(F.desc("known_from"))
    numbered = known.withColumn("_version", F.row_number().over(versions.rowsBetween(Window.unboundedPreceding, 0)))
    return numbered.where(F.col("_version") == 1).drop("_version")


def standing(rows: DataFrame, as_of: date) -> DataFrame:
    """The versions that were known by `as_of`, and not withdrawn."""
    stands = F.col("known_until").isNull() | (F.col("known_until") > F.lit(as_of))
    return rows.where((F.col("known_from") <= F.lit(as_of)) & stands)


def days_of_stores(sales: DataFrame) -> DataFrame:
    """One row per store, with its first and last day of sales."""
    days = (F.min("sold_on").alias("first_sold_on"), F.max("sold_on").alias("last_sold_on"))
    return sales.groupBy("region", "store_id").agg(*days)


def join_category(sales: DataFrame, products: DataFrame) -> DataFrame:
    """Adds category_id; a product that the catalogue does not know is sold all the same."""
    catalogue = products.select("product_id", "category_id")
    joined = sales.join(F.broadcast(catalogue), "product_id", how="left")
    return joined.withColumn("category_id", F.coalesce("category_id", F.lit(UNCATALOGUED)))


def sum_by_day(sales: DataFrame) -> DataFrame:
    """Daily demand per store and product, rows only where something sold. Returns are not demand. What was wanted
    beyond it is not known."""
    sold = sales.where((F.col("quantity") > 0) & ~F.col("is_return"))
    keys: list[Column | str | int] = [
        "region",
        "store_id",
        F.col("product_id").alias("item_id"),
        "category_id",
        F.col("sold_on").alias("day"),
    ]
    shelf_value = F.sum(F.col("unit_price") * F.col("quantity"))
    return sold.groupBy(keys).agg(
        F.sum("capped_quantity").alias("quantity"),
        F.sum("quantity").alias("observed_quantity"),
        F.sum("revenue").alias("revenue"),
        F.sum("discount").alias("discount"),
        F.count(F.lit(1)).alias("sales"),
        (shelf_value / F.sum("quantity")).alias("unit_price"),
        F.lit(None).cast("double").alias("recovered_quantity"),
    )


def as_wanted(demand: DataFrame) -> DataFrame:
    """Rows of demand/daily, weekly or monthly with `quantity` as it would have been had nothing been out of stock: for
    who learns and plans. Where that is not known, as sold."""
    return demand.withColumn("quantity", F.coalesce("recovered_quantity", "quantity"))


def as_counted(demand: DataFrame, period: str) -> DataFrame:
    """As `as_wanted`, for who learns that demand is counted: where whole units sold, the part of a unit that is
    recovered is a whole one with that chance, drawn by the hash of the row, so that sums keep their mean."""
    draw = F.pmod(F.xxhash64("level", "store_id", "item_id", period), F.lit(_DRAWS)) / _DRAWS
    is_whole = F.col("quantity") % 1 == 0
    wanted = F.coalesce("recovered_quantity", "quantity")
    return demand.withColumn("quantity", F.when(is_whole, F.floor(wanted + draw).cast("double")).otherwise(wanted))


def sum_by_period(daily: DataFrame, period: str) -> DataFrame:
    """Product and category demand per `period` (day, week from Monday, month), from daily product demand."""
    start = F.col("day") if period == "day" else F.date_trunc(period, "day").cast("date")
    daily = daily.withColumn("_start", start)
    # Days of products are summed already.
    by_product = (
        daily.select("region", F.lit("product").alias("level"), *_SERIES[2:], "day", *_SUMMED, "unit_price")
        if period == "day"
        else _sum_level(daily, "product", F.col("item_id"), period)
    )
    return by_product.unionByName(_sum_level(daily, "category", F.col("category_id"), period))


def as_series(weekly: DataFrame, sales: DataFrame, as_of: date, ended_after_weeks: int | None) -> DataFrame:
    """One row per series: its first and last week, units, selling weeks, ADI, CV2, demand class and state.

    weekly: demand/weekly. sales: clean/sales with category_id: a product that a store only ever listed has a series
    too. ADI counts the weeks from the first to the last selling week; a series that sold once has none.
    """
    selling = weekly.where("quantity > 0")
    sold = selling.groupBy(*_SERIES).agg(
        F.min("week").alias("first_week"),
        F.max("week").alias("last_week"),
        F.sum("quantity").alias("units"),
        F.count(F.lit(1)).alias("selling_weeks"),
        (F.var_pop("quantity") / F.pow(F.avg("quantity"), 2)).alias("_cv2"),
    )
    span = F.datediff("last_week", "first_week") / 7
    measured = sold.select(
        *_SERIES,
        "first_week",
        "last_week",
        "units",
        "selling_weeks",
        F.when(F.col("selling_weeks") > 1, span / (F.col("selling_weeks") - 1)).alias("adi"),
        F.when(F.col("selling_weeks") > 1, F.col("_cv2")).alias("cv2"),
    )
    both = _listed(sales).join(measured, [*_SERIES], how="left")
    return both.select(
        *_SERIES,
        "first_week",
        "last_week",
        F.coalesce("units", F.lit(0.0)).alias("units"),
        F.coalesce("selling_weeks", F.lit(0)).cast("bigint").alias("selling_weeks"),
        "adi",
        "cv2",
        demand_class().alias("demand_class"),
        _state(as_of, ended_after_weeks).alias("state"),
    )


def demand_class() -> Column:
    """The demand class of Syntetos, Boylan and Croston from columns selling_weeks, adi and cv2; `single` and `none`
    where a series sold in one week or never, and has neither."""
    return (
        F.when(F.col("selling_weeks").isNull() | (F.col("selling_weeks") == 0), "none")
        .when(F.col("selling_weeks") == 1, "single")
        .when(F.col("adi") < ADI_LIMIT, F.when(F.col("cv2") < CV2_LIMIT, "smooth").otherwise("erratic"))
        .otherwise(F.when(F.col("cv2") < CV2_LIMIT, "intermittent").otherwise("lumpy"))
    )


def _sum_level(daily: DataFrame, level: str, item: Column, period: str) -> DataFrame:
    keys: list[Column | str | int] = [
        "region",
        F.lit(level).alias("level"),
        "store_id",
        item.alias("item_id"),
        "category_id",
    ]
    units = F.nullif(F.sum("observed_quantity"), F.lit(0.0))
    return daily.groupBy([*keys, F.col("_start").alias(period)]).agg(
        *[F.sum(name).alias(name) for name in _SUMMED],
        (F.sum(F.col("unit_price") * F.col("observed_quantity")) / units).alias("unit_price"),
    )


def _listed(sales: DataFrame) -> DataFrame:
    """The series of all rows, in one pass: of each row's product and of its category."""
    items = {"product": "product_id", "category": "category_id"}
    levels = [F.struct(F.lit(level).alias("level"), F.col(name).alias("item_id")) for level, name in items.items()]
    listed = sales.select("region", "store_id", "product_id", "category_id").distinct()
    named = listed.select("region", F.inline(F.array(*levels)), "store_id", "category_id")
    return named.select(*_SERIES).distinct()


def _state(as_of: date, ended_after_weeks: int | None) -> Column:
    if ended_after_weeks is None:
        return F.lit("listed")
    silent = F.datediff(F.lit(as_of), F.col("last_week")) >= 7 * (ended_after_weeks + 1)
    return F.when(silent, "ended").otherwise("listed")
