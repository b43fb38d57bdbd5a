"""Plans of a small shop, day after day, with what people decide on them."""

import csv
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import frame, sale
from shelfcast import config, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.cleaning import supply
from shelfcast.errors import LakeError, NotEnoughHistoryError, SourceError
from shelfcast.inventory import decisions, tables
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.steps import collect_decisions, plan_inventory
from shelfcast.table import Table

ROOT = Path(__file__).parents[2]
SUNDAY = date(2016, 11, 27)
Row = dict[str, Any]


def day(number: int) -> date:
    return SUNDAY + timedelta(days=number)


def forecasts(product: str, weekly: float, **changes: Any) -> list[Row]:
    row = {"region": "tiny", "forecast_date": SUNDAY, "level": "product", "store_id": "1", "item_id": product}
    row |= {"category_id": "2", "mean": weekly, "p10": 0.4 * weekly, "p50": weekly, "p90": 1.6 * weekly, **changes}
    return [{**row, "p98": 2.0 * weekly, "step": step, "week": day(7 * step - 6)} for step in range(1, 5)]


def demands(period: str, product: str, units: float, *days: int) -> list[Row]:
    row = {"region": "tiny", "level": "product", "store_id": "1", "item_id": product, "category_id": "2"}
    return [{**row, period: day(number), "quantity": units, "revenue": 10 * units} for number in days]


def purchases(product: str) -> list[Row]:
    """Orders every week that took five days, in boxes of six."""
    row = {"region": "tiny", "vendor_id": "v1", "store_id": "1", "product_id": product, "purchase_price": 5.0}
    starts = range(-100, -8, 7)
    return [{**row, "po_number": f"{n}", "ordered_on": day(n), "received_on": day(n + 5), "known_from": day(n),
             "quantity": 6.0 * (1 + (n % 2))} for n in starts]  # fmt: skip


PRODUCTS = {"fast": 70.0, "slow": 7.0, "full": 14.0}
MONDAYS, DAYS = range(-83, 0, 7), range(-83, 1)
DAILY = [row for name, weekly in PRODUCTS.items() for row in demands("day", name, weekly / 7, *DAYS)]
WEEKLY = [row for name, weekly in PRODUCTS.items() for row in demands("week", name, weekly, *MONDAYS)]
COUNT = {"region": "tiny", "store_id": "1", "counted_on": day(-2), "moment": "closing", "known_from": day(-2)}
FORECASTS = [row for name, weekly in PRODUCTS.items() for row in forecasts(name, weekly)]
FORECASTS += [*forecasts("(not listed yet)", 3.0, level="unlisted"), *forecasts("2", 91.0, level="category")]
LAKE: list[tuple[Table, list[Row]]] = [
    (schemas.FORECASTS, FORECASTS),
    (schemas.DEMAND["daily"], DAILY),
    (schemas.DEMAND["weekly"], WEEKLY),
    (schemas.SALES, [sale(2.0, region="tiny", store_id="1", product_id="fast", sold_on=day(n)) for n in (-1, 1)]),
    (schemas.BACKTESTS, []),
    (CHAMPIONS, [{"region": "tiny", "panel": "product", "purpose": "mean", "model": "tsb", "as_of": SUNDAY}]),
    (supply.PURCHASES, [row for name in PRODUCTS for row in purchases(name)]),
    (
        supply.INVOICES,
        [{"region": "tiny", "vendor_id": "v1", "dollars": 100.0, "freight": 1.0, "known_from": day(-30)}],
    ),
    (supply.PRICES, []),
    (
        supply.STOCK,
        [{**COUNT, "product_id": name, "on_hand": units} for name, units in (("fast", 30.0), ("full", 900.0))],
    ),
]


@pytest.fixture(scope="module")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the tables of LAKE."""
    root = tmp_path_factory.mktemp("written")
    for table, rows in LAKE:
        note = {"run_key": "given", "job": table.name}
        Lake(spark, str(root)).replace(table, frame(spark, table, *rows), {"region": "tiny"}, note)
    return root


@pytest.fixture
def make_runner(spark: SparkSession, written: Path, lake_root: Path, tmp_path: Path) -> Callable[..., Runner]:
    """A runner on the test's own copy of the lake, as of the Sunday or `days` later."""
    shutil.copytree(written, lake_root, dirs_exist_ok=True)

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
