"""clean/sales -> month x store x product rows of the most sold products, with the study's inputs and random split."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import ConfigError

# Shares in hundredths: 70 / 15 / 15.
_TRAIN, _VALIDATION = 70, 85
# Below so few rows a split may be left empty.
FEWEST_ROWS = 200


def study_rows(
    sales: DataFrame, products: DataFrame, bounds: DataFrame, prices: DataFrame, count: int, seed: int
) -> DataFrame:
    """One row per month, store and product that sold, of the `count` products with the most sales.

    sales: clean/sales as known. products: clean/products. bounds: clean/quantity_bounds (what is sold by volume).
    prices: product_id, purchase_price. Excise tax is that of one unit: the tax on all sold would tell how many they
    are. Returns and listings without a quantity are not sales. The row's split hangs on seed and key alone.
    """
    sold = sales.where((F.col("quantity") > 0) & ~F.col("is_return"))
    rows = _sum_by_month(sold.join(_most_sold(sold, count), "product_id", how="left_semi"))
    classification = F.col("department").alias("classification")
    catalogue = products.select("product_id", classification, "vendor_id", _size().alias("size"))
    volume = bounds.select("product_id", "sold_by_volume")
    for described in (catalogue, volume, prices.select("product_id", "purchase_price")):
        rows = rows.join(F.broadcast(described), "product_id", how="left")
    row_id = F.xxhash64(F.lit(seed), "month", "store_id", "product_id")
    return rows.select(
        "region",
        "month",
        "store_id",
        "product_id",
        "classification",
        "vendor_id",
        "size",
        "price",
        "excise_tax",
        "purchase_price",
        "units",
        F.coalesce("sold_by_volume", F.lit(False)).alias("sold_by_volume"),
        row_id.alias("row_id"),
        _split(row_id).alias("split"),
    )


def require_bounded(rows: int, max_rows: int) -> None:
    """Raise ConfigError where a task could not hold the rows, or where they are too few to split."""
    if rows > max_rows:
        raise ConfigError(
            f"study.max_rows: found {rows:,} month x store x product rows, wanted at most {max_rows:,}; "
            "lower study.products, or raise study.max_rows where a task has about 1 kB of memory a row"
        )
    if rows < FEWEST_ROWS:
        raise ConfigError(f"study.products: found {rows:,} month x store x product rows, wanted at least {FEWEST_ROWS}")


def _most_sold(sold: DataFrame, count: int) -> DataFrame:
    """The `count` products with the most sales; of equals, the first by name."""
    sales = sold.groupBy("product_id").agg(F.count(F.lit(1)).alias("sales"))
    return sales.orderBy(F.desc("sales"), "product_id").limit(count).select("product_id")


def _sum_by_month(sold: DataFrame) -> DataFrame:
    """Units and price by row, rounded: the last digits of a sum depend on the order of its terms, and equal prices must
    stay equal, for neighbours are found by them."""
    value = F.sum(F.col("unit_price") * F.col("quantity"))
    month = F.trunc("sold_on", "month").alias("month")
    return sold.groupBy("region", month, "store_id", "product_id").agg(
        F.round(F.sum("quantity"), 6).alias("units"),
        F.round(value / F.sum("quantity"), 4).alias("price"),
        F.round(F.sum("excise_tax") / F.sum("quantity"), 4).alias("excise_tax"),
    )


def _size() -> Column:
    return F.coalesce(F.col("size_ml"), F.col("size_g"), F.col("size_count").cast("double"))


def _split(row_id: Column) -> Column:
    hundredth = F.pmod(row_id, F.lit(100))
    return F.when(hundredth < _TRAIN, "train").when(hundredth < _VALIDATION, "validation").otherwise("test")
