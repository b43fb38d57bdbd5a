"""Quantities made comparable and bounded: fuel in gallons, returns flagged, outliers capped at a learned bound."""

import math

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast import config

# Scales the median absolute deviation to the standard deviation of a normal distribution (Rousseeuw and Croux 1993).
_MAD_TO_SIGMA = 1.4826


def learn_quantity_bounds(sales: DataFrame, products: DataFrame, settings: config.Cleaning) -> DataFrame:
    """The robust upper bound of each product's quantity, in units as received, from sales until `learn_until`.

    sales: product_id, sold_on, source_quantity. products: product_id, category_id.
    Thin products (fewer than `min_sales` sales) take the bound of their category, and of all sales where that is thin
    too. Columns: product_id, sales, median_quantity, upper_bound, sold_by_volume, learned_from (product, category or
    all).
    """
    learned = sales.where((F.col("sold_on") <= F.lit(settings.outliers.learn_until)) & (F.col("source_quantity") > 0))
    categories = products.select("product_id", F.col("category_id"))
    known = sales.select("product_id").distinct().join(categories, "product_id", how="left")
    logs = learned.join(categories, "product_id", how="left").select(
        "product_id", "category_id", F.log("source_quantity").alias("log_quantity")
    )
    own, category, chain = (
        _robust_bound(logs, [*keys], prefix, settings.outliers)
        for keys, prefix in ((("product_id",), "product"), (("category_id",), "category"), ((), "all"))
    )
    # Every product of a category with no name shares one bound: null joins null.
    frame = known.join(own, "product_id", how="left").join(
        category.withColumnRenamed("category_id", "_category"),
        F.col("category_id").eqNullSafe(F.col("_category")),
        how="left",
    )
    frame = frame.join(F.broadcast(chain), how="left")
    return frame.select(
        "product_id",
        F.coalesce("product_sales", F.lit(0)).alias("sales"),
        _first_trusted("median", settings.outliers).alias("median_quantity"),
        F.coalesce(_first_trusted("bound", settings.outliers), F.lit(math.inf)).alias("upper_bound"),
        _sold_by_volume(settings).alias("sold_by_volume"),
        _first_trusted_name(settings.outliers).alias("learned_from"),
    )


def with_bounded_quantity(sales: DataFrame, bounds: DataFrame, settings: config.Cleaning) -> DataFrame:
    """Adds quantity (units), capped_quantity, is_outlier, is_return, and the price per unit of what is sold by
    volume."""
    units = F.when(F.col("sold_by_volume"), settings.volume.per_unit).otherwise(1.0)
    bound = F.col("upper_bound") / units
    quantity = F.col("source_quantity") / units
    joined = sales.join(bounds.select("product_id", "upper_bound", "sold_by_volume"), "product_id", how="left")
    return joined.select(
        *[F.col(name) for name in sales.columns if name != "unit_price"],
        (F.col("unit_price") * units).alias("unit_price"),
        quantity.alias("quantity"),
        F.least(quantity, F.coalesce(bound, quantity)).alias("capped_quantity"),
        F.coalesce(quantity > bound, F.lit(False)).alias("is_outlier"),
        (quantity < 0).alias("is_return"),
    )


def _robust_bound(logs: DataFrame, keys: list[str], prefix: str, settings: config.Outliers) -> DataFrame:
    """Per key: sales, the median quantity, and median * exp(spreads * max(1.4826 * MAD, min_log_spread)), on logs."""
    medians = logs.groupBy(*keys).agg(F.median("log_quantity").alias("center"), F.count(F.lit(1)).alias("sales"))
    condition = [F.col(f"l.{key}").eqNullSafe(F.col(f"m.{key}")) for key in keys]
    joined = logs.alias("l").join(F.broadcast(medians.alias("m")), condition or None, how="inner" if keys else "cross")
    spread = joined.groupBy(*[F.col(f"m.{key}") for key in keys], "center", F.col("m.sales")).agg(
        F.median(F.abs(F.col("log_quantity") - F.col("center"))).alias("mad")
    )
    width = settings.spreads * F.greatest(_MAD_TO_SIGMA * F.col("mad"), F.lit(settings.min_log_spread))
    return spread.select(
        *keys,
        F.col("sales").alias(f"{prefix}_sales"),
        F.exp("center").alias(f"{prefix}_median"),
        F.exp(F.col("center") + width).alias(f"{prefix}_bound"),
    )


def _trusted(prefix: str, settings: config.Outliers) -> Column:
    return F.coalesce(F.col(f"{prefix}_sales"), F.lit(0)) >= settings.min_sales


def _first_trusted(what: str, settings: config.Outliers) -> Column:
    return (
        F.when(_trusted("product", settings), F.col(f"product_{what}"))
        .when(_trusted("category", settings), F.col(f"category_{what}"))
        .otherwise(F.col(f"all_{what}"))
    )


def _first_trusted_name(settings: config.Outliers) -> Column:
    return (
        F.when(_trusted("product", settings), "product")
        .when(_trusted("category", settings), "category")
        .otherwise("all")
    )


def _sold_by_volume(settings: config.Cleaning) -> Column:
    """Whether the product, or else its category, is sold in large numbers: all sales say nothing of the unit."""
    own, category = (F.col(f"{level}_median") > settings.volume.median_over for level in ("product", "category"))
    return (
        F.when(_trusted("product", settings.outliers), own)
        .when(_trusted("category", settings.outliers), category)
        .otherwise(F.lit(False))
    )
