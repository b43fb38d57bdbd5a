"""A day's sales file that is missing, doubled or ten times too large, on its way to the orders."""

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import frame
from liquor import FILES, sale, text_of, write_files
from shelfcast import config, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.errors import HeldError
from shelfcast.inventory import tables
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, check_inputs, clean, ingest, plan_inventory

CONFIG = Path(__file__).parents[2] / "conf" / "bibitor.yaml"
# A Monday to Sunday chain of three stores that sell fifteen products or so a day; the day before, and the day.
MONDAY, YESTERDAY = date(2016, 1, 4), date(2016, 3, 14)
TODAY = YESTERDAY + timedelta(days=1)
STORES, PRODUCTS = ("1", "2", "7"), 24
Rows = dict[tuple[date, str], list[tuple[str, int]]]


def sold() -> Rows:
    """What each store sold on each day until TODAY: (product, quantity)."""
    draw, rows = random.Random(27), Rows()
    for n in range((TODAY - MONDAY).days + 1):
        for store in STORES:
            chosen = draw.sample(range(PRODUCTS), draw.randint(14, 18))
            rows[MONDAY + timedelta(days=n), store] = [(f"{200 + each}", draw.randint(1, 4)) for each in chosen]
    return rows


def written(rows: Rows) -> str:
    lines: Iterator[str] = (
        sale(str(quantity), f"{day.month}/{day.day}/{day.year}", store, product, f"{quantity * 7.5:.2f}", "7.5")
        for (day, store), sales in rows.items()
        for product, quantity in sales
    )
    return text_of(*lines)


def until(rows: Rows, day: date) -> Rows:
    return {key: sales for key, sales in rows.items() if key[0] <= day}


def changed(*stores: str, change: Callable[[list[tuple[str, int]]], list[tuple[str, int]]]) -> Rows:
    """The sales of all days; those of TODAY changed in these stores."""
    return {key: change(sales) if key[0] == TODAY and key[1] in stores else sales for key, sales in sold().items()}


@pytest.fixture(scope="module")
def make_runner(spark: SparkSession) -> Callable[..., Runner]:
    def make(folder: Path, lake: Path, day: date, *changes: str) -> Runner:
        files = ", ".join(f"{name}: {FILES[name]}" for name in ("sales", "products", "closing_stock"))
        settings = [f"source.path={folder}", f"source.files={{{files}}}", f"lake={lake}",
                    "runtime.buckets=2", "inventory.samples=100"]  # fmt: skip
        return Runner(spark, config.load(CONFIG, [*settings, *changes]), day)

    return make


FLOW = (ingest, clean, check_inputs, aggregate, plan_inventory)


def deliver(runner: Runner, rows: Rows) -> None:
    """The file of today lies there, and all is run on it."""
    Path(runner.config.source.path or "", FILES["sales"]).write_text(written(rows), encoding="utf-8")
    for step in FLOW:
        runner.run(step.job(runner.config))


@pytest.fixture(scope="module")
def forecast(make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files but for the sales, and a lake with the forecasts of yesterday."""
    root = tmp_path_factory.mktemp("forecast")
    counts = [f"{store}_OLDTOWN_{200 + n},{store},OLDTOWN,{200 + n},Sake,750mL,4,7.5,{MONDAY:%d-%m-%Y}"
              for store in STORES for n in range(PRODUCTS)]  # fmt: skip
    header = "InventoryId,Store,City,Brand,Description,Size,onHand,Price,endDate"
    write_files(root / "files", closing_stock=text_of(*counts, header=header))
    runner = make_runner(root / "files", root / "lake", YESTERDAY)
    note = {"run_key": "given", "job": "forecast"}
    champion = {"region": "bibitor", "panel": "product", "purpose": "mean", "model": "tsb", "as_of": YESTERDAY}
    given = {schemas.FORECASTS.name: forecasts(), schemas.BACKTESTS.name: [], CHAMPIONS.name: [champion]}
    for table in (schemas.FORECASTS, schemas.BACKTESTS, CHAMPIONS):
        runner.lake.replace(table, frame(runner.spark, table, *given[table.name]), {"region": "bibitor"}, note)
    return root


@pytest.fixture(scope="module")
def planned(forecast: Path, make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the plan of yesterday, whose sales were sound."""
    root = shutil.copytree(forecast, tmp_path_factory.mktemp("planned") / "all")
    deliver(make_runner(root / "files", root / "lake", YESTERDAY), until(sold(), YESTERDAY))
    return root


def forecasts() -> list[dict[str, Any]]:
    """Of yesterday, for six weeks: twelve units a week of each product and store."""
    row = {"region": "bibitor", "forecast_date": YESTERDAY, "category_id": "(not in catalogue)"}
    series = [("product", store, f"{200 + n}", 12.0) for store in STORES for n in range(PRODUCTS)]
    series += [("store", store, "(all)", 12.0 * PRODUCTS) for store in STORES]
    return [
        {**row, "level": level, "store_id": store, "item_id": item, "step": step,
         "week": MONDAY + timedelta(weeks=9 + step),
         "mean": mean, "p10": 0.5 * mean, "p50": mean, "p90": 1.5 * mean, "p98": 2 * mean}
        for level, store, item, mean in series for step in range(1, 7)
    ]  # fmt: skip


@pytest.fixture
def tomorrow(make_runner: Callable[..., Runner], planned: Path, tmp_path: Path) -> Callable[..., Runner]:
    """A runner as of TODAY on the test's own copy of the lake."""
    shutil.copytree(planned / "lake", tmp_path / "lake")
    return partial(make_runner, planned / "files", tmp_path / "lake", TODAY)


def ordered(runner: Runner, day: date) -> set[str]:
    """The stores that something is ordered for in the plan of a day."""
    orders = runner.lake.read(tables.ORDERS, "bibitor").where(F.col("forecast_date") == F.lit(day))
    return {row.store_id for row in orders.select("store_id").distinct().collect()}


def reasons(runner: Runner, severity: str) -> list[str]:
    alerts = runner.lake.read(INPUT_ALERTS, "bibitor").where(F.col("forecast_date") == F.lit(TODAY))
    return sorted(row.reason for row in alerts.where(F.col("severity") == severity).collect())


BAD = {
    "missing": (until(sold(), YESTERDAY), "no store's sales have come; the newest day is 2016-03-14"),
    "doubled": (changed(*STORES, change=lambda sales: 2 * sales), "rows is there twice"),
    "tenfold": (
        changed(*STORES, change=lambda sales: [(product, 10 * quantity) for product, quantity in sales]),
        "times its usual Tuesday",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "said"), BAD.values(), ids=BAD)
def test_a_bad_day_is_named_and_no_order_rests_on_it(tomorrow: Callable[..., Runner], rows: Rows, said: str) -> None:
    runner = tomorrow()
    before = ordered(runner, YESTERDAY)
    with pytest.raises(HeldError, match=rf"no plan: .* such as 2016-03-15.*{said}.*; wanted them delivered anew"):
        deliver(runner, rows)
    assert said in reasons(runner, "critical")[0]
    daily = runner.lake.read(schemas.DEMAND["daily"], "bibitor")
    assert daily.where(F.col("day") == F.lit(TODAY)).isEmpty(), "nothing learns from the day"
    assert ordered(runner, TODAY) == set()
    assert ordered(runner, YESTERDAY) == before == {*STORES}


def with_one_bad_store() -> Rows:
    return changed("7", change=lambda sales: [(product, 10 * quantity) for product, quantity in sales])


def test_one_bad_store_is_held_and_the_others_are_planned(
    forecast: Path, make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    shutil.copytree(forecast, tmp_path, dirs_exist_ok=True)
    runner = make_runner(tmp_path / "files", tmp_path / "lake", TODAY)
    deliver(runner, with_one_bad_store())
    (reason,) = reasons(runner, "critical")
    assert reason.startswith("2016-03-15, store 7: ")
    assert ordered(runner, TODAY) == {"1", "2"}


@pytest.mark.slow
def test_a_store_is_held_until_somebody_accepts_its_day(tomorrow: Callable[..., Runner]) -> None:
    runner = tomorrow()
    deliver(runner, with_one_bad_store())
    assert ordered(runner, TODAY) == {"1", "2"}
    accepted = tomorrow('monitoring.accepted=[{day: 2016-03-15, store: "7"}]')
    deliver(accepted, with_one_bad_store())
    assert reasons(accepted, "critical") == []
    assert reasons(accepted, "info")[-1].endswith("(accepted)")
    assert ordered(accepted, TODAY) == {*STORES}
