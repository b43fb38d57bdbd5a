"""A lake tells its version: code of another leaves it alone, and `migrate` brings an older one along."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from builders import Row, demand, frame, sale
from shelfcast import config, migrations, schemas
from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.demand import standing
from shelfcast.errors import LakeError, TransientError
from shelfcast.job import Job, Run
from shelfcast.lake import Lake
from shelfcast.lake_version import VERSION, mark_new, version_of
from shelfcast.lease import Lease
from shelfcast.properties import REMEMBERED
from shelfcast.runner import Runner
from shelfcast.schemas import DEMAND, SALES
from shelfcast.steps.migrate import migrate
from shelfcast.table import Table

CONFIG = Path(__file__).parents[1] / "conf" / "complete_journey.yaml"
WEEKLY = DEMAND["weekly"]
BEFORE = replace(WEEKLY, checks={"something_sold": "quantity > 0"})
HERE = {"region": "here"}
WANTED = {"quantity": 0.0, "recovered_quantity": 2.0}
SALES_OF_2 = replace(
    SALES, columns=SALES.columns.removesuffix(", known_until date"), checks={"revenue_is_known": "revenue is not null"}
)
NOTES = Table("monitoring/notes", "region string, number int", key=("region",))


@pytest.fixture
def runner(spark: SparkSession, lake_root: Path) -> Runner:
    return Runner(spark, config.load(CONFIG, [f"lake={lake_root}", "region=here"]))


def note(run: Run) -> None:
    run.write(NOTES, run.spark.createDataFrame([("here", 1)], NOTES.schema))


JOB = Job("note", (), (NOTES,), (), note, dated=False)


def put(lake: Lake, table: Table, **changes: object) -> None:
    lake.replace(table, frame(lake.spark, table, demand(**changes)), HERE, {"run_key": "given", "job": "aggregate"})


def make_old(runner: Runner, version: str | None) -> None:
    """A lake of before, with the check that tables were made with then."""
    put(runner.lake, BEFORE)
    if version is None:
        runner.lake.remove("_version")
    else:
        runner.lake.write_text("_version", version)


def test_there_is_a_step_to_each_version() -> None:
    assert len(migrations.STEPS) + 1 == VERSION


def test_a_new_lake_is_of_the_version_of_the_code(runner: Runner) -> None:
    assert runner.run(JOB)
    assert runner.lake.read_text("_version") == f"{VERSION}\n"


@pytest.mark.parametrize(
    ("version", "told"),
    [
        pytest.param(
            None, f"version 1, wanted {VERSION}; `shelfcast migrate` brings it there", id="of-before-versions"
        ),
        pytest.param("1", f"version 1, wanted {VERSION}; `shelfcast migrate` brings it there", id="older"),
        pytest.param("99", f"version 99, wanted {VERSION}; a newer shelfcast has made it", id="newer"),
    ],
)
def test_a_job_leaves_a_lake_of_another_version_alone(runner: Runner, version: str | None, told: str) -> None:
    make_old(runner, version)
    with pytest.raises(LakeError, match=told):
        runner.run(JOB)
    assert not runner.lake.exists(NOTES)


def test_a_migrated_lake_keeps_its_rows_and_takes_what_its_checks_refused(runner: Runner) -> None:
    make_old(runner, None)
    before = runner.lake.content_hash(WEEKLY, "here")
    with pytest.raises(PySparkException, match="something_sold"):
        put(runner.lake, WEEKLY, **WANTED)
    migrate(runner)
    assert version_of(runner.lake) == VERSION
    assert runner.lake.content_hash(WEEKLY, "here") == before
    put(runner.lake, WEEKLY, **WANTED)
    with pytest.raises(PySparkException, match="something_sold_or_was_wanted"):
        put(runner.lake, WEEKLY, quantity=0.0)
    assert runner.run(JOB)


def test_tables_of_before_remember_the_files_that_they_let_go(runner: Runner) -> None:
    make_old(runner, None)
    name, keys = f"delta.`{runner.lake.root}/{WEEKLY.name}`", ", ".join(map(repr, reversed(REMEMBERED)))
    runner.spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ({keys})")
    migrate(runner)
    found = {row.key: row.value for row in runner.spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert found.items() >= REMEMBERED.items()
    assert runner.run(JOB)


def test_sales_of_before_gain_an_end_and_its_check_and_are_of_the_run_that_wrote_them(runner: Runner) -> None:
    lake = runner.lake
    lake.replace(SALES_OF_2, frame(lake.spark, SALES_OF_2, sale(region="here")), HERE, {"run_key": "given"})
    lake.write_text("_version", "2")
    migrate(runner)
    (row,) = lake.spark.read.format("delta").load(lake.path(SALES)).collect()
    assert row.known_until is None
    assert lake.last_commit(SALES, HERE).run_key == "given"
    ended = frame(lake.spark, SALES, sale(region="here", known_until=row.known_from))
    with pytest.raises(PySparkException, match="known_for_a_time"):
        lake.replace(SALES, ended, HERE, {"run_key": "next"})


def test_promotions_and_counts_of_before_were_known_and_are_of_the_run_that_wrote_them(runner: Runner) -> None:
    lake, day = runner.lake, date(2017, 8, 1)
    counts = {"raw": 1, "clean": 1, "quarantined": 0, "duplicates": 0, "superseded": 0}
    told: list[tuple[Table, Row]] = [
        (schemas.PROMOTIONS, {"region": "here", "product_id": "milk", "valid_from": day, "valid_to": day}),
        (DAY_COUNTS, {"region": "here", "store_id": "s1", "day": day, **counts}),
    ]
    for table, row in told:
        columns = [each for each in table.columns.split(", ") if not each.startswith("known_")]
        before = replace(table, columns=", ".join(columns))
        lake.replace(before, frame(lake.spark, before, row), HERE, {"run_key": "given"})
    lake.write_text("_version", "3")
    migrate(runner)
    assert [standing(lake.read(table, "here"), day).count() for table, _ in told] == [1, 1]
    assert [lake.last_commit(table, HERE).run_key for table, _ in told] == ["given", "given"]
    assert standing(lake.read(DAY_COUNTS, "here"), day - timedelta(days=1)).isEmpty()


def test_a_migration_that_was_killed_goes_on_with_the_step_it_was_at(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old(runner, None)
    done = []

    def killed(_: Lake) -> None:
        if not done:
            done.append("killed")
            raise KeyboardInterrupt
        done.append("second")

    monkeypatch.setattr(migrations, "VERSION", 3)
    monkeypatch.setattr(migrations, "STEPS", (lambda _: done.append("first") if done else None, killed))
    monkeypatch.setattr(migrations, "require_current", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        migrate(runner)
    migrate(runner)
    assert done == ["killed", "second"]
    assert version_of(runner.lake) == 3


def test_a_lake_of_now_is_left_as_it_is_and_one_of_newer_code_refused(runner: Runner) -> None:
    put(runner.lake, WEEKLY)
    migrate(runner)
    assert len(runner.lake.names("demand/weekly/_delta_log/[0-9]*.json")) == 1
    runner.lake.write_text("_version", "99")
    with pytest.raises(LakeError, match="a newer shelfcast has made it"):
        migrate(runner)


def test_nothing_is_migrated_while_any_region_is_at_work(runner: Runner) -> None:
    make_old(runner, None)
    south = replace(WEEKLY, checks={})
    runner.lake.replace(
        south, frame(runner.spark, WEEKLY, demand(region="south")), {"region": "south"}, {"run_key": "1"}
    )
    with Lease(runner.lake, "south"), pytest.raises(TransientError, match="region south: process"):
        migrate(runner)
    assert version_of(runner.lake) == 1


def test_tables_that_are_the_first_at_the_same_time_mark_one_lake(runner: Runner) -> None:
    with ThreadPoolExecutor(6) as threads:
        marked = [threads.submit(mark_new, runner.lake) for _ in range(6)]
    assert [each.result() for each in marked] == [None] * 6
    assert version_of(runner.lake) == VERSION
