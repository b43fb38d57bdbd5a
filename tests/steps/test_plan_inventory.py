"""Plans of a small shop, day after day, with what people decide on them."""

import csv
import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import frame
from shelfcast import config, schemas
from shelfcast.errors import LakeError, SourceError
from shelfcast.inventory import decisions, tables
from shelfcast.lake import Lake
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.runner import Runner
from shelfcast.steps import collect_decisions, plan_inventory
from shelfcast.table import Table
from shop import day, lake_of

ROOT = Path(__file__).parents[2]

# What store 1 sells a week; store 2 sells "moved" too, and has more of it than it will ever need.
APPROVED, AMENDED = [f"approved {number}" for number in range(6)], [f"amended {number}" for number in range(3)]
UNDECIDED = ["undecided 0", "undecided 1"]
WEEKLY_UNITS = {"fast": 70.0, "slow": 7.0, "moved": 14.0, **dict.fromkeys((*APPROVED, *AMENDED, *UNDECIDED), 21.0)}
SERIES = {**{("1", name): units for name, units in WEEKLY_UNITS.items()}, ("2", "moved"): 14.0}
LAKE = lake_of(SERIES, {("1", "fast"): 30.0, ("2", "moved"): 900.0, ("2", "ended"): 40.0})


@pytest.fixture(scope="module")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the tables of LAKE."""
    root = tmp_path_factory.mktemp("written")
    for table, rows in LAKE:
        note = {"run_key": "given", "job": table.name}
        Lake(spark, str(root)).replace(table, frame(spark, table, *rows), {"region": "tiny"}, note)
    return root


@pytest.fixture(scope="module")
def lake(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, in which the days of the plan follow one another."""
    return Path(shutil.copytree(written, tmp_path_factory.mktemp("planned") / "lake"))


def make_runner(spark: SparkSession, lake: Path, days: int = 0, *changes: str) -> Runner:
    """A runner on a lake, as of the Sunday or `days` later."""
    settings = [f"lake={lake}", "runtime.buckets=2", "inventory.samples=100",
                f"inventory.decisions={lake.parent / 'decisions.csv'}"]  # fmt: skip
    return Runner(spark, config.load(ROOT / "conf" / "tiny.yaml", [*settings, *changes]), day(days))


def plan(runner: Runner) -> bool:
    return runner.run(plan_inventory.job(runner.config))


@pytest.fixture(scope="module")
def today(spark: SparkSession, lake: Path) -> Runner:
    runner = make_runner(spark, lake)
    assert plan(runner)
    return runner


@pytest.fixture(scope="module")
def tomorrow(spark: SparkSession, lake: Path, today: Runner) -> Runner:
    """The plan of the day after, when half has been approved, some amended, and one refused."""
    ordered, [move] = rows(today, tables.ORDERS), rows(today, tables.TRANSFERS).values()
    told = [{**ordered[name].asDict(), "decision": "approved"} for name in (*APPROVED, "fast")]
    told += [{**ordered[name].asDict(), "decision": "amended", "quantity": 6.0} for name in AMENDED]
    told += [{**ordered["slow"].asDict(), "decision": "rejected"}]
    told += [{**move.asDict(), "store_id": move.to_store, "decision": "approved"}]
    return plan_knowing(make_runner(spark, lake, 1), *[{**row, "decided_on": day(0)} for row in told])


@pytest.fixture(scope="module")
def third_day(spark: SparkSession, lake: Path, today: Runner, tomorrow: Runner) -> Runner:
    """The plan of the day after that: of what was amended, the rest of one has been approved, that of another refused,
    and of the third more is to come than was said at first, beside the rest."""
    first, rest = rows(today, tables.ORDERS), rows(tomorrow, tables.ORDERS, 1)
    told = [{**rest[name].asDict(), "decision": "approved"} for name in (AMENDED[0], AMENDED[2])]
    told += [{**rest[AMENDED[1]].asDict(), "decision": "rejected"}]
    told += [{**first[AMENDED[2]].asDict(), "decision": "amended", "quantity": 12.0}]
    return plan_knowing(make_runner(spark, lake, 2), *[{**row, "decided_on": day(1)} for row in told])


def plan_knowing(runner: Runner, *lines: dict[str, Any]) -> Runner:
    """The runner, when it has collected and planned; lines: of the file of decisions."""
    decide(Path(runner.config.inventory.decisions), *lines)
    runner.run(collect_decisions.job(runner.config))
    assert plan(runner)
    return runner


def rows(runner: Runner, table: Table, days: int = 0, store: str = "1") -> dict[str, Any]:
    """By product, those of a store where the table has stores."""
    found = runner.lake.read(table, "tiny").where(f"forecast_date = '{day(days)}'")
    found = found.where(f"store_id = '{store}'") if "store_id" in found.columns else found
    return {row.product_id: row for row in found.collect()}


def decide(path: Path, *lines: dict[str, Any]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, (*decisions.COLUMNS, decisions.GIVER), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)


def test_a_plan_orders_what_is_missing_and_moves_what_another_store_has_too_much_of(today: Runner) -> None:
    policies, ordered = rows(today, tables.POLICIES), rows(today, tables.ORDERS)
    assert {name: row.on_hand for name, row in policies.items() if row.on_hand} == {"fast": 28.0}
    assert policies["fast"]["class"] == "AX"
    assert policies["fast"].lead_days == pytest.approx(5.0)
    assert policies["fast"].unit_cost == pytest.approx(5.05)
    assert ordered.keys() == WEEKLY_UNITS.keys() - {"moved"}
    for name, row in ordered.items():
        assert row.status == "suggested"
        assert row.is_due
        assert row.quantity % 6 == 0
        assert row.quantity >= policies[name].order_up_to - policies[name].position
        assert row.cost == pytest.approx(5.05 * row.quantity)
        assert row.stock_out_after < 0.2
        assert row.expected_on == day(5)
    [move] = rows(today, tables.TRANSFERS).values()
    assert (move.from_store, move.to_store, move.quantity) == ("2", "1", policies["moved"].need)
    assert rows(today, tables.RISKS, store="2")["moved"].risk == "overstock"
    assert not plan(today), "a plan that is there is not made again"


def test_what_is_left_of_a_series_that_has_ended_is_too_much(today: Runner) -> None:
    assert "ended" not in rows(today, tables.POLICIES, store="2")
    left = rows(today, tables.RISKS, store="2")["ended"]
    assert (left.risk, left.units) == ("overstock", 40.0)


def test_what_was_decided_yesterday_is_neither_ordered_twice_nor_lost(today: Runner, tomorrow: Runner) -> None:
    before, after = rows(today, tables.ORDERS), rows(tomorrow, tables.ORDERS, 1)
    due = {name: row.quantity for name, row in rows(tomorrow, tables.OPEN_ORDERS, 1).items()}
    assert due == {**{name: before[name].quantity for name in (*APPROVED, "fast")}, **dict.fromkeys(AMENDED, 6.0)}
    assert {name: row.status for name, row in after.items()} == {
        **dict.fromkeys((*AMENDED, *UNDECIDED), "suggested"),
        "slow": "rejected",
    }
    # A day later the level may lie a box higher or lower.
    for name in UNDECIDED:
        assert after[name].order_id == before[name].order_id
        assert abs(after[name].quantity - before[name].quantity) <= 6
    for name in AMENDED:
        assert abs(after[name].quantity + 6 - before[name].quantity) <= 6
        assert after[name].order_id == f"{before[name].order_id}-2"
    assert rows(today, tables.ORDERS)["fast"] == before["fast"], "yesterday's plan stays"


def test_a_decision_on_the_rest_of_an_order_leaves_what_was_granted_of_it(tomorrow: Runner, third_day: Runner) -> None:
    rest, after = rows(tomorrow, tables.ORDERS, 1), rows(third_day, tables.ORDERS, 2)
    due = {name: row.quantity for name, row in rows(third_day, tables.OPEN_ORDERS, 2).items() if name in AMENDED}
    taken, refused, corrected = AMENDED
    assert due == {taken: 6 + rest[taken].quantity, refused: 6, corrected: 12 + rest[corrected].quantity}
    # A day later the level may lie a box higher.
    assert all(after[name].quantity <= 6 for name in (taken, corrected) if name in after)
    assert (after[refused].status, after[refused].order_id) == ("rejected", rest[refused].order_id)


@pytest.mark.parametrize(
    ("newest", "is_as_it_was"),
    [pytest.param(1, False, id="the-newest-day"), pytest.param(2, True, id="an-older-day")],
)
def test_a_plan_made_again_knows_what_was_decided_on_it_until_a_newer_day_is_published(
    spark: SparkSession, tomorrow: Runner, third_day: Runner, tmp_path: Path, newest: int, is_as_it_was: bool
) -> None:
    again = make_runner(spark, Path(shutil.copytree(third_day.lake.root, tmp_path / "lake")), 1)
    published = {"region": "tiny", "forecast_date": day(newest), "published_at": datetime(2016, 12, 1), "tables": {}}
    again.lake.append(schemas.PUBLICATIONS, frame(spark, schemas.PUBLICATIONS, {**published, "run_id": "given"}))
    assert plan(again)
    for table in (tables.OPEN_ORDERS, tables.POLICIES, tables.ORDERS):
        assert (rows(again, table, 1) == rows(tomorrow, table, 1)) == is_as_it_was, table.name


def test_an_approved_transfer_is_netted_in_both_stores(tomorrow: Runner) -> None:
    [move] = rows(tomorrow, tables.OPEN_TRANSFERS, 1).values()
    giving, taking = (rows(tomorrow, tables.POLICIES, 1, store)["moved"] for store in ("2", "1"))
    assert (taking.on_order, taking.need) == (move.quantity, 0.0)
    assert (giving.promised, giving.position) == (move.quantity, 900.0 - move.quantity)
    assert not rows(tomorrow, tables.TRANSFERS, 1)


def test_a_plan_tells_how_old_its_forecast_is(tomorrow: Runner) -> None:
    assert rows(tomorrow, tables.POLICIES, 1)["fast"].forecast_age == 1


def test_a_day_before_the_first_forecast_has_none(spark: SparkSession, written: Path) -> None:
    with pytest.raises(LakeError, match="has no forecast of 2016-11-20 or before"):
        plan(make_runner(spark, written, -7))


def test_a_chain_that_counts_no_stock_gets_target_levels_alone(
    spark: SparkSession, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Path(shutil.copytree(written, tmp_path / "lake"))
    runner = make_runner(spark, lake, 0, "source.files={sales: s.csv, products: p.csv, purchases: b.csv}")
    plan(runner)
    said = capsys.readouterr().err
    assert "target levels only" in said
    assert "plan_inventory: the plan is not published until job report runs" in said
    row = rows(runner, tables.POLICIES)["fast"]
    assert row.reorder_point > 70
    assert (row.on_hand, row.need, row.stock_out) == (None, None, None)
    assert not runner.lake.exists(tables.ORDERS)


def test_decisions_without_a_file_are_refused_by_its_name(spark: SparkSession, tmp_path: Path) -> None:
    runner = make_runner(spark, tmp_path / "lake")
    with pytest.raises(SourceError, match=r"no file .*decisions.csv"):
        runner.run(collect_decisions.job(runner.config))


def test_decisions_in_a_file_of_whose_name_spark_reads_nothing_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / "_north.jsonl").write_text("{}")
    for named in ("decisions", "decisions/_north.jsonl"):
        runner = make_runner(spark, tmp_path / "lake", 0, f"inventory.decisions={tmp_path / named}")
        with pytest.raises(SourceError, match=r"/_north\.jsonl: a name of which Spark reads nothing"):
            runner.run(collect_decisions.job(runner.config))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_decisions_of_a_folder_are_those_of_all_its_files(scheme: str, spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "decided"
    runner = make_runner(spark, tmp_path / "lake", 0, f"inventory.decisions={scheme}{folder}")
    job = collect_decisions.job(runner.config)
    assert runner.run(job)
    assert runner.lake.read(tables.ORDER_DECISIONS, "tiny").count() == 0
    folder.mkdir()
    order = {"order_id": "x", "store_id": "1", "vendor_id": "v1", "product_id": "p", "need_by": str(day(1))}
    order |= {"quantity": 6.0, "from_store": None}
    decide(folder / "by-hand.csv", {**order, "decision": "approved", "decided_on": day(0)})
    for number in (1, 2):
        line = json.dumps({**order, "decision": "rejected", "decided_on": str(day(number))})
        (folder / f"{day(number)}.jsonl").write_text(f"{line}\n")
    (folder / f".{day(3)}.part").write_text("half a li")
    (folder / f"{day(4)}.jsonl").touch()
    assert runner.run(job)
    found = runner.lake.read(tables.ORDER_DECISIONS, "tiny").orderBy("decided_on").collect()
    assert [(row.decided_on, row.decision) for row in found] == [
        (day(0), "approved"), (day(1), "rejected"), (day(2), "rejected"),
    ]  # fmt: skip


def test_the_last_word_is_that_of_the_last_line_of_the_newest_file_and_a_file_is_read_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, read = tmp_path / "decided", []
    folder.mkdir()
    runner = make_runner(spark, tmp_path / "lake", 0, f"inventory.decisions={folder}")
    job, reader = collect_decisions.job(runner.config), collect_decisions._read
    monkeypatch.setattr(collect_decisions, "_read", lambda run, files: read.extend(files) or reader(run, files))
    order = {"store_id": "1", "vendor_id": "v1", "product_id": "p", "need_by": day(1)}
    [name] = frame(spark, tables.ORDERS, order).select(decisions.order_id(F.lit("tiny"))).first()

    def write(file: str, at: int, *words: str) -> str:
        lines = [{**order, "order_id": name, "quantity": 6.0, "decision": word, "decided_on": day(0)} for word in words]
        path = folder / file
        path.write_text("".join(f"{json.dumps(line, default=str)}\n" for line in lines))
        os.utime(path, (at, at))
        return str(path)

    def last_word() -> list[str]:
        assert runner.run(job)
        assert not runner.run(job), "nothing is new"
        return [row.decision for row in runner.lake.read(tables.ORDER_DECISIONS, "tiny").collect()]

    files = [write("b.jsonl", 1, "amended"), write("a.jsonl", 2, "amended", "rejected", "approved")]
    assert last_word() == ["approved"]
    files.append(write("c.jsonl", 3, "rejected"))
    assert last_word() == ["rejected"]
    assert sorted(read) == sorted(files)


def test_sales_that_nobody_has_checked_are_planned_by_nobody(
    spark: SparkSession, written: Path, tmp_path: Path
) -> None:
    runner = make_runner(spark, Path(shutil.copytree(written, tmp_path / "lake")))
    runner.lake.remove(INPUT_ALERTS.name)
    with pytest.raises(LakeError, match="has nothing of 2016-11-27; wanted the sales checked by job check_inputs"):
        plan(runner)
