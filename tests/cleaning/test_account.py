"""What is counted of rows that all came at once."""

from datetime import date

import pytest
from pyspark.sql import SparkSession

from shelfcast.cleaning.account import tally_of_one

NOTHING = {"raw": 0, "clean": 0, "quarantined": 0, "duplicates": 0, "superseded": 0, "blank": 0}
ROWS = [(date(2017, 1, 1), "clean")] * 100 + [(date(2017, 1, 2), "clean"), (date(2017, 1, 2), "duplicate")]
CASES = {
    "the-newest-day-that-is-no-slip-of-the-keys": (
        [*ROWS, (date(2017, 12, 1), "clean"), (date(2017, 5, 1), "missing_store"), (None, "blank")],
        {**NOTHING, "raw": 105, "clean": 102, "quarantined": 1, "duplicates": 1, "blank": 1},
        date(2017, 1, 2),
    ),
    "a-day-whose-rows-are-all-refused-is-none": (
        [(date(2017, 1, 1), "clean"), (date(2017, 1, 2), "missing_store")],
        {**NOTHING, "raw": 2, "clean": 1, "quarantined": 1},
        date(2017, 1, 1),
    ),
    "without-rows": ([], NOTHING, None),
}


@pytest.mark.parametrize(("rows", "counts", "told_until"), CASES.values(), ids=CASES)
def test_the_first_delivery_tells_until_its_newest_day(
    spark: SparkSession, rows: list, counts: dict[str, int], told_until: date | None
) -> None:
    (found,) = tally_of_one(spark.createDataFrame(rows, "known_from date, _fate string")).collect()
    assert found.asDict() == {**counts, "told_until": told_until}


def test_rows_without_a_day_are_counted_too(spark: SparkSession) -> None:
    (found,) = tally_of_one(spark.createDataFrame([("clean",), ("blank",)], "_fate string")).collect()
    assert found.asDict() == {**NOTHING, "raw": 2, "clean": 1, "blank": 1, "told_until": None}
