"""The findings of each topic from the tables that insights has written: each asks for the few rows that it tells of."""

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.insights import demand_sentences, supply_sentences
from shelfcast.insights.delisting import Rule
from shelfcast.insights.findings import Finding, Money, top
from shelfcast.insights.items import FEATURES
from shelfcast.insights.tables import PRODUCT, STORE
from shelfcast.inventory.classes import CLASSES, Borders


def of_segments(segments: DataFrame, most: int) -> list[Finding]:
    """What inventory/segments says of classes, segments and outliers."""
    products = segments.where(F.col("kind") == PRODUCT)
    by_class = products.groupBy("class").agg(F.count(F.lit(1)).alias("products"), F.sum("revenue").alias("revenue"))
    found = [*demand_sentences.classes(top(by_class, len(CLASSES), F.col("class")), Borders())]
    for kind in (PRODUCT, STORE):
        own = segments.where(F.col("kind") == kind)
        by_segment = own.groupBy("segment", "label").agg(
            F.count(F.lit(1)).alias("items"), F.sum("revenue").alias("revenue")
        )
        found += demand_sentences.segments(kind, top(by_segment, most + 1, F.col("segment")), most)
    return [*found, *of_outliers(products, most)]


def of_outliers(products: DataFrame, most: int) -> list[Finding]:
    """Of products: stores are too few, and known by their managers."""
    eligible = products.where("segment > 0")
    counts = _one(
        eligible,
        F.count(F.lit(1)).alias("items"),
        F.count_if("is_outlier").alias("outliers"),
        F.max("remoteness").alias("dense"),
        *[F.avg(name).alias(name) for name in FEATURES],
    )
    remote = top(eligible.where("is_outlier"), most, F.desc("remoteness"), F.col("item_id"))
    return [*demand_sentences.outliers(PRODUCT, counts, remote, counts)]


def of_seasons(seasons: DataFrame, weeks: int, season: int, most: int) -> list[Finding]:
    largest = top(seasons.where("peak > 0"), most, F.desc("revenue"), F.col("category_id"))
    return [*demand_sentences.seasons(largest, weeks, season)]


def of_vendors(vendors: DataFrame, most: int) -> list[Finding]:
    by_name = F.col("vendor_id")
    slowest = top(vendors, most, F.desc("mean_days"), by_name)
    shaky = top(vendors.where("variation > 0"), most, F.desc("variation"), by_name)
    told = vendors.where("freight_share is not null")
    dearest = top(told, most, F.desc("freight_share"), by_name)
    average = _one(told, F.avg("freight_share").alias("share"))["share"]
    return [
        *supply_sentences.lead_times(slowest),
        *supply_sentences.variability(shaky),
        *supply_sentences.freight(dearest, float(average or 0.0)),
    ]


def of_forecasts(stores: DataFrame, horizon: int, most: int) -> list[Finding]:
    """What insights/stores says of the forecast."""
    measured, by_name = stores.where("wape is not null"), F.col("store_id")
    missed = top(measured, most, F.desc("missed"), by_name)
    leaning = top(measured.where("bias != 0"), most, F.desc(F.abs(F.col("bias")) * F.col("units")), by_name)
    return [
        *supply_sentences.store_errors(missed, horizon, measured.count()),
        *supply_sentences.store_bias(leaning, horizon),
    ]


def of_excess(stores: DataFrame, most: int, money: Money) -> list[Finding]:
    dearest = top(stores.where("excess > 0"), most, F.desc_nulls_last("excess_value"), F.col("store_id"))
    return [*supply_sentences.store_excess(dearest, money)]


def of_delistings(delistings: DataFrame, products: int, rule: Rule, most: int, money: Money) -> list[Finding]:
    """Those first that lose most, then those without a known cost that take the most shelves."""
    lost = F.desc_nulls_last(F.when(F.col("rule") == "margin", F.col("holding") - F.col("margin")))
    order = (lost, F.desc("stores"), F.col("units"), F.col("product_id"))
    first = top(delistings, most, *order)
    return [*demand_sentences.delisting(first, delistings.count(), products, rule, money)]


def of_moves(moves: DataFrame, most: int, money: Money) -> list[Finding]:
    totals = _one(moves, F.sum("quantity").alias("quantity"), F.sum("value").alias("value"))
    order = (F.desc_nulls_last("value"), F.desc("quantity"), F.col("from_store"), F.col("to_store"))
    return [*supply_sentences.transfers(top(moves, most, *order), totals, money)]


def _one(frame: DataFrame, *numbers: Any) -> dict[str, Any]:
    """Totals, one row."""
    row = frame.agg(*numbers).first()
    return {} if row is None else row.asDict()
