"""In which files the published forecasts lie: few, each of neighbouring stores and neighbouring products.

Who reads one store, or one product, opens a side of the grid: Delta keeps the least and the greatest of both in each
file.
"""

from math import ceil, sqrt

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

# The rows of a level of categories are an eighth of those of products, or less.
_SHARES = {"product": 1.0, "category": 1 / 8, "unlisted": 1 / 8, "store": 0.0, "region": 0.0}


def in_files(rows: DataFrame, series: DataFrame, most: int) -> DataFrame:
    """The rows dealt out to at most so many files of products and an eighth as many of categories, in order in each.

    rows: of forecasts/demand. series: store_id and item_id of the products, by which the grid is cut into equal parts.
    """
    sides = {level: _sides(max(round(share * most), 1), level == "product") for level, share in _SHARES.items()}
    starts, total = {}, 0
    for level, (stores, items) in sides.items():
        starts[level], total = total, total + stores * items
    # Of stores and of products there are few beside the rows.
    places = rows.join(F.broadcast(_places(series, "store_id")), "store_id", how="left")
    places = places.join(F.broadcast(_places(series, "item_id")), "item_id", how="left")
    of_level = [_by_level({level: side[axis] for level, side in sides.items()}) for axis in (0, 1)]
    store, item = (
        F.floor(F.coalesce(place, F.lit(0.0)) * parts)
        for place, parts in zip(("store_id_place", "item_id_place"), of_level, strict=True)
    )
    file = (_by_level(starts) + store * of_level[1] + item).cast("int")
    dealt = places.withColumn("_file", file).repartitionById(total, "_file")
    return dealt.sortWithinPartitions("level", "store_id", "item_id", "step").select(*rows.columns)


def _sides(files: int, has_items: bool) -> tuple[int, int]:
    """How many parts of the stores and of the products make so many files.

    >>> _sides(16, True), _sides(8, True), _sides(2, False)
    ((4, 4), (3, 2), (2, 1))
    """
    stores = ceil(sqrt(files)) if has_items else files
    return stores, files // stores


def _places(series: DataFrame, key: str) -> DataFrame:
    """Where each value of the key lies among the series in the order of the key, from 0 to less than 1."""
    counts = series.groupBy(key).agg(F.count(F.lit(1)).alias("_series"))
    # A row a store, or a row a product: the window without partitions is over few.
    before = Window.orderBy(key).rowsBetween(Window.unboundedPreceding, -1)
    every = Window.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    place = F.coalesce(F.sum("_series").over(before), F.lit(0)) / F.sum("_series").over(every)
    return counts.select(key, place.alias(f"{key}_place"))


def _by_level(numbers: dict[str, int]) -> Column:
    return F.create_map(*[F.lit(part) for pair in numbers.items() for part in pair])[F.col("level")]
