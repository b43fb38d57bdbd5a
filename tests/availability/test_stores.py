"""Days on which a whole store sold nothing."""

from datetime import date, timedelta

from pyspark.sql import SparkSession

from builders import MONDAY, frame
from shelf_builders import RULES
from shelfcast.availability.stores import silent_spells, unknown_weeks
from shelfcast.availability.tables import AVAILABILITY

Days = dict[int, int]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def silent(spark: SparkSession, stores: dict[str, Days], received: dict[str, int] | None = None, last: int = 41):
    """stores: day -> rows sold. received: store -> day."""
    sold = [(store, day(n)) for store, days in stores.items() for n, rows in days.items() for _ in range(rows)]
    came = [(store, day(n)) for store, n in (received or {}).items()]
    columns = "store_id string, day date"
    found = silent_spells(
        spark.createDataFrame(sold, columns), spark.createDataFrame(came, columns), day(last), RULES
    ).collect()
    return sorted((r.store_id, (r.first_day - MONDAY).days, (r.last_day - MONDAY).days, r.state) for r in found)


def but(*gone: int, rows: int = 20) -> Days:
    return {n: rows + n % 3 for n in range(42) if n not in gone}


def test_a_busy_store_that_sells_nothing_is_closed_or_its_file_is_missing_where_it_took_goods_in(
    spark: SparkSession,
) -> None:
    stores = {"closed": but(12), "missing": but(12, 13), "shut": but(*range(30, 42)), "open": but()}
    assert silent(spark, stores, {"missing": 13, "open": 13}) == [
        ("closed", 12, 12, "closed"),
        ("missing", 12, 13, "not_delivered"),
        ("shut", 30, 41, "closed"),
    ]


def test_a_store_that_has_sold_nothing_for_long_is_gone_until_it_sells_again(spark: SparkSession) -> None:
    stores = {
        "gone": but(*range(13, 42)),
        "back": but(*range(12, 41)),
        "yet": but(*range(14, 42)),
        "late": but(*range(13, 42)),
    }
    assert silent(spark, stores, {"late": 20}) == [
        ("back", 12, 40, "closed"),
        ("late", 13, 41, "not_delivered"),
        ("yet", 14, 41, "closed"),
    ]


def test_a_quiet_store_may_sell_nothing_for_a_day_and_hardly_for_weeks(spark: SparkSession) -> None:
    quiet = {n: 1 + n % 2 for n in range(0, 42, 2)}
    long = {n: 1 + n % 2 for n in range(42) if not 10 <= n < 30}
    assert silent(spark, {"quiet": quiet, "long": long}) == [("long", 10, 29, "closed")]


def test_a_week_is_unknown_where_a_file_is_missing_or_the_store_was_closed_on_all_its_days(spark: SparkSession) -> None:
    spell = {"region": "here", "is_stated": False, "probability": 1.0, "units": 0.0}
    rows = [
        {**spell, "store_id": "a", "first_day": day(2), "last_day": day(7), "state": "closed"},
        {**spell, "store_id": "b", "first_day": day(7), "last_day": day(15), "state": "closed"},
        {**spell, "store_id": "c", "first_day": day(20), "last_day": day(21), "state": "not_delivered"},
        {**spell, "store_id": "d", "item_id": "p", "first_day": day(0), "last_day": day(30), "state": "out_of_stock"},
    ]
    found = unknown_weeks(frame(spark, AVAILABILITY, *rows)).collect()
    assert sorted((r.store_id, (r.week - MONDAY).days // 7) for r in found) == [("b", 1), ("c", 2), ("c", 3)]
