"""The queries behind the page's insights: each returns a frame that is small by construction."""

from collections.abc import Callable
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.insights import tables
from shelfcast.reporting.queries import Read, fetch

SHOWN = 12
# Points of a scatter, of each kind.
POINTS = 400
# 0.07 x 100 is a little more than 7.
_DIGITS = 6
_MEANS = ("level", "variation", "price", "trend", "discounted", "breadth")


def insight_parts(read: Read) -> dict[str, Callable[[], pd.DataFrame]]:
    """The report's frames by name, each made when it is asked for."""
    queries: dict[str, Callable[[Read], DataFrame | None]] = {
        "findings": _findings,
        "abc_curve": _abc_curve,
        "abc_classes": _abc_classes,
        "segment_sizes": _segment_sizes,
        "segment_points": _segment_points,
        "seasons": _seasons,
        "vendors": _vendors,
        "store_insights": _stores,
        "delistings": _delistings,
    }
    return {name: partial(_fetched, name, query, read) for name, query in queries.items()}


def _fetched(name: str, query: Callable[[Read], DataFrame | None], read: Read) -> pd.DataFrame:
    return fetch(name, query(read))


def _findings(read: Read) -> DataFrame | None:
    found = read(tables.FINDINGS)
    return None if found is None else found.orderBy("topic", "rank")


def _products(read: Read) -> DataFrame | None:
    found = read(tables.SEGMENTS)
    return None if found is None else found.where(F.col("kind") == tables.PRODUCT)


def _abc_curve(read: Read) -> DataFrame | None:
    """Products by the percent of revenue that is reached with them; those that sold nothing have none."""
    products = _products(read)
    if products is None:
        return None
    percent = F.when(F.col("revenue") > 0, F.ceil(F.round(F.col("up_to") * 100, _DIGITS)).cast("int"))
    return products.groupBy(percent.alias("percent")).agg(
        F.count(F.lit(1)).alias("products"), F.sum("revenue").alias("revenue")
    )


def _abc_classes(read: Read) -> DataFrame | None:
    products = _products(read)
    if products is None:
        return None
    return products.groupBy("class").agg(F.count(F.lit(1)).alias("products"), F.sum("revenue").alias("revenue"))


def _segment_sizes(read: Read) -> DataFrame | None:
    found = read(tables.SEGMENTS)
    if found is None:
        return None
    sizes = [
        F.count(F.lit(1)).alias("items"),
        F.sum("revenue").alias("revenue"),
        F.count_if("is_outlier").alias("outliers"),
    ]
    return found.groupBy("kind", "segment", "label").agg(*sizes, *[F.avg(name).alias(name) for name in _MEANS])


def _segment_points(read: Read) -> DataFrame | None:
    """Drawn by hash, as many at most of either kind."""
    found = read(tables.SEGMENTS)
    if found is None:
        return None
    drawn = found.where("segment > 0 and level > 0 and variation > 0").orderBy(F.xxhash64("item_id"), "item_id")
    of_products, of_stores = (
        drawn.where(F.col("kind") == kind).limit(POINTS) for kind in (tables.PRODUCT, tables.STORE)
    )
    return of_products.unionByName(of_stores)


def _seasons(read: Read) -> DataFrame | None:
    found = read(tables.SEASONS)
    return None if found is None else found.where("peak > 0").orderBy(F.desc("revenue"), "category_id").limit(SHOWN)


def _vendors(read: Read) -> DataFrame | None:
    found = read(tables.VENDORS)
    return None if found is None else found.orderBy(F.desc("mean_days"), "vendor_id").limit(SHOWN)


def _stores(read: Read) -> DataFrame | None:
    found = read(tables.STORES)
    if found is None:
        return None
    return found.orderBy(F.desc_nulls_last("excess_value"), F.desc_nulls_last("missed"), "store_id").limit(SHOWN)


def _delistings(read: Read) -> DataFrame | None:
    found = read(tables.DELISTINGS)
    if found is None:
        return None
    lost = F.desc_nulls_last(F.col("holding") - F.col("margin"))
    return found.orderBy(lost, F.desc("stores"), "units", "product_id").limit(SHOWN)
