import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.commits import Commit
from shelfcast.errors import LakeError, SchemaError, TransientError
from shelfcast.lake import Lake
from shelfcast.table import Table

PRICES = Table(
    "clean/prices",
    "region string, product_id string, price double, seen_by string",
    key=("region", "product_id"),
    checks={"price_is_positive": "price > 0"},
    operational=("seen_by",),
)
NORTH, SOUTH = {"region": "north"}, {"region": "south"}


@pytest.fixture
def lake(spark: SparkSession, lake_root: Path) -> Lake:
    return Lake(spark, str(lake_root))


def prices(spark: SparkSession, *rows: tuple[str, str, float | None, str]):
    return spark.createDataFrame(list(rows), PRICES.schema)


def note(run_key: str) -> dict[str, str]:
    return {"run_key": run_key}


def test_a_region_is_replaced_and_the_others_stay(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    lake.replace(PRICES, prices(spark, ("south", "a", 5.0, "x")), SOUTH, note("2"))
    lake.replace(PRICES, prices(spark, ("north", "b", 2.0, "x")), NORTH, note("3"))
    assert [row.product_id for row in lake.read(PRICES, "north").collect()] == ["b"]
    assert [row.product_id for row in lake.read(PRICES, "south").collect()] == ["a"]
    assert [lake.last_commit(PRICES, scope).run_key for scope in (NORTH, SOUTH)] == ["3", "2"]


def test_an_empty_result_is_a_commit_too(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark), NORTH, note("1"))
    assert lake.last_commit(PRICES, NORTH).run_key == "1"


def test_a_table_that_nobody_wrote_is_named(lake: Lake) -> None:
    with pytest.raises(LakeError, match="table clean/prices: not in the lake"):
        lake.read(PRICES, "north")


@pytest.mark.parametrize(
    "leftover",
    [
        pytest.param(None, id="nothing"),
        pytest.param(".00000000000000000000.json.crc", id="the-checksum-of-a-commit-that-never-came"),
        pytest.param(".00000000000000000000.json.4f1c.tmp", id="a-commit-half-written"),
    ],
)
def test_a_log_without_a_commit_is_no_table_yet(spark: SparkSession, lake: Lake, leftover: str | None) -> None:
    log = Path(lake.path(PRICES), "_delta_log")
    log.mkdir(parents=True)
    if leftover:
        (log / leftover).write_text("killed")
    assert not lake.exists(PRICES)
    assert lake.last_commit(PRICES, NORTH) is None
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    assert lake.exists(PRICES)
    assert lake.last_commit(PRICES, NORTH).run_key == "1"


def test_a_table_of_any_age_is_found_without_its_log_being_listed(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    with monkeypatch.context() as context:
        context.setattr(lake, "names", lambda _: pytest.fail("its log is listed"))
        assert lake.exists(PRICES)
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("2"))
    Path(lake.path(PRICES), "_delta_log", "00000000000000000000.json").unlink()
    assert lake.exists(PRICES), "Delta lets commits go that a checkpoint stands for"


def test_a_table_that_another_region_makes_at_the_same_time_keeps_its_rows(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lake(spark, lake.root).replace(PRICES, prices(spark, ("south", "a", 5.0, "x")), SOUTH, note("1"))
    with monkeypatch.context() as too_early:
        too_early.setattr(lake, "exists", lambda _: False)
        lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("2"))
    assert [lake.read(PRICES, region).count() for region in ("south", "north")] == [1, 1]


def test_making_a_table_changes_no_region(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    assert lake.last_commit(PRICES, SOUTH) is None


def test_the_first_rows_are_checked_too(spark: SparkSession, lake: Lake) -> None:
    with pytest.raises(Exception, match="price_is_positive"):
        lake.replace(PRICES, prices(spark, ("north", "a", -1.0, "x")), NORTH, note("1"))
    assert lake.last_commit(PRICES, NORTH) is None


def test_a_row_against_a_check_is_refused_and_the_old_version_stays(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    with pytest.raises(PySparkException, match=r"price_is_positive|price > 0"):
        lake.replace(PRICES, prices(spark, ("north", "a", -1.0, "x")), NORTH, note("2"))
    assert lake.last_commit(PRICES, NORTH).run_key == "1"


def test_a_frame_that_does_not_fit_is_refused_by_column(spark: SparkSession, lake: Lake) -> None:
    frame = prices(spark).drop("price").selectExpr("*", "1 as cost", "cast(null as int) as price2")
    with pytest.raises(
        SchemaError, match="table clean/prices: no column price; unknown column cost; unknown column price2"
    ):
        lake.replace(PRICES, frame, NORTH, note("1"))


def test_a_lake_of_before_takes_a_column_that_its_table_has_gained(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("south", "a", 1.0, "x")), SOUTH, note("1"))
    gained = replace(PRICES, columns=f"{PRICES.columns}, currency string")
    lake.replace(gained, prices(spark, ("north", "a", 1.0, "x")).withColumn("currency", F.lit("USD")), NORTH, note("2"))
    assert [lake.read(gained, region).first().currency for region in ("south", "north")] == [None, "USD"]


def test_rows_written_before_their_table_gained_columns_are_null_in_them(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    gained = replace(PRICES, columns=f"{PRICES.columns}, currency string, rates map<string,double>")
    found = lake.read(gained, "north")
    assert found.schema == gained.schema
    assert tuple(found.first()) == ("north", "a", 1.0, "x", None, None)


def test_a_column_of_another_type_is_refused(spark: SparkSession, lake: Lake) -> None:
    frame = prices(spark).withColumn("price", F.col("price").cast("string"))
    with pytest.raises(SchemaError, match="price is string, wanted double"):
        lake.replace(PRICES, frame, NORTH, note("1"))


def test_the_same_append_twice_is_one(spark: SparkSession, lake: Lake) -> None:
    row = prices(spark, ("north", "a", 1.0, "x"))
    for key in ("1", "1", "2"):
        lake.append_once(PRICES, row, NORTH, note(key))
    assert lake.read(PRICES, "north").count() == 2


def test_a_commit_of_another_writer_is_seen(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    assert lake.last_commit(PRICES, NORTH).run_key == "1"
    both = prices(spark, ("north", "a", 2.0, "x"), ("north", "b", 2.0, "x"))
    Lake(spark, lake.root).replace(PRICES, both, NORTH, note("2"))
    assert (lake.last_commit(PRICES, NORTH).run_key, lake.last_commit(PRICES, NORTH).rows) == ("2", 2)


def test_a_commit_is_found_behind_any_number_of_others(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    for key in ("2", "3"):
        lake.replace(PRICES, prices(spark, ("south", "a", 1.0, "x"), ("south", "b", 1.0, "x")), SOUTH, note(key))
    assert [(found.run_key, found.rows) for found in map(partial(lake.last_commit, PRICES), (NORTH, SOUTH))] == [
        ("1", 1),
        ("3", 2),
    ]
    assert lake.last_commit(PRICES, {"region": "west"}) is None


BY_DATE = Table(
    "forecasts/prices",
    "region string, forecast_date date, price double",
    key=("region", "forecast_date"),
    partitions=("region", "forecast_date"),
)


def test_for_a_new_date_the_commits_of_all_dates_before_are_not_read(
    spark: SparkSession, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def merge(table: Table, frame: DataFrame, scope: dict[str, str], note: dict[str, str]) -> Commit:
        return lake.merge(table, frame, ["forecast_date"], scope, note)

    read: list[str] = []
    monkeypatch.setattr(lake, "read_text", lambda name: (read.append(name), Lake.read_text(lake, name))[1])
    for day, write in enumerate((lake.replace, lake.append_once, lake.replace, merge), start=1):
        row = spark.createDataFrame([("north", date(2017, 8, day), 1.0)], BY_DATE.schema)
        write(BY_DATE, row, {"region": "north", "forecast_date": f"2017-08-0{day}"}, note(str(day)))
        read.clear()
        assert lake.last_commit(BY_DATE, {"region": "north", "forecast_date": f"2017-08-0{day + 1}"}) is None
        assert len(read) == 1
    assert lake.last_commit(BY_DATE, {"region": "north", "forecast_date": "2017-08-01"}).run_key == "1"


def test_the_log_keeps_what_skipping_rests_on(spark: SparkSession, lake: Lake) -> None:
    lake.replace(PRICES, prices(spark), NORTH, note("1"))
    properties = spark.sql(f"show tblproperties delta.`{lake.path(PRICES)}`").collect()
    assert {row.key: row.value for row in properties}["delta.logRetentionDuration"] == "interval 36500 days"


def waiting_for(mark: Path) -> Callable[[str], Column]:
    """A column as it is, computed while the write is under way, once there is the file `mark`."""
    path = str(mark)

    @F.udf("double")
    def wait(value: float) -> float:
        deadline = time.monotonic() + 60
        while not Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        return value

    return wait


@contextmanager
def under_way(lake: Lake, rows: DataFrame, scope: Mapping[str, str], mark: Path) -> Iterator[Future[Commit]]:
    """A write that has begun when the block does, and ends after it."""
    slow = rows.withColumn("price", waiting_for(mark)("price"))
    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(lake.replace, PRICES, slow, scope, note("slow"))
        time.sleep(2)
        try:
            yield writing
        finally:
            mark.touch()


def test_two_writers_of_the_same_rows_are_told_to_try_again(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    with under_way(lake, prices(spark, ("north", "b", 2.0, "x")), NORTH, tmp_path / "done") as writing:
        Lake(spark, lake.root).replace(PRICES, prices(spark, ("north", "c", 3.0, "x")), NORTH, note("2"))
    with pytest.raises(TransientError, match=r"table clean/prices: changed by another run"):
        writing.result()
    assert [row.product_id for row in lake.read(PRICES, "north").collect()] == ["c"]


def test_two_regions_make_a_table_at_once_and_both_keep_their_rows(
    spark: SparkSession, lake: Lake, tmp_path: Path
) -> None:
    with under_way(lake, prices(spark, ("south", "b", 2.0, "x")), SOUTH, tmp_path / "done") as writing:
        Lake(spark, lake.root).replace(PRICES, prices(spark, ("north", "c", 3.0, "x")), NORTH, note("north"))
    assert writing.result().run_key == "slow"
    assert [lake.read(PRICES, region).count() for region in ("south", "north")] == [1, 1]


def test_a_text_that_cannot_be_put_is_an_error_and_the_old_one_stays(lake: Lake) -> None:
    lake.write_text("a/page.html", "old")
    Path(lake.path("a"), "other.html", "full").mkdir(parents=True)
    with pytest.raises(Py4JJavaError, match=r"other\.html"):
        lake.write_text("a/other.html", "new")
    assert Path(lake.path("a/page.html")).read_text() == "old"


SOUGHT = {
    "by no column": ((), set()),
    "by product": (("product_id",), {"product_id"}),
}


@pytest.mark.parametrize(("sought_by", "kept"), SOUGHT.values(), ids=SOUGHT)
def test_minima_and_maxima_are_kept_of_the_columns_sought_by(
    spark: SparkSession, lake: Lake, sought_by: tuple[str, ...], kept: set[str]
) -> None:
    table = replace(PRICES, sought_by=sought_by)
    lake.replace(table, prices(spark, ("north", "a", 1.0, "x")), NORTH, note("1"))
    actions = spark.read.text(f"{lake.path(table)}/_delta_log/*.json").where("value like '%\"add\"%'").collect()
    stats = json.loads(json.loads(actions[0].value)["add"]["stats"])
    assert stats["numRecords"] == 1
    assert set(stats.get("minValues", {})) == kept


def test_the_content_hash_knows_neither_order_nor_who_wrote(spark: SparkSession, lake: Lake) -> None:
    rows = [("north", "a", 1.0, "x"), ("north", "b", 2.0, "x"), ("north", "b", 2.0, "x")]
    hashes = []
    for written in (rows, rows[::-1], [(*row[:3], "y") for row in rows], [("north", "a", 1.0 + 1e-12, "x"), *rows[1:]]):
        lake.replace(PRICES, prices(spark, *written), NORTH, note("1"))
        hashes.append(lake.content_hash(PRICES, "north"))
    assert len(set(hashes)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([("north", "a", 1.0, "x")], id="a-row-less"),
        pytest.param([("north", "a", 1.0, "x"), ("north", "a", 1.0, "x")], id="a-row-twice"),
        pytest.param([("north", "a", 1.0001, "x"), ("north", "b", 2.0, "x")], id="another-price"),
    ],
)
def test_the_content_hash_knows_other_content(spark: SparkSession, lake: Lake, other) -> None:
    lake.replace(PRICES, prices(spark, ("north", "a", 1.0, "x"), ("north", "b", 2.0, "x")), NORTH, note("1"))
    before = lake.content_hash(PRICES, "north")
    lake.replace(PRICES, prices(spark, *other), NORTH, note("2"))
    assert lake.content_hash(PRICES, "north") != before


NESTED = Table(
    "models/nested",
    "region string, scores struct<rmse:double,per_week:array<double>>, weights map<string,double>",
    key=("region",),
)


def test_the_content_hash_takes_floats_within_others_for_the_same_up_to_nine_digits(
    spark: SparkSession, lake: Lake
) -> None:
    hashes = []
    for slip in (0.0, 1e-13, 1e-3):
        row = ("north", (0.1 + slip, [0.2 + slip, None]), {"a": 0.3 + slip, "b": None})
        lake.replace(NESTED, spark.createDataFrame([row, ("north", None, None)], NESTED.schema), NORTH, note("1"))
        hashes.append(lake.content_hash(NESTED, "north"))
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_text_is_put_whole_and_found(lake: Lake) -> None:
    assert not lake.has_file("reports/index.html")
    for text in ("first", "žluťoučký"):
        lake.write_text("reports/index.html", text)
    assert Path(lake.path("reports/index.html")).read_text(encoding="utf-8") == "žluťoučký"
    assert lake.has_file("reports/index.html")
