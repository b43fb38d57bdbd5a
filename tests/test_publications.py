"""What a reader of the newest publication sees, while others publish."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast.errors import LakeError
from shelfcast.lake import Lake
from shelfcast.publications import DAY_RUNS, Publication, failures, is_past, moment, newest, published_days
from shelfcast.schemas import PUBLICATIONS
from shelfcast.table import Table

NORTH = "north"
DAY = date(2017, 8, 1)
FORECASTS = Table(
    "forecasts/demand",
    "region string, forecast_date date, number int",
    key=("region", "forecast_date", "number"),
    partitions=("region", "forecast_date"),
)
PLANS, ALERTS = (replace(FORECASTS, name=name) for name in ("inventory/policies", "monitoring/alerts"))
MODELS = Table("models/leaderboard", "region string, number int", key=("region", "number"))
TOGETHER = (FORECASTS, PLANS, ALERTS)


@pytest.fixture
def lake(spark: SparkSession, lake_root: Path) -> Lake:
    return Lake(spark, str(lake_root))


def put(lake: Lake, table: Table, number: int, day: date = DAY, region: str = NORTH) -> int:
    """Replaces the table's row of the region (and day) by a `number`; returns the version."""
    dated = {"forecast_date": str(day)} if table.is_by_date else {}
    row = (region, day, number) if table.is_by_date else (region, number)
    frame = lake.spark.createDataFrame([row], table.schema)
    note = {"run_key": f"{table.name} {day} {number}"}
    return lake.replace(table, frame, {"region": region, **dated}, note).version


def publish(lake: Lake, number: int, tables: dict[str, int], day: date = DAY, region: str = NORTH) -> None:
    row = (region, day, f"run {number}", datetime(2017, 9, 1, 0, number // 60, number % 60), tables)
    lake.append(PUBLICATIONS, lake.spark.createDataFrame([row], PUBLICATIONS.schema))


def seen(lake: Lake, table: Table) -> int:
    published = newest(lake, NORTH)
    assert published is not None
    return int(published.read(lake, table).collect()[0]["number"])


def test_nothing_is_published_yet(lake: Lake) -> None:
    assert newest(lake, NORTH) is None
    assert published_days(lake, NORTH) == set()
    publish(lake, 1, {}, region="south")
    assert newest(lake, NORTH) is None


def test_a_day_is_past_once_a_newer_one_of_its_region_is_published(lake: Lake) -> None:
    assert not is_past(lake, NORTH, DAY)
    publish(lake, 1, {})
    publish(lake, 2, {}, DAY + timedelta(1), "south")
    assert [is_past(lake, NORTH, DAY + timedelta(days)) for days in (-1, 0, 1)] == [True, False, False]


def test_a_reader_sees_what_was_published_and_not_what_was_written_since(lake: Lake) -> None:
    publish(lake, 1, {table.name: put(lake, table, 1) for table in (*TOGETHER, MODELS)})
    for table in (FORECASTS, MODELS):
        put(lake, table, 2)
        put(lake, table, 7, region="south")
    assert [seen(lake, table) for table in (FORECASTS, PLANS, MODELS)] == [1, 1, 1]


def test_the_newest_is_of_the_newest_day_and_a_day_published_again_takes_its_own_place(lake: Lake) -> None:
    older = date(2017, 7, 31)
    for number, day in ((1, older), (2, DAY), (3, DAY), (4, older)):
        publish(lake, number, {FORECASTS.name: put(lake, FORECASTS, number, day)}, day)
    found = newest(lake, NORTH)
    assert (found.run_id, found.forecast_date, found.published_at) == ("run 3", DAY, datetime(2017, 9, 1, 0, 0, 3))
    assert seen(lake, FORECASTS) == 3
    assert published_days(lake, NORTH) == {older, DAY}


@pytest.fixture(params=["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """The machine's zone is one in which it is another day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_the_moment_of_a_publication_is_that_of_utc_wherever_the_machine_is(lake: Lake) -> None:
    row = (NORTH, DAY, "run 1", moment(lake, NORTH, DAY), {})
    lake.append(PUBLICATIONS, lake.spark.createDataFrame([row], PUBLICATIONS.schema))
    held = lake.read(PUBLICATIONS, NORTH).select(F.col("published_at").cast("string")).first()[0]
    for found in (datetime.fromisoformat(held), newest(lake, NORTH).published_at):
        assert abs(found.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(hours=1)


def test_what_is_published_by_a_clock_that_went_back_takes_the_place_of_what_was_before(lake: Lake) -> None:
    ahead = datetime.now(UTC) + timedelta(days=365)
    for number in (1, 2, 3):
        at = ahead if number == 1 else moment(lake, NORTH, DAY)
        row = (NORTH, DAY, f"run {number}", at, {})
        lake.append(PUBLICATIONS, lake.spark.createDataFrame([row], PUBLICATIONS.schema))
        assert newest(lake, NORTH).run_id == f"run {number}"
    assert moment(lake, NORTH, date(2017, 8, 2)) < ahead


def test_where_the_days_forecast_is_late_the_last_published_one_is_served_with_its_age(lake: Lake) -> None:
    publish(lake, 1, {FORECASTS.name: put(lake, FORECASTS, 1)})
    today = date(2017, 8, 4)
    put(lake, FORECASTS, 2, today)  # made, and not published yet
    served = newest(lake, NORTH)
    assert (served.forecast_date, served.age(today), seen(lake, FORECASTS)) == (DAY, 3, 1)
    publish(lake, 2, {FORECASTS.name: put(lake, FORECASTS, 2, today)}, today)
    assert (newest(lake, NORTH).age(today), seen(lake, FORECASTS)) == (0, 2)


def test_a_table_that_is_not_published_is_named_with_those_that_are(lake: Lake) -> None:
    published = Publication(NORTH, DAY, "run 1", datetime(2017, 8, 1), {"b": 1, "a": 2})
    with pytest.raises(
        LakeError, match=r"table inventory/policies: not in the publication of 2017-08-01 .* one of a, b"
    ):
        published.read(lake, PLANS)


@pytest.mark.parametrize("publishes", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_a_reader_that_polls_never_sees_a_mix_of_two_publications(lake: Lake, publishes: int) -> None:
    """The tables are replaced one after the other, and published together."""
    publish(lake, 0, {table.name: put(lake, table, 0) for table in TOGETHER})
    done, polls = Event(), []

    def poll() -> None:
        while not done.is_set() or not polls:
            published = newest(lake, NORTH)
            polls.append([published.read(lake, table).collect()[0]["number"] for table in TOGETHER])
            done.wait(0.1)

    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(poll)
        try:
            for number in range(1, publishes + 1):
                publish(lake, number, {table.name: put(lake, table, number) for table in TOGETHER})
        finally:
            done.set()
        reading.result()
    assert all(len(set(numbers)) == 1 for numbers in polls)
    assert [numbers[0] for numbers in polls] == sorted(numbers[0] for numbers in polls)
    assert seen(lake, ALERTS) == publishes


def test_a_day_has_failed_where_its_last_try_did(lake: Lake) -> None:
    tries = [(1, 9, "late"), (1, 10, None), (2, 9, None), (2, 10, "no file"), (3, 9, "gone")]
    rows = [(NORTH, date(2017, 8, day), datetime(2017, 8, day, hour), 1.0, error) for day, hour, error in tries]
    assert failures(lake, NORTH) == {}
    lake.append(DAY_RUNS, lake.spark.createDataFrame(rows, DAY_RUNS.schema))
    assert failures(lake, NORTH) == {date(2017, 8, 2): "no file", date(2017, 8, 3): "gone"}
