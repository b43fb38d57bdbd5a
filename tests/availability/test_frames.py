"""Hidden demand on Spark: rows into buckets, and what comes of them back beside what sold."""

import pytest
from pyspark.sql import SparkSession

from builders import frame, product, sale
from shelf_builders import MONDAY, RULES, day, shop
from shelfcast import schemas
from shelfcast.availability.frames import as_availability, find_absences, told_rows, with_recovered
from shelfcast.availability.tables import AVAILABILITY, LOST
from shelfcast.cleaning import supply

TOLD = "store_id string, item_id string, day date, kind string, quantity double"
SILENT = "store_id string, first_day date, last_day date, state string, probability double"
DAILY = (
    "region string, store_id string, item_id string, category_id string, day date, quantity double, "
    "observed_quantity double, revenue double, discount double, sales bigint, unit_price double, "
    "recovered_quantity double"
)


def test_the_cut_into_partitions_makes_no_difference_and_every_bucket_knows_who_was_closed(spark: SparkSession) -> None:
    rows, _ = shop(days=42, stores=2, items=4)
    told = spark.createDataFrame(rows.assign(day=rows["day"].dt.date), TOLD)
    silent = spark.createDataFrame([("s1", day(15), day(16), "closed", 0.99)], SILENT)
    found = [
        sorted(find_absences(cut, silent, [day(20), day(41)], RULES, 3).collect(), key=str)
        for cut in (told.coalesce(1), told.repartition(5, "day"))
    ]
    assert found[0] == found[1]
    lost = [row for row in found[0] if row["state"] == LOST]
    assert {row["item_id"] for row in lost} == {f"p{n}" for n in range(4)}
    assert not [row for row in lost if row["store_id"] == "s1" and row["first_day"] in (day(15), day(16))]


def test_shelves_of_counted_stores_alone_have_movements(spark: SparkSession) -> None:
    purchase = {"region": "here", "store_id": "s1", "product_id": "p1", "quantity": 6.0, "received_on": day(2)}
    count = {"region": "here", "product_id": "p1", "on_hand": 5.0}
    sales = [sale(3.0), sale(-1.0), sale(2.0, store_id="s2"), sale(2.0, sold_on=day(9))]
    sold = [
        {"region": "here", "store_id": store, "item_id": "p1", "day": MONDAY, "quantity": 3.0} for store in ("s1", "s2")
    ]
    counts = [
        {**count, "store_id": "s1", "counted_on": MONDAY, "moment": "opening"},
        {**count, "store_id": "s1", "counted_on": MONDAY, "moment": "closing", "on_hand": 2.0},
    ]
    found = told_rows(
        frame(spark, DAILY, *sold), frame(spark, schemas.SALES, *sales),
        frame(spark, supply.PURCHASES, purchase, {**purchase, "store_id": "s2"}), frame(spark, supply.STOCK, *counts),
        day(5),
    )  # fmt: skip
    assert sorted((r.store_id, (r.day - MONDAY).days, r.kind, r.quantity) for r in found.collect()) == [
        ("s1", 0, "counted", 5.0),
        ("s1", 0, "sold", 3.0),
        ("s1", 0, "taken", 2.0),
        ("s1", 1, "counted", 2.0),
        ("s1", 2, "received", 6.0),
        ("s2", 0, "sold", 3.0),
    ]


def test_what_was_lost_stands_beside_what_sold_and_in_rows_of_its_own(spark: SparkSession) -> None:
    sold = {"region": "here", "store_id": "s1", "item_id": "p1", "category_id": "c1", "day": MONDAY, "quantity": 3.0}
    sold |= {"observed_quantity": 4.0, "revenue": 8.0, "discount": 1.0, "sales": 2, "unit_price": 2.0}
    spells = "store_id string, item_id string, first_day date, units double"
    lost = spark.createDataFrame([("s1", "p1", MONDAY, 1.5), ("s1", "p1", day(1), 2.5)], spells)
    catalogue = frame(spark, schemas.PRODUCTS, product("p1", "c1"))
    rows = with_recovered(frame(spark, DAILY, sold), lost, catalogue, "here").orderBy("day").collect()
    assert [row.asDict() for row in rows] == [
        {**sold, "recovered_quantity": 4.5},
        {**sold, "day": day(1), "quantity": 0.0, "observed_quantity": 0.0, "revenue": 0.0, "discount": 0.0, "sales": 0}
        | {"unit_price": None, "recovered_quantity": 2.5},
    ]


def test_stores_have_spells_of_their_own_and_days_of_loss_are_none(spark: SparkSession) -> None:
    spell = {"store_id": "s1", "item_id": "p1", "first_day": MONDAY, "last_day": day(1), "state": "out_of_stock"}
    spell |= {"is_stated": True, "probability": 1.0, "units": 2.0}
    found = frame(spark, ", ".join(AVAILABILITY.columns.split(", ")[1:]), spell, {**spell, "state": LOST})
    silent = spark.createDataFrame([("s1", day(2), day(2), "closed", 0.99)], SILENT)
    rows = as_availability(found, silent, "here").orderBy("first_day").collect()
    assert [(r.item_id, r.state, r.is_stated, r.units) for r in rows] == [
        ("p1", "out_of_stock", True, 2.0),
        (None, "closed", False, 0.0),
    ]
    assert rows[1].probability == pytest.approx(0.99)
