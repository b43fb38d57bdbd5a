"""The runs behind a number, in a lake of two regions whose jobs ran in turn."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import config, job
from shelfcast.job import Job, Run
from shelfcast.lake import Lake
from shelfcast.provenance import runs_behind
from shelfcast.runner import Runner
from shelfcast.table import Table

CONFIG = Path(__file__).parents[1] / "conf" / "complete_journey.yaml"
RAW, SALES, PRICES, PLAN = (
    Table(name, "region string, number int", key=("region",))
    for name in ("raw/till", "clean/sales", "clean/prices", "inventory/plan")
)


def put(*tables: Table):
    def work(run: Run) -> None:
        for table in tables:
            run.write(table, run.spark.createDataFrame([(run.config.region, 1)], table.schema))

    return work


JOBS = (
    Job("ingest", (), (RAW,), ("source",), put(RAW), dated=False),
    Job("clean", (RAW,), (SALES, PRICES), ("demand",), put(SALES, PRICES), dated=False),
    Job("plan", (SALES, PRICES), (PLAN,), ("backtest", "runtime"), put(PLAN), dated=False),
)


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """North ran, then south, then north again with another horizon: only its plan is new."""
    root = tmp_path_factory.mktemp("provenance")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "git_commit", lambda: "4392fc4")
        for region, horizon in (("north", 4), ("south", 4), ("north", 5)):
            changes = [f"lake={root}", f"region={region}", f"backtest.horizon={horizon}"]
            runner = Runner(spark, config.load(CONFIG, changes))
            for each in JOBS:
                runner.run(each)
    return runner.lake


def test_each_run_behind_a_plan_is_told_once_with_the_versions_of_its_region(lake: Lake) -> None:
    newest = lake.last_commit(PLAN, {"region": "north"})
    found = runs_behind(lake, "north", PLAN.name, newest)
    assert [origin.commit.note["job"] for origin in found] == ["plan", "clean", "ingest"]
    assert [origin.wrote for origin in found] == [{PLAN.name: 2}, {SALES.name: 0, PRICES.name: 0}, {RAW.name: 0}]
    assert found[0].commit.note["settings"]["backtest"]["horizon"] == 5


def test_what_lay_behind_an_earlier_plan_is_told_still(lake: Lake) -> None:
    earlier = lake.last_commit(PLAN, {"region": "north"}, until=1)
    found = runs_behind(lake, "north", PLAN.name, earlier)
    assert (found[0].wrote, found[0].commit.note["settings"]["backtest"]["horizon"]) == ({PLAN.name: 0}, 4)


def test_a_run_tells_its_versions_settings_code_and_commit(lake: Lake) -> None:
    newest = lake.last_commit(PLAN, {"region": "north"})
    head, wrote, read, *settings = str(runs_behind(lake, "north", PLAN.name, newest)[0]).splitlines()
    assert head.startswith(f"plan: run {newest.run_key}, as of every day, written 20")
    assert head.endswith(f"code {JOBS[2].code}, commit 4392fc4")
    assert wrote == "  wrote inventory/plan version 2"
    assert read == "  read clean/prices version 0, clean/sales version 0"
    assert [line.split(":")[0].strip() for line in settings] == ["backtest", "runtime"]
    assert '"horizon": 5' in settings[0]


def test_a_change_by_hand_is_told_as_such(spark: SparkSession, lake: Lake) -> None:
    spark.createDataFrame([("north", 7)], PLAN.schema).write.format("delta").mode("append").save(lake.path(PLAN))
    told = str(runs_behind(lake, "north", PLAN.name, lake.last_commit(PLAN, {"region": "north"}))[0])
    assert told.startswith("a change by hand: run version 3, as of every day, written 20")
    assert "code not known, commit not known" in told
