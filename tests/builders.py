"""Rows with ordinary values, so that a test states only what it is about; and the frames and settings they go into."""

from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from shelfcast.config import Cleaning, Outliers, Reference, Volume
from shelfcast.sources import Source
from shelfcast.table import Table, column_names

Row = dict[str, Any]

MONDAY = date(2017, 1, 2)
_baskets = count(1)


def sale(quantity: float = 1.0, **changes: Any) -> Row:
    """A row of clean/sales, in a basket of its own: `quantity` pieces at 2.00 each on a Monday, known that evening."""
    row = {
        "region": "here",
        "store_id": "s1",
        "product_id": "p1",
        "sold_on": MONDAY,
        "source_quantity": quantity,
        "quantity": quantity,
        "capped_quantity": quantity,
        "is_outlier": False,
        "is_return": quantity < 0,
        "unit_price": 2.0,
        "revenue": 2.0 * quantity,
        "discount": 0.0,
        "excise_tax": None,
        "basket_id": f"b{next(_baskets)}",
        "known_from": changes.get("sold_on", MONDAY),
    }
    return {**row, **changes}


def product(product_id: str = "p1", category_id: str | None = "c1", **changes: Any) -> Row:
    """A row of clean/products."""
    return {"region": "here", "product_id": product_id, "category_id": category_id, **changes}


def promotion(product_id: str = "p1", valid_from: date = MONDAY, **changes: Any) -> Row:
    """A row of clean/promotions: a display in store s1, for a day unless it says `valid_to`."""
    row = {
        "region": "here",
        "store_id": "s1",
        "product_id": product_id,
        "valid_from": valid_from,
        "valid_to": valid_from,
    }
    return {**row, "display": "3", **changes}


def demand(quantity: float = 1.0, week: date = MONDAY, **changes: Any) -> Row:
    """A row of demand/weekly: product p1 of category c1 in store s1."""
    row = {"region": "here", "level": "product", "store_id": "s1", "item_id": "p1", "category_id": "c1", "week": week}
    return {**row, "quantity": quantity, **changes}


def frame(spark: SparkSession, table: Table | str, *rows: Row) -> DataFrame:
    """The rows in the columns of `table`, or of a Spark DDL; a column that a row does not name is empty."""
    columns = table if isinstance(table, str) else table.columns
    names = column_names(columns)
    unknown = {name for row in rows for name in row} - {*names}
    assert not unknown, f"no such column: {unknown}"
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], columns)


def received(spark: SparkSession, source: Source, name: str) -> Sequence[DataFrame]:
    """A table of a source as received, in the parts in which it is read."""
    return source.read(spark, name, [file.path for file in source.found(name)])


def cleaning(**outliers: Any) -> Cleaning:
    """Settings of the year 2017 whose bounds are learned from its first half, and from three sales or more."""
    learning = {"learn_until": date(2017, 6, 30), "spreads": 6.0, "min_log_spread": 0.5, "min_sales": 3}
    return Cleaning(
        first_day=date(2017, 1, 1),
        last_day=date(2017, 12, 31),
        max_quantity=100_000.0,
        max_unit_price=1_000.0,
        ounce="weight",
        outliers=Outliers(**{**learning, **outliers}),
        volume=Volume(median_over=99.0, per_unit=1000.0),
    )


def reference(**changes: Any) -> Reference:
    """A selection that takes every series of pieces."""
    return Reference(**{"stores": 100, "min_units": 0.0, "max_quantity": 99.0, **changes})
