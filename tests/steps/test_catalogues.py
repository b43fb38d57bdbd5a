"""A catalogue that comes again and again: a row a product, and each price as it was known."""

import json
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from corner import KEY, REGION, Corner, line
from shelfcast import demand, schemas
from shelfcast.cleaning import supply

HEADER = "article,kind,price"
COLUMNS = {"product_id": "article", "category_id": "kind", "price": "price"}
STOCK = {
    "files": "stock.csv",
    "received": ["shop", "article", "day", "units"],
    "columns": {"store_id": "shop", "product_id": "article", "counted_on": "day", "on_hand": "units"},
}


def shop(spark: SparkSession, folder: Path) -> Corner:
    goods = {"files": "goods*.csv", "received": HEADER.split(","), "columns": COLUMNS, "dated": "yyyyMMdd"}
    tables = {"products": goods, "closing_stock": STOCK}
    corner = Corner(spark, folder, KEY, *(f"source.tables.{name}={json.dumps(told)}" for name, told in tables.items()))
    corner.deliver("sales.csv", line("a", "2017-01-02", 1))
    corner.deliver("stock.csv", "s1,milk,2017-01-02,3", header="shop,article,day,units")
    return corner


def prices(corner: Corner, as_of: str) -> dict[str, float]:
    runner = corner.runner
    key = supply.version_key(supply.PRICES, runner.config.cleaning)
    known = demand.newest_known(runner.lake.read(supply.PRICES, REGION), date.fromisoformat(as_of), key)
    rows = sorted((row.product_id, row.price) for row in known.collect())
    assert len(dict(rows)) == len(rows), rows
    return dict(rows)


def catalogue(corner: Corner) -> list[tuple[str, str]]:
    rows = corner.runner.lake.read(schemas.PRODUCTS, REGION).collect()
    return sorted((row.product_id, row.category_id) for row in rows)


@pytest.mark.slow
def test_a_catalogue_that_comes_again_has_each_product_once_and_each_price_as_it_was_known(
    spark: SparkSession, tmp_path: Path
) -> None:
    corner = shop(spark, tmp_path)
    corner.deliver("goods20170101.csv", "milk,dairy,2", "gouda,dairy,9", header=HEADER)
    corner.take_in()
    corner.deliver("goods20170301.csv", "milk,drinks,3", "gouda,dairy,9", header=HEADER)
    corner.take_in()
    assert catalogue(corner) == [("gouda", "dairy"), ("milk", "drinks")]
    assert prices(corner, "2017-02-28") == {"milk": 2, "gouda": 9}
    assert prices(corner, "2017-03-01") == {"milk": 3, "gouda": 9}
