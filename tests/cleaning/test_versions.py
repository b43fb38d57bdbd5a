"""The day of a delivery, from which late rows are known."""

from datetime import date, timedelta

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast.cleaning.versions import sales_beside, told_until, with_known_days

NEW_YEAR = date(2016, 1, 1)
JANUARY = dict.fromkeys(range(31), 10)
# Days of 2016, by their number -> rows of the delivery that tell of them; and the last that it tells of.
DELIVERIES = {
    "the-newest-day-is-the-last": (JANUARY, 30),
    "a-slip-of-the-keys-is-no-day-of-the-delivery": (JANUARY | {335: 1}, 30),
    "nor-are-several-slips": (JANUARY | {200: 1, 335: 1}, 30),
    "days-of-few-rows-follow-on-the-others": (JANUARY | {31: 1, 33: 1}, 33),
    "a-day-far-off-that-many-rows-tell-of-is-one": (JANUARY | {60: 20}, 60),
    "a-hundredth-of-the-rows-are-many": ({0: 99, 60: 1}, 60),
    "a-gap-before-the-many-is-none-after-them": ({0: 1, 60: 200}, 60),
    "of-two-rows-the-later-tells": ({0: 1, 335: 1}, 335),
}


def test_the_day_of_a_delivery_is_the_newest_that_more_than_a_slip_of_its_rows_tells_of(spark: SparkSession) -> None:
    rows = [
        (number, NEW_YEAR + timedelta(days=day), "clean")
        for number, (days, _) in enumerate(DELIVERIES.values())
        for day, count in days.items()
        for _ in range(count)
    ]
    rows += [(0, date(2016, 5, 1), "missing_store"), (0, None, "clean")]
    judged = spark.createDataFrame(rows, "_delivery bigint, known_from date, _fate string")
    numbers = spark.range(len(DELIVERIES) + 1).select(F.col("id").alias("_delivery"))
    deliveries = numbers.withColumn("delivered_on", F.lit(None).cast("date"))
    found = {row._delivery: row.told_until for row in told_until(judged, deliveries).collect()}
    wanted = {name: NEW_YEAR + timedelta(days=day) for name, (_, day) in DELIVERIES.items()}
    assert dict(zip(DELIVERIES, (found[number] for number in range(len(DELIVERIES))), strict=True)) == wanted
    assert found[len(DELIVERIES)] is None, "a delivery without clean rows has no day"


@pytest.mark.parametrize("slips", [0, 3], ids=["alone", "beside-slips"])
def test_the_day_in_the_names_of_the_files_counts_where_there_is_one(spark: SparkSession, slips: int) -> None:
    rows = [(1, NEW_YEAR, "clean")] + slips * [(1, date(2016, 12, 1), "clean")]
    judged = spark.createDataFrame(rows, "_delivery bigint, known_from date, _fate string")
    deliveries = spark.createDataFrame([(1, date(2016, 2, 1))], "_delivery bigint, delivered_on date")
    (found,) = told_until(judged, deliveries).collect()
    assert found.told_until == date(2016, 2, 1)


# What is counted on the day of a delivery of stock, by the number of the day: how far the delivery tells, the newest
# delivery of sales before it and with it, of which each tells as far as its number; when the count is known.
COUNTS = {
    "on-time-from-its-own-day": (4, 4, 3, 4, 4),
    "before-what-sales-had-told-from-those-that-came-with-it": (2, 2, 3, 4, 4),
    "without-new-sales-from-the-last": (2, 2, 3, 3, 3),
    "a-later-day-of-its-file-counts": (2, 6, 3, 4, 6),
    "where-nothing-is-told-of-sales-its-own-table-tells": (1, 2, None, None, 2),
    "of-sales-that-came-again-and-are-there-no-more-those-before-count": (2, 2, 7, 8, 5),
}


@pytest.mark.parametrize(("day", "until", "after", "beside", "wanted"), COUNTS.values(), ids=COUNTS)
def test_a_count_that_sales_had_passed_is_known_from_its_delivery(
    spark: SparkSession, day: int, until: int, after: int | None, beside: int | None, wanted: int
) -> None:
    def on(number: int) -> date:
        return NEW_YEAR + timedelta(days=number)

    sales = spark.createDataFrame([(number, on(number)) for number in range(1, 6)], "_delivery bigint, told_until date")
    lines = [(1, None, None), (2, after, beside)]
    deliveries = spark.createDataFrame(lines, "_delivery bigint, after_sales bigint, with_sales bigint")
    told = spark.createDataFrame([(1, on(1)), (2, on(until))], "_delivery bigint, told_until date")
    columns = "_delivery bigint, known_from date, _fate string, _overtaken_by bigint"
    judged = spark.createDataFrame([(2, on(day), "clean", None)], columns)
    (row,) = with_known_days(judged, told, sales_beside(deliveries, sales)).collect()
    assert row.known_from == on(wanted)
