from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast.cleaning.dates import parsed_date
from shelfcast.errors import ConfigError

MONTH_FIRST = ["M/d/yyyy", "MM-dd-yyyy"]
DAY_FIRST = ["dd-MM-yyyy"]


def read(spark: SparkSession, texts: list[str | None], patterns: list[str]) -> list[date | None]:
    frame = spark.createDataFrame(list(enumerate(texts)), "i int, sold_on string")
    found = frame.select("i", parsed_date(F.col("sold_on"), patterns).alias("day"))
    return [row.day for row in found.orderBy("i").collect()]


def test_reads_each_date_by_the_first_pattern_that_fits(spark: SparkSession) -> None:
    cases = [
        ("1/29/2016", date(2016, 1, 29)),
        ("01/05/2016", date(2016, 1, 5)),
        ("01-02-2016", date(2016, 1, 2)),
        (" 1/9/2016 ", date(2016, 1, 9)),
        ("2/29/2016", date(2016, 2, 29)),
        ("2/29/2017", None),
        ("21-12-2015", None),
        ("1/29/2016 10:00", None),
        ("2016-01-29", None),
        ("soon", None),
        ("", None),
        (None, None),
    ]
    assert read(spark, [text for text, _ in cases], MONTH_FIRST) == [day for _, day in cases]


def test_the_same_text_is_another_day_where_the_list_says_so(spark: SparkSession) -> None:
    assert read(spark, ["01-02-2016"], MONTH_FIRST) == [date(2016, 1, 2)]
    assert read(spark, ["01-02-2016"], DAY_FIRST) == [date(2016, 2, 1)]
    assert read(spark, ["01-02-2016"], DAY_FIRST + MONTH_FIRST) == [date(2016, 2, 1)]


def test_a_time_of_day_is_left_out(spark: SparkSession) -> None:
    assert read(spark, ["2017-01-01 23:53:26"], ["yyyy-MM-dd HH:mm:ss"]) == [date(2017, 1, 1)]


@given(st.lists(st.from_regex(r"[0-9]{1,4}[-/ .][0-9]{1,3}[-/][0-9]{1,4}", fullmatch=True), min_size=20, max_size=60))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_digits_between_marks_are_read_as_spark_s_own_parser_reads_them(spark: SparkSession, texts: list[str]) -> None:
    patterns = ["M/d/yyyy", "M-d-yyyy", "dd-MM-yyyy", "yyyy-MM-dd", "yyyy.M-d"]
    frame = spark.createDataFrame([(text,) for text in [*texts, "30/2/2016", "00-00-0000"]], "text string")
    # As text: Python has no year 0.
    read = frame.select(*[parsed_date(F.col("text"), [pattern]).cast("string") for pattern in patterns])
    spark_s = frame.select(*[F.try_to_date("text", pattern).cast("string") for pattern in patterns])
    assert read.collect() == spark_s.collect()


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        pytest.param("DD/MM/YYYY", "found D, Y", id="letters-of-weeks-and-days-of-the-year"),
        pytest.param("M/yyyy", "found M, y", id="no-day"),
        pytest.param("", "found no letter", id="no-pattern"),
    ],
)
def test_a_pattern_that_names_no_day_is_refused(spark: SparkSession, pattern: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read(spark, ["1/2/2016"], [pattern])


days = st.dates(date(1900, 1, 1), date(2999, 12, 31))


@given(st.lists(st.tuples(days, st.booleans()), min_size=1, max_size=50))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_date_written_in_either_form_reads_back(spark: SparkSession, written: list[tuple[date, bool]]) -> None:
    texts = [f"{d.month}/{d.day}/{d.year}" if short else f"{d:%m-%d-%Y}" for d, short in written]
    assert read(spark, texts, MONTH_FIRST) == [day for day, _ in written]


def test_no_day_is_lost_to_the_session_time_zone(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.session.timeZone", "America/Sao_Paulo")  # its summer time began at midnight
    week = [date(2017, 10, 12) + timedelta(days) for days in range(7)]
    assert read(spark, [f"{day:%m-%d-%Y}" for day in week], MONTH_FIRST) == week
