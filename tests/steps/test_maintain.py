"""A lake of two regions over weeks: what is put together, what is let go and what stays."""

import importlib
import os
import pkgutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyspark.sql import SparkSession

import shelfcast
from aging import age
from shelfcast import config, publications
from shelfcast.errors import LakeError, TransientError
from shelfcast.lake import Lake
from shelfcast.lease import Lease
from shelfcast.runner import Runner
from shelfcast.schemas import PUBLICATIONS, SALES
from shelfcast.steps.backup import backup
from shelfcast.steps.forget import forget
from shelfcast.steps.maintain import LAID_OUT, maintain
from shelfcast.steps.migrate import migrate
from shelfcast.table import Table

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
PRICES = Table("clean/prices", "region string, number int", key=("region", "number"))
COSTS = Table("clean/costs", "region string, number int", key=("region", "number"))


@pytest.fixture
def runner(spark: SparkSession, lake_root: Path) -> Runner:
    return Runner(spark, config.load(CONFIG, [f"lake={lake_root}", "region=north", "maintenance.keep_days=10"]))


def put(lake: Lake, table: Table, number: int, region: str = "north") -> int:
    row = lake.spark.createDataFrame([(region, number)], table.schema)
    note = {"run_key": f"{table.name} {number}", "reads": {}}
    return lake.replace(table, row, {"region": region}, note).version


def publish(lake: Lake, day: int, tables: dict[str, int], at: datetime, region: str = "north") -> None:
    row = (region, date(2017, 8, day), f"run {day}", at, tables)
    note = {"run_key": f"run {day}", "reads": tables, "scope": {"region": region}}
    lake.append(PUBLICATIONS, lake.spark.createDataFrame([row], PUBLICATIONS.schema), note)


def number_at(lake: Lake, table: Table, version: int, region: str = "north") -> int | None:
    """What the table held at that version; None where its files are gone."""
    rows = lake.read(table, region, version)
    if not all(map(os.path.exists, (urlsplit(file).path for file in rows.inputFiles()))):
        return None
    return int(rows.collect()[0]["number"])


def now() -> datetime:
    return datetime.now().replace(microsecond=0)


def test_what_was_published_within_the_days_stays_and_what_is_older_goes(
    runner: Runner, spark: SparkSession, lake_root: Path
) -> None:
    lake = runner.lake
    for number, days in ((1, 0), (2, 15), (3, 25), (4, 0)):
        put(lake, PRICES, number)
        age(spark, lake_root, days)
    put(lake, COSTS, 7)
    # The second was replaced 25 days ago, and published still in the last ten.
    for day, (prices, ago) in enumerate([(0, 40), (1, 8), (2, 1)], start=1):
        publish(lake, day, {PRICES.name: prices, COSTS.name: 0}, now() - timedelta(days=ago))
    maintain(runner)
    assert [number_at(lake, PRICES, version) for version in range(4)] == [None, 2, 3, 4]
    assert [each.tables for each in publications.published_in(lake, "north", date(2017, 8, 2))] == [
        {PRICES.name: 1, COSTS.name: 0}
    ]


@pytest.mark.parametrize(
    ("deed", "told"), [(maintain, ()), (migrate, ()), (backup, ("copy",)), (forget, ("person",))],
    ids=["maintain", "migrate", "backup", "forget"],
)  # fmt: skip
def test_a_lake_that_is_not_there_is_named_and_not_made(
    spark: SparkSession, tmp_path: Path, deed: Callable[..., None], told: tuple[str, ...]
) -> None:
    settings = [f"lake={tmp_path / 'mistyped'}", "source.persons={household_id: hash}"]
    runner = Runner(spark, config.load(CONFIG, settings))
    with pytest.raises(LakeError, match=rf"^lake {tmp_path}/mistyped: not there; wanted one that jobs have made$"):
        deed(runner, *told)
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.slow
def test_what_another_region_has_published_stays(runner: Runner, spark: SparkSession, lake_root: Path) -> None:
    lake = runner.lake
    for number in (1, 2):
        put(lake, PRICES, number, "south")
    publish(lake, 1, {PRICES.name: 0}, now() - timedelta(days=90), "south")
    age(spark, lake_root, 60)
    maintain(runner)
    assert number_at(lake, PRICES, 0, "south") == 1, "the newest of a region, however old"
    publish(lake, 2, {PRICES.name: 1}, now(), "south")
    maintain(runner)
    assert (number_at(lake, PRICES, 0, "south"), number_at(lake, PRICES, 1, "south")) == (None, 2)


def test_small_files_are_put_together_and_published_again_as_the_same_run(runner: Runner) -> None:
    lake = runner.lake
    for number in range(5):
        lake.append(PRICES, lake.spark.createDataFrame([("north", number)], PRICES.schema))
    changed = put(lake, COSTS, 1)
    publish(lake, 1, {PRICES.name: 4, COSTS.name: changed}, now())
    put(lake, COSTS, 2)
    before = lake.last_commit(PUBLICATIONS, {"region": "north"})
    rows = lake.content_hash(PRICES, "north")
    maintain(runner)
    published = publications.newest(lake, "north")
    assert published.tables[PRICES.name] > 4
    assert published.tables[COSTS.name] == changed, "what was written since is not published"
    assert published.run_id == "run 1"
    assert len(published.read(lake, PRICES).inputFiles()) == 1
    assert lake.content_hash(PRICES, "north") == rows
    after = lake.last_commit(PUBLICATIONS, {"region": "north"})
    assert (after.run_key, after.note["reads"]) == (before.run_key, before.note["reads"]), "the day is made still"
    maintain(runner)
    assert len(publications.published_in(lake, "north", date(2017, 8, 1))) == 2, "nothing changed: no third publication"


def test_what_killed_runs_of_the_region_have_staged_goes(runner: Runner) -> None:
    for region in ("north", "south"):
        runner.lake.write_text(f"_staging/{region}/killed/part", "half")
    maintain(runner)
    assert runner.lake.names("_staging/*") == ["south"]


def test_a_region_at_work_is_left_alone(runner: Runner) -> None:
    runner.lake.write_text("_staging/north/running/part", "half")
    with Lease(runner.lake, "north"), pytest.raises(TransientError, match="region north: process"):
        maintain(runner)
    assert runner.lake.names("_staging/*") == ["north"]


def test_tables_that_their_jobs_lay_out_for_readers_are_left_as_they_are() -> None:
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(shelfcast.__path__, "shelfcast.")]
    tables = {each.name: each for module in modules for each in vars(module).values() if isinstance(each, Table)}
    sought = {name for name, table in tables.items() if table.sought_by or table.rows_per_file}
    # Sales are sought by the job that writes them alone, in the files that came last.
    assert sought - {SALES.name} == LAID_OUT
