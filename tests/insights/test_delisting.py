from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import MONDAY, demand, frame
from shelfcast import schemas
from shelfcast.insights.delisting import Rule, listed_products, to_delist
from shelfcast.inventory import tables

RULE = Rule(weeks=26, rate=0.02, holding_rate=0.25)
LAST = MONDAY + timedelta(weeks=51)
LISTED = "product_id string, category_id string, stores bigint, units double, revenue double"


def week(number: int) -> date:
    """So many weeks before the last."""
    return LAST - timedelta(weeks=number)


def listed(product: str, units: float, stores: int = 10, revenue: float = 100.0) -> tuple[Any, ...]:
    return (product, "c1", stores, units, revenue)


def test_counts_what_sold_in_the_weeks_looked_back_of_products_that_are_older(spark: SparkSession) -> None:
    keys = {"level": "product", "category_id": "c1", "state": "listed"}
    series = [
        {**keys, "store_id": "s1", "item_id": "old", "first_week": week(51)},
        {**keys, "store_id": "s2", "item_id": "old", "first_week": week(20)},
        {**keys, "store_id": "s3", "item_id": "old", "first_week": week(51), "state": "ended"},
        {**keys, "store_id": "s1", "item_id": "new", "first_week": week(25)},
        {**keys, "store_id": "s1", "item_id": "ended", "first_week": week(51), "state": "ended"},
        {**keys, "store_id": "s1", "item_id": "silent", "first_week": week(26)},
    ]
    weekly = [
        demand(3.0, week(26), item_id="old", revenue=30.0, observed_quantity=3.0),
        # A case that was bought once is no demand, and was paid for.
        demand(2.0, week(25), item_id="old", revenue=200.0, observed_quantity=20.0),
        demand(1.0, LAST, item_id="old", store_id="s2", revenue=10.0, observed_quantity=1.0),
    ]
    found = listed_products(
        frame(spark, schemas.SERIES, *series), frame(spark, schemas.DEMAND["weekly"], *weekly), RULE, LAST
    )
    assert sorted(map(tuple, found.collect())) == [("old", "c1", 2, 21.0, 210.0), ("silent", "c1", 1, 0.0, 0.0)]


def test_where_costs_are_not_known_a_product_goes_that_sells_at_the_rate_or_below(spark: SparkSession) -> None:
    # 0.02 a week in 26 weeks of 10 stores are 5.2 units.
    products = [listed("below", 5.0), listed("at", 5.2), listed("above", 5.3), listed("one store", 0.6, stores=1)]
    found = to_delist(spark.createDataFrame(products, LISTED), None, None, RULE)
    assert {row.product_id: row.rule for row in found.collect()} == {"below": "rate", "at": "rate"}


def test_a_product_goes_that_earns_less_than_its_stock_costs(spark: SparkSession) -> None:
    products = [
        # A margin of 100 - 10 x 9 = 10; holding 200 units at 9 for half a year costs 224.
        listed("dear", 10.0),
        listed("good", 10.0),
        listed("gone", 0.0, revenue=0.0),
        listed("unknown", 0.0, revenue=0.0),
    ]
    costs = [
        {"product_id": name, "purchase_price": price, "freight": 0.5}
        for name, price in (("dear", 8.5), ("good", 8.5), ("gone", 8.5), ("unknown", None))
    ]
    stock = [{"product_id": "dear", "store_id": f"s{n}", "on_hand": 100.0} for n in range(2)]
    stock += [{"product_id": "good", "store_id": "s1", "on_hand": 1.0}]
    known = frame(spark, tables.COSTS, *costs), frame(spark, tables.ON_HAND, *stock)
    found = {row.product_id: row for row in to_delist(spark.createDataFrame(products, LISTED), *known, RULE).collect()}
    assert {name: row.rule for name, row in found.items()} == {"dear": "margin", "unknown": "rate"}
    assert (found["dear"].margin, found["dear"].on_hand) == (10.0, 200.0)
    assert found["dear"].holding == pytest.approx(200 * 9 * 0.25 * 26 * 7 / 365.25)
