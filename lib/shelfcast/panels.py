"""Which series the models are fitted on: sparse weekly rows per panel, cut into buckets of many series."""

from datetime import date

from pyspark.sql import Column, DataFrame, GroupedData, Window
from pyspark.sql import functions as F

from shelfcast.conditions import join_conditions
from shelfcast.config import Reference

REFERENCE, CATEGORY, PRODUCT = "reference", "category", "product"
# Which panel's backtest chooses the model that forecasts which panel.
CHOSEN_ON = {CATEGORY: REFERENCE, PRODUCT: PRODUCT}
_SERIES = ("store_id", "item_id", "category_id")


def reference_panel(sales: DataFrame, settings: Reference, first_week: date, last_week: date) -> DataFrame:
    """Weekly units by store and category, as the published comparison selects them: quantities as received and at most
    `max_quantity` a sale, the largest `stores` stores, series of `min_units` or more, over whole weeks.

    sales: clean/sales with category_id.
    """
    week = F.date_trunc("week", "sold_on").cast("date")
    chosen = sales.where(
        F.col("source_quantity").between(1, settings.max_quantity)
        & ~F.col("category_id").isin(*settings.exclude_categories)
        & week.between(F.lit(first_week), F.lit(last_week))
    )
    keys = ("store_id", F.col("category_id").alias("item_id"), "category_id", week.alias("week"))
    weekly = chosen.groupBy(*keys).agg(F.sum("source_quantity").alias("quantity"))
    by_store = weekly.groupBy("store_id").agg(F.sum("quantity").alias("units"))
    largest = by_store.orderBy(F.desc("units"), "store_id").limit(settings.stores).select("store_id")
    by_series = weekly.groupBy(*_SERIES).agg(F.sum("quantity").alias("units"))
    large = by_series.where(F.col("units") >= settings.min_units).select(*_SERIES)
    return weekly.join(F.broadcast(largest), "store_id", how="semi").join(large, [*_SERIES], how="semi")


def demand_panel(weekly: DataFrame, series: DataFrame, first_week: date, last_week: date) -> DataFrame:
    """Weekly demand of the given series over whole weeks: store_id, item_id, category_id, week, quantity."""
    chosen = weekly.where(F.col("week").between(F.lit(first_week), F.lit(last_week)))
    rows = chosen.select(*_SERIES, "week", "quantity")
    return rows.join(series.select("store_id", "item_id"), ["store_id", "item_id"], how="semi")


def without_promotions(panel: DataFrame) -> DataFrame:
    """Adds `promoted` = 0: promotions are planned by product, and a category has hardly a week without one."""
    return panel.withColumn("promoted", F.lit(0.0))


def join_promotions(panel: DataFrame, promotions: DataFrame, first_week: date, last_week: date) -> DataFrame:
    """Adds `promoted`, 1 in weeks from first_week to last_week in which the store shows or advertises the product, be
    it on a day, and rows of quantity 0 for such weeks without a sale.

    panel: of products. promotions: clean/promotions, of which those of the panel's series are a small part; one that
    does not tell its end lasts for a day.
    """
    series = panel.select(*_SERIES).distinct()
    begins, ends = F.col("valid_from"), F.coalesce("valid_to", "valid_from")
    first, last = F.lit(first_week), F.lit(last_week)
    named = promotions.withColumnRenamed("product_id", "item_id").where(
        (ends >= first) & (begins < F.date_add(last, 7))
    )
    planned = named.join(F.broadcast(series), ["store_id", "item_id"])
    monday = F.greatest(F.date_trunc("week", begins).cast("date"), first)
    week = F.explode(F.sequence(monday, F.least(ends, F.date_add(last, 6)), F.expr("interval 7 days"))).alias("week")
    weeks = planned.select(*_SERIES, week, F.lit(1.0).alias("promoted")).distinct()
    joined = panel.join(weeks, [*_SERIES, "week"], how="full")
    quantity, promoted = (F.coalesce(name, F.lit(0.0)).alias(name) for name in ("quantity", "promoted"))
    return joined.select(*_SERIES, "week", quantity, promoted)


def hide_unknown(rows: DataFrame, weeks: DataFrame) -> DataFrame:
    """The rows with a null `quantity` in the weeks of which nothing is known, of each of the store's series.

    rows: _SERIES, week, quantity, promoted. weeks: store_id, week.
    """
    hidden = rows.select(*_SERIES).distinct().join(F.broadcast(weeks), "store_id").withColumn("_hidden", F.lit(True))
    joined = rows.join(hidden, [*_SERIES, "week"], how="full")
    promoted = F.coalesce("promoted", F.lit(0.0)).alias("promoted")
    quantity = F.when(F.col("_hidden").isNull(), F.col("quantity")).alias("quantity")
    return joined.select(*_SERIES, "week", quantity, promoted)


def as_panel(
    rows: DataFrame, region: str, panel: str, buckets: int, ranked: int, conditions: DataFrame | None = None
) -> DataFrame:
    """The rows of one panel as features/panel_demand keeps them. `size_rank`: 1.. for the `ranked` largest series,
    else null. conditions: of each store, as `conditions.by_store` has them."""
    rows = join_conditions(rows, conditions)
    by_series = rows.groupBy(*_SERIES).agg(F.coalesce(F.sum("quantity"), F.lit(0.0)).alias("units"))
    largest = by_series.orderBy(F.desc("units"), *_SERIES).limit(ranked)
    # At most `ranked` rows: the one window without partitions that may be.
    order = Window.orderBy(F.desc("units"), *_SERIES).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    ranks = largest.select(*_SERIES, F.row_number().over(order).alias("size_rank"))
    return rows.join(F.broadcast(ranks), [*_SERIES], how="left").select(
        F.lit(region).alias("region"),
        F.lit(panel).alias("panel"),
        bucket_of(buckets).alias("bucket"),
        *_SERIES,
        "size_rank",
        "week",
        "quantity",
        "promoted",
        "conditions",
    )


def by_bucket(panel: DataFrame, buckets: int) -> GroupedData:
    """The panel's rows grouped by bucket, a task each: Spark would put small buckets together, and wait for the task
    that holds most of them."""
    return panel.repartitionById(buckets, "bucket").groupBy("bucket")


def deal_largest(panel: DataFrame, buckets: int) -> DataFrame:
    """The ranked series of a panel alone, dealt out to the buckets by their rank."""
    return panel.where(F.col("size_rank").isNotNull()).withColumn("bucket", F.pmod("size_rank", F.lit(buckets)))


def bucket_of(buckets: int, item: str = "item_id") -> Column:
    """The bucket of a series: a stable hash of its item. What an item's stores have in common is learned there."""
    return F.pmod(F.xxhash64(item), F.lit(buckets)).cast("int")
