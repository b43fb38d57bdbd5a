from datetime import timedelta

from pyspark.sql import SparkSession

from builders import MONDAY
from shelfcast.inventory import history

SPELL = "store_id string, product_id string, first_day date, last_day date, lost bigint"
SOLD = "store_id string, item_id string, day date, quantity double"
LOST = "store_id string, product_id string, day date, quantity double"
BACKTEST = "cutoff date, store_id string, item_id string, step int, y_hat double"


def test_what_a_spell_lost_is_spread_over_its_days(spark: SparkSession) -> None:
    spells = [("s1", "p1", MONDAY, MONDAY + timedelta(days=2), 6), ("s1", "p2", MONDAY, MONDAY, 0)]
    found = history.spread_lost_sales(spark.createDataFrame(spells, SPELL)).orderBy("day").collect()
    assert [tuple(row) for row in found] == [("s1", "p1", MONDAY + timedelta(days=day), 2.0) for day in range(3)]


def test_demand_is_what_sold_and_what_was_lost(spark: SparkSession) -> None:
    sold = spark.createDataFrame([("s1", "p1", MONDAY, 3.0)], SOLD)
    lost = spark.createDataFrame([("s1", "p1", MONDAY, 2.0), ("s1", "p2", MONDAY, 1.0)], LOST)
    found = {row.product_id: row.sold for row in history.demand_series(sold, lost).collect()}
    assert {name: sum(entry.quantity for entry in entries) for name, entries in found.items()} == {"p1": 5.0, "p2": 1.0}


def test_a_series_that_was_not_forecast_at_every_cutoff_is_left_out(spark: SparkSession) -> None:
    later = MONDAY + timedelta(weeks=4)
    rows = [(MONDAY, "s1", "p1", 1, 5.0), (later, "s1", "p1", 1, 6.0), (later, "s1", "p2", 1, 7.0)]
    found = history.forecast_series(spark.createDataFrame(rows, BACKTEST), [1, 2]).collect()
    assert [row.product_id for row in found] == ["p1"]


def test_a_sample_is_by_hash_and_of_few_series_all(spark: SparkSession) -> None:
    known = spark.range(4000).selectExpr("string(id) product_id", "'s1' store_id")
    assert history.sample(known, 5000, 4000).count() == 4000
    drawn = history.sample(known, 1000, 4000)
    assert 850 < drawn.count() < 1150
    assert drawn.exceptAll(history.sample(known.orderBy("product_id"), 1000, 4000)).count() == 0
