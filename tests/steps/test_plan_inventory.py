"""Plans of a small shop, day after day, with what people decide on them."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from shelfcast import config
from shelfcast.errors import LakeError, NotEnoughHistoryError, SourceError
from shelfcast.inventory import decisions, tables
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.runner import Runner
from shelfcast.steps import collect_decisions, plan_inventory
from shelfcast.table import Table
from shop import day

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_runner(spark: SparkSession, shop: Path, lake_root: Path, tmp_path: Path) -> Callable[..., Runner]:
    """A runner on the test's own copy of the lake, as of the Sunday or `days` later."""
    shutil.copytree(shop, lake_root, dirs_exist_ok=True)

    def make(days: int = 0, *changes: str) -> Runner:
        settings = [f"lake={lake_root}", "runtime.buckets=2", "inventory.samples=200",
                    f"inventory.decisions={tmp_path / 'decisions.csv'}"]  # fmt: skip
        return Runner(spark, config.load(ROOT / "conf" / "tiny.yaml", [*settings, *changes]), day(days))

    return make


def plan(runner: Runner) -> bool:
    return runner.run(plan_inventory.job(runner.config))


def rows(runner: Runner, table: Table, days: int = 0) -> dict[str, Any]:
    found = runner.lake.read(table, "tiny").where(f"forecast_date = '{day(days)}'").collect()
    return {row.product_id: row for row in found}


def decide(path: Path, *lines: dict[str, Any]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, decisions.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)


def test_a_plan_orders_what_is_missing_approves_nothing_twice_and_loses_nothing(
    make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    runner = make_runner()
    assert plan(runner)
    policies, ordered = rows(runner, tables.POLICIES), rows(runner, tables.ORDERS)
    assert {name: row.on_hand for name, row in policies.items()} == {"fast": 28.0, "full": 900.0, "slow": 0.0}
    assert policies["fast"]["class"] == "AX"
    assert policies["fast"].lead_days == pytest.approx(5.0)
    assert policies["fast"].unit_cost == pytest.approx(5.05)
    assert ordered.keys() == {"fast", "slow"}
    for name, row in ordered.items():
        assert row.status == "suggested"
        assert row.quantity % 6 == 0
        assert row.quantity >= policies[name].order_up_to - policies[name].position
        assert row.cost == pytest.approx(5.05 * row.quantity)
        assert row.stock_out_after < 0.2
    assert rows(runner, tables.RISKS)["full"].risk == "overstock"
    assert not plan(runner), "a plan that is there is not made again"

    fast, slow = (ordered[name].asDict() for name in ("fast", "slow"))
    approved = {**fast, "decision": "approved", "decided_on": day(0)}
    refused = {**slow, "decision": "rejected", "decided_on": day(0)}
    decide(tmp_path / "decisions.csv", approved, refused)
    tomorrow = make_runner(1)
    tomorrow.run(collect_decisions.job(tomorrow.config))
    assert plan(tomorrow)
    due, later = rows(tomorrow, tables.OPEN_ORDERS, 1), rows(tomorrow, tables.ORDERS, 1)
    assert due["fast"].quantity == fast["quantity"]
    assert rows(tomorrow, tables.POLICIES, 1)["fast"].forecast_age == 1
    assert {name: row.status for name, row in later.items()} == {"slow": "rejected"}
    assert rows(tomorrow, tables.ORDERS)["fast"].asDict() == fast, "yesterday's plan stays"

    decide(tmp_path / "decisions.csv", {**approved, "decision": "amended", "quantity": 6.0, "decided_on": day(1)})
    tomorrow.run(collect_decisions.job(tomorrow.config))
    assert plan(tomorrow)
    assert rows(tomorrow, tables.OPEN_ORDERS, 1)["fast"].quantity == 6.0
    again = rows(tomorrow, tables.ORDERS, 1)
    assert again["slow"].status == "rejected", "a file of today leaves the decisions of yesterday"
    assert again["fast"].status == "suggested"


def test_a_forecast_that_ends_too_soon_is_refused_with_the_vendors_that_it_fails(
    make_runner: Callable[..., Runner],
) -> None:
    wanted = r"reaches 28 days ahead; wanted 33 or more: .* of 1 vendors \(v1\)"
    with pytest.raises(NotEnoughHistoryError, match=wanted):
        plan(make_runner(0, "inventory.review_days=28"))


def test_a_day_before_the_first_forecast_has_none(make_runner: Callable[..., Runner]) -> None:
    with pytest.raises(LakeError, match="has no forecast of 2016-11-20 or before"):
        plan(make_runner(-7))


def test_a_chain_that_counts_no_stock_gets_target_levels_alone(
    make_runner: Callable[..., Runner], capsys: pytest.CaptureFixture[str]
) -> None:
    files = "source.files={sales: s.csv, products: p.csv, purchases: b.csv, invoices: i.csv}"
    runner = make_runner(0, files)
    plan(runner)
    assert "target levels only" in capsys.readouterr().err
    row = rows(runner, tables.POLICIES)["fast"]
    assert row.reorder_point > 70
    assert (row.on_hand, row.need, row.stock_out) == (None, None, None)
    assert not runner.lake.exists(tables.ORDERS)


def test_decisions_without_a_file_are_refused_by_its_name(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner()
    with pytest.raises(SourceError, match=r"no file .*decisions.csv"):
        runner.run(collect_decisions.job(runner.config))


def test_sales_that_nobody_has_checked_are_planned_by_nobody(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner()
    runner.lake.remove(INPUT_ALERTS.name)
    with pytest.raises(LakeError, match="has nothing of 2016-11-27; wanted the sales checked by job check_inputs"):
        plan(runner)
