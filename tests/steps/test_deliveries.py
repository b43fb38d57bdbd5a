"""Files that come one after another: each is taken in once, and what was known on a day stays what it was."""

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from pyspark.sql import SparkSession

from corner import HEADER, KEY, REGION, Corner, line
from shelfcast.errors import SourceError
from shelfcast.job import Run
from shelfcast.schemas import SALES
from shelfcast.sources import files, ledger
from shelfcast.sources.ledger import LEDGER
from shelfcast.steps import ingest


@pytest.fixture(scope="module")
def two_days(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Corner:
    """A day's file, and that of the next with a correction, a repetition and a late sale."""
    shop = Corner(spark, tmp_path_factory.mktemp("two_days"))
    shop.deliver("sales-2.csv", line("a", "2017-01-02", 1), line("b", "2017-01-02", 2))
    assert shop.take_in() == (True, True)
    late = (line("a", "2017-01-02", 5), line("b", "2017-01-02", 2), line("d", "2017-01-01", 4))
    shop.deliver("sales 3.csv", *late, line("c", "2017-01-03", 3), line("", "2017-01-03", 9))
    assert shop.take_in() == (True, True)
    return shop


def test_what_was_known_on_a_day_stays_and_what_came_later_is_known_from_then(two_days: Corner) -> None:
    assert two_days.sold("2017-01-02") == {"a": 1, "b": 2}
    assert two_days.sold("2017-01-03") == {"a": 5, "b": 2, "c": 3, "d": 4}


def test_a_further_delivery_is_merged_and_nothing_else_is_read_anew(two_days: Corner) -> None:
    assert two_days.operations("raw/corner_sales")[-2:] == ["WRITE", "WRITE"]
    assert two_days.operations("clean/sales")[-2:] == ["WRITE", "MERGE"]


def test_a_merge_can_tell_which_files_hold_what_was_known_long_before(two_days: Corner) -> None:
    log = Path(two_days.runner.lake.path(SALES)) / "_delta_log"
    actions = [json.loads(told) for told in (log / f"{0:020d}.json").read_text().splitlines()]
    stats = [json.loads(action["add"]["stats"]) for action in actions if "add" in action]
    assert {told["maxValues"]["known_from"] for told in stats if told["numRecords"]} == {"2017-01-02"}


def test_every_row_received_is_accounted_for(two_days: Corner) -> None:
    assert two_days.account() == {"raw": 7, "clean": 5, "duplicates": 1, "quarantined": 1}


def test_the_ledger_tells_which_file_came_when(two_days: Corner) -> None:
    lines = two_days.runner.lake.read(LEDGER, REGION).orderBy("delivery").collect()
    assert [(line.file, line.delivery) for line in lines] == [("sales-2.csv", 1), ("sales 3.csv", 2)]


def test_nothing_new_is_nothing_to_do_whether_the_files_stay_or_are_put_away(two_days: Corner, tmp_path: Path) -> None:
    assert two_days.take_in() == (False, False)
    kept = shutil.move(two_days.folder / "sales-2.csv", tmp_path)
    assert two_days.take_in() == (False, False)
    shutil.move(kept, two_days.folder)


def test_judged_all_at_once_it_is_the_same(two_days: Corner) -> None:
    apart = two_days.hashes()
    shutil.rmtree(Path(two_days.runner.lake.path("clean")))
    assert two_days.clean()
    assert two_days.hashes() == apart


@pytest.mark.slow
def test_a_day_typed_wrong_is_not_the_newest_day_known(spark: SparkSession, tmp_path: Path) -> None:
    shop = Corner(spark, tmp_path)
    sold = [line(f"{number}", "2017-01-02", 1) for number in range(150)]
    shop.deliver("sales-1.csv", *sold, line("typed wrong", "2017-12-03", 1))
    shop.take_in()
    assert shop.runner.as_of == date(2017, 1, 2)
    assert "typed wrong" in shop.sold("2017-12-03")
    shop.deliver("sales-2.csv", line("next", "2017-01-03", 1))
    shop.take_in()
    assert shop.runner.as_of == date(2017, 1, 3)


@pytest.fixture(scope="module")
def again(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Corner:
    """A file that comes again, with a sale corrected, one taken back, and a further one; and a copy of it."""
    shop = Corner(spark, tmp_path_factory.mktemp("again"))
    shop.deliver("sales.csv", *(line(basket, "2017-01-02", 1) for basket in "abc"))
    shop.take_in()
    rows = (line("a", "2017-01-02", 1), line("b", "2017-01-02", 7), line("d", "2017-01-03", 2))
    shop.deliver("sales.csv", *rows)
    shop.deliver("sales-copy.csv", *rows)
    shop.take_in()
    return shop


def test_a_file_that_comes_again_overtakes_what_it_told_before(again: Corner) -> None:
    assert again.sold("2017-01-02") == {"a": 1, "b": 1, "c": 1}
    assert again.sold("2017-01-03") == {"a": 1, "b": 7, "d": 2}


def test_rows_that_came_again_are_counted_once_and_the_others_as_superseded(again: Corner) -> None:
    assert again.account() == {"raw": 6, "clean": 3, "superseded": 3}


def test_a_copy_of_a_file_is_not_read(again: Corner) -> None:
    copies = again.runner.lake.read(LEDGER, REGION).where("copy_of is not null").collect()
    assert [(line.file, line.copy_of) for line in copies] == [("sales.csv", "sales-copy.csv")]


@pytest.mark.slow
def test_a_file_that_was_passed_over_once_is_taken_in_by_another_name(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Corner(spark, tmp_path, files="*sales*.csv*")
    shop.deliver("sales-1.csv", line("a", "2017-01-02", 1))
    with monkeypatch.context() as before:
        # As code of before took the files in.
        before.setattr(files, "_UNFINISHED", re.compile("none"))
        before.setattr(files, "require_read", lambda _: None)
        before.setattr(ledger, "_was_read", lambda _: True)
        for name in ("_sales-2.csv", ".sales-3.csv.part"):
            shop.deliver(name, line(name, "2017-01-02", 2))
        assert shop.ingest()
        (shop.folder / ".sales-3.csv.part").rename(shop.folder / "sales-3.csv")
        assert shop.ingest()
    assert shop.received("sales").count() == 1
    with pytest.raises(SourceError, match=r"/_sales-2\.csv: a name of which Spark reads nothing"):
        shop.ingest()
    (shop.folder / "_sales-2.csv").rename(shop.folder / "sales-2.csv")
    assert shop.take_in() == (True, True)
    assert shop.sold() == {"a": 1, "_sales-2.csv": 2, ".sales-3.csv.part": 2}
    assert not shop.ingest()
    assert shop.reading(decimal=",").ingest()
    assert shop.received("sales").count() == 3


@pytest.mark.slow
def test_what_a_copy_tells_stands_though_the_file_that_it_is_a_copy_of_tells_something_else_by_now(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = Corner(spark, tmp_path, "{}")
    for name in ("sales-latest.csv", "sales-of-2.csv"):
        shop.deliver(name, line("a", "2017-01-02", 1))
    shop.take_in()
    for name in ("sales-latest.csv", "sales-of-3.csv"):
        shop.deliver(name, line("b", "2017-01-03", 1))
    shop.take_in()
    assert shop.sold() == {"a": 1, "b": 1}
    shop.deliver("sales-of-2.csv", line("c", "2017-01-02", 1))
    shop.take_in()
    assert (shop.sold(), shop.sold("2017-01-02")) == ({"b": 1, "c": 1}, {"a": 1})


@pytest.mark.slow
def test_without_a_key_equal_rows_are_sales_and_a_file_that_comes_again_takes_the_place_of_what_it_was(
    spark: SparkSession, tmp_path: Path
) -> None:
    shop = Corner(spark, tmp_path, "{}")
    shop.deliver("sales-2.csv", line("a", "2017-01-02", 1), line("b", "2017-01-02", 1))
    shop.take_in()
    shop.deliver("sales-3.csv", line("c", "2017-01-03", 1), line("z", "2017-01-02", 6))
    shop.take_in()
    assert (shop.sold("2017-01-02"), shop.sold("2017-01-03")) == (
        {"a": 1, "b": 1},
        {"a": 1, "b": 1, "c": 1, "z": 6},
    )
    assert shop.operations("clean/sales")[-1] == "WRITE"
    apart = shop.hashes()
    shop.deliver("sales-3.csv", line("c", "2017-01-03", 4))
    shop.deliver("sales-4.csv", line("e", "2017-01-04", 1))
    shop.take_in()
    assert shop.sold("2017-01-03") == {"a": 1, "b": 1, "c": 1, "z": 6}
    assert shop.sold("2017-01-04") == {"a": 1, "b": 1, "c": 4, "e": 1}
    assert shop.hashes() != apart


@pytest.mark.parametrize("comes", [False, True], ids=["nothing-more-comes", "another-file-comes-meanwhile"])
def test_killed_after_the_rows_are_in_they_are_in_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comes: bool
) -> None:
    shop = Corner(spark, tmp_path)
    shop.deliver("sales-2.csv", line("a", "2017-01-02", 1))
    shop.ingest()
    shop.deliver("sales-3.csv", line("b", "2017-01-03", 1))
    shop.killed_after(monkeypatch, "raw/corner_sales")
    if comes:
        shop.deliver("sales-4.csv", line("c", "2017-01-04", 1))
    shop.ingest()
    raw = shop.runner.lake.read(ingest.job(shop.runner.config).writes[0], REGION).select("basket").collect()
    assert sorted(row.basket for row in raw) == ["a", "b", *(["c"] if comes else [])]


def test_a_run_that_was_killed_before_its_rows_were_in_has_told_of_nothing(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Corner(spark, tmp_path)
    shop.deliver("sales-2.csv", line("a", "2017-01-02", 1))
    shop.ingest()
    shop.deliver("sales-3.csv", line("b", "2017-01-03", 1))
    with monkeypatch.context() as patched:
        patched.setattr(Run, "append_once", lambda *_, **__: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            shop.ingest()
    assert shop.runner.lake.read(LEDGER, REGION).count() == 2
    (shop.folder / "sales-3.csv").unlink()
    shop.deliver("sales-5.csv", line("e", "2017-01-05", 1))
    shop.ingest()
    files = shop.runner.lake.read(LEDGER, REGION).orderBy("file").collect()
    assert [(line.file, line.delivery) for line in files] == [("sales-2.csv", 1), ("sales-5.csv", 2)]


def test_files_of_several_days_that_come_at_once_tell_what_they_tell_day_by_day(
    spark: SparkSession, tmp_path: Path
) -> None:
    # A day without sales has been told of: what comes of it later is late.
    files = {
        "sales20170102.csv": [line("a", "2017-01-02", 1)],
        "sales20170109.csv": [],
        "sales20170110.csv": [line("a", "2017-01-02", 3), line("b", "2017-01-09", 4)],
    }
    daily, at_once = (Corner(spark, tmp_path / name, KEY, dated="yyyyMMdd") for name in ("daily", "at-once"))
    for name, rows in files.items():
        daily.deliver(name, *rows)
        daily.take_in()
        at_once.deliver(name, *rows)
    at_once.take_in()
    assert (at_once.sold("2017-01-09"), at_once.sold("2017-01-10")) == ({"a": 1}, {"a": 3, "b": 4})
    assert at_once.hashes() == daily.hashes()


def test_a_file_of_a_day_that_is_yet_to_come_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    shop = Corner(spark, tmp_path, KEY, dated="yyyyMMdd")
    day = date.today() + timedelta(days=2)
    shop.deliver(f"sales{day:%Y%m%d}.csv", line("a", "2017-01-02", 1))
    told = rf"sales{day:%Y%m%d}\.csv: the day in its name, {day}, is yet to come; wanted that of its delivery"
    with pytest.raises(SourceError, match=told):
        shop.ingest()


@pytest.mark.slow
def test_files_of_dated_names_are_known_from_their_day(spark: SparkSession, tmp_path: Path) -> None:
    shop = Corner(spark, tmp_path, KEY, dated="yyyyMMdd")
    shop.deliver("sales20170102.csv", line("a", "2017-01-02", 1))
    shop.take_in()
    shop.deliver("sales20170109.csv", line("a", "2017-01-02", 3))
    shop.take_in()
    assert (shop.sold("2017-01-08"), shop.sold("2017-01-09")) == ({"a": 1}, {"a": 3})
    shop.deliver("sales-undated.csv", line("b", "2017-01-02", 3))
    with pytest.raises(SourceError, match=r"sales-undated\.csv: no day in its name; wanted one in the form yyyyMMdd"):
        shop.ingest()


def test_a_table_that_is_left_out_for_a_run_keeps_its_rows(spark: SparkSession, tmp_path: Path) -> None:
    products = {
        "files": "products*.csv",
        "received": ["id", "kind"],
        "columns": {"product_id": "id", "category_id": "kind"},
    }
    whole = Corner(spark, tmp_path, KEY, f"source.tables.products={yaml.safe_dump(products)}")
    whole.deliver("sales-2.csv", line("a", "2017-01-02", 1))
    whole.deliver("products-1.csv", "milk,dairy", header="id,kind")
    whole.ingest()
    whole.deliver("sales-3.csv", line("b", "2017-01-03", 1))
    assert whole.without("products").ingest()
    (whole.folder / "products-1.csv").unlink()
    whole.deliver("products-2.csv", "bread,bakery", header="id,kind")
    whole.ingest()
    assert whole.received("products").count() == 2
    lines = whole.runner.lake.read(LEDGER, REGION).where("source_table = 'products'").orderBy("delivery").collect()
    assert [(line.file, line.delivery) for line in lines] == [("products-1.csv", 1), ("products-2.csv", 2)]


@pytest.mark.slow
def test_a_delta_table_that_has_changed_takes_the_place_of_what_it_was(spark: SparkSession, tmp_path: Path) -> None:
    kinds = dict.fromkeys(HEADER.split(","), "string") | {"pieces": "double", "money": "double"}
    shop = Corner(spark, tmp_path, KEY, format="delta", files="sales.delta", received=kinds)
    table, ddl = str(shop.folder / "sales.delta"), ", ".join(f"{name} {kind}" for name, kind in kinds.items())

    def put(*rows: tuple[object, ...], mode: str = "append") -> None:
        spark.createDataFrame([*rows], ddl).write.format("delta").mode(mode).save(table)

    put(("s1", "a", "milk", "2017-01-02", 1.0, 2.0), ("s1", "b", "milk", "2017-01-02", 2.0, 4.0))
    assert shop.take_in() == (True, True)
    put(("s1", "c", "milk", "2017-01-03", 3.0, 6.0))
    assert shop.take_in() == (True, True)
    assert shop.received("sales").count() == 3
    assert (shop.sold("2017-01-02"), shop.sold()) == ({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3})
    assert shop.account() == {"raw": 3, "clean": 3}
    spark.sql(f"OPTIMIZE delta.`{table}`")
    assert not shop.ingest()
