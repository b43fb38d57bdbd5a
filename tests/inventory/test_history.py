from datetime import date, timedelta

from pyspark.sql import SparkSession

from builders import MONDAY, frame
from shelfcast.cleaning import supply
from shelfcast.inventory import history

SPELL = "store_id string, product_id string, first_day date, last_day date, lost bigint"
SOLD = "store_id string, item_id string, day date, quantity double"
LOST = "store_id string, product_id string, day date, quantity double"
BACKTEST = "cutoff date, store_id string, item_id string, step int, y_hat double"


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def test_what_a_spell_lost_is_spread_over_its_days(spark: SparkSession) -> None:
    spells = [("s1", "p1", MONDAY, MONDAY + timedelta(days=2), 6), ("s1", "p2", MONDAY, MONDAY, 0)]
    found = history.spread_lost_sales(spark.createDataFrame(spells, SPELL)).orderBy("day").collect()
    assert [tuple(row) for row in found] == [("s1", "p1", MONDAY + timedelta(days=day), 2.0) for day in range(3)]


def test_what_sold_and_what_was_lost_are_told_apart(spark: SparkSession) -> None:
    sold = spark.createDataFrame([("s1", "p1", MONDAY, 3.0)], SOLD)
    lost = spark.createDataFrame([("s1", "p1", MONDAY, 2.0), ("s1", "p2", MONDAY, 1.0)], LOST)
    found = {row.product_id: row for row in history.demand_series(sold, lost).collect()}
    units = {name: [[entry.quantity for entry in row[of]] for of in ("sold", "lost")] for name, row in found.items()}
    assert units == {"p1": [[3.0], [2.0]], "p2": [[], [1.0]]}


def test_supply_is_the_first_count_and_the_orders_that_it_does_not_hold(spark: SparkSession) -> None:
    count = {"region": "here", "store_id": "s1", "product_id": "p1", "moment": "opening", "known_from": MONDAY}
    counts = [{**count, "counted_on": MONDAY, "on_hand": 7.0}, {**count, "counted_on": day(30), "on_hand": 99.0}]
    bought = {"region": "here", "store_id": "s1", "vendor_id": "v1", "po_number": "1", "known_from": MONDAY}
    placed = [("p1", -9, day(-2), 1.0), ("p1", -5, day(2), 2.0), ("p1", 3, None, 3.0), ("p1", 40, None, 4.0),
              ("p2", 4, day(9), 5.0)]  # fmt: skip
    lines = [
        {**bought, "product_id": name, "ordered_on": day(ordered), "received_on": received, "quantity": units}
        for name, ordered, received, units in placed
    ]
    known = frame(spark, supply.STOCK, *counts), frame(spark, supply.PURCHASES, *lines)
    found = {row.product_id: row for row in history.supply_series(*known, day(20)).collect()}
    assert (found["p1"].counted_on, found["p1"].counted) == (day(-1), 7.0)
    assert [tuple(entry) for entry in found["p1"].ordered] == [(day(-5), 2.0), (day(3), 3.0)]
    assert (found["p2"].counted, len(found["p2"].ordered)) == (0.0, 1)


def test_a_vendor_is_reviewed_as_often_as_its_order_days_follow_one_another_most(spark: SparkSession) -> None:
    rows = [("v1", number) for number in (0, 7, 7, 14, 28, 35, 90)] + [("v2", 5)]
    lines = [{"region": "here", "vendor_id": vendor, "ordered_on": day(number)} for vendor, number in rows]
    found = history.review_cycles(frame(spark, supply.PURCHASES, *lines), day(60), 10).collect()
    assert {row.vendor_id: row.shown_review for row in found} == {"v1": 7, "v2": 10}


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
