"""The flow on sources of totals, which have no transactions and no catalogue."""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from shelfcast import config, schemas
from shelfcast.conditions import CONDITIONS
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, build_features, clean, ingest
from shelfcast.system import InventorySystem
from totals import FAMILIES, STORES, WEEKS, write_favorita, write_walmart

CONF = Path(__file__).parents[2] / "conf"
SETTINGS = (
    "backtest.horizon=3",
    "backtest.stride=3",
    "backtest.season=4",
    "backtest.reference.min_units=1",
    "backtest.category_models=[zero, naive, moving_average]",
    "backtest.product_models=[zero, naive, moving_average]",
    "backtest.slow_models=[]",
    "backtest.min_selling_weeks=8",
    "training.min_history=8",
    "training.max_examples={category: 500, product: 500}",
    "cleaning.outliers.learn_until=2013-05-01",
    "runtime.buckets=2",
)


def runner_of(spark: SparkSession, kind: str, folder: Path, *changes: str) -> Runner:
    places = (f"source.path={folder / 'files'}", f"lake={folder / 'lake'}")
    return Runner(spark, config.load(CONF / f"{kind}.yaml", [*places, *changes]))


@pytest.fixture(scope="module")
def favorita(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("favorita")
    write_favorita(folder / "files")
    runner = runner_of(spark, "favorita", folder, *SETTINGS)
    InventorySystem(runner).run()
    return runner


@pytest.mark.slow
def test_every_family_of_every_store_has_its_forecast(favorita: Runner) -> None:
    ahead = favorita.lake.read(schemas.FORECASTS, "favorita").where("level = 'product'")
    assert ahead.count() == 3 * len(STORES) * len(FAMILIES)
    assert favorita.lake.has_file("reports/favorita/index.html")


@pytest.mark.slow
def test_every_row_is_clean_and_what_sold_is_the_catalogue(favorita: Runner) -> None:
    counts = favorita.lake.read(schemas.ROW_COUNTS, "favorita").collect()
    rows = 7 * WEEKS * len(STORES) * len(FAMILIES)
    assert [(row.source_table, row.raw, row.clean) for row in counts] == [("sales", rows, rows)]
    products = favorita.lake.read(schemas.PRODUCTS, "favorita").collect()
    assert sorted((row.product_id, row.category_id) for row in products) == sorted((name, name) for name in FAMILIES)


@pytest.mark.slow
def test_its_holidays_are_those_of_its_country(favorita: Runner) -> None:
    calendar = favorita.lake.read(schemas.CALENDAR, "favorita").where("is_holiday")
    days = {row.day for row in calendar.collect()}
    assert date(2013, 5, 24) in days
    assert date(2013, 7, 4) not in days


@pytest.mark.slow
def test_weeks_of_net_returns_are_no_demand_and_each_other_is_one_of_our_weeks(
    spark: SparkSession, tmp_path: Path
) -> None:
    weeks = ("1,1,2010-02-05,100.5,FALSE", "1,1,2010-02-12,-20.0,TRUE", "1,1,2010-02-19,70.0,FALSE")
    write_walmart(tmp_path / "files", *weeks, "1,1,2010-02-19,70.0,FALSE", "1,99,2010-02-19,,FALSE")
    runner = runner_of(spark, "walmart", tmp_path)
    for step in (ingest, clean, aggregate):
        runner.run(step.job(runner.config))
    weekly = runner.lake.read(schemas.DEMAND["weekly"], "walmart").where("level = 'product'").orderBy("week")
    assert [(row.item_id, row.week, row.quantity) for row in weekly.collect()] == [
        ("1", date(2010, 2, 1), 100.5),
        ("1", date(2010, 2, 15), 70.0),
    ]
    (counts,) = runner.lake.read(schemas.ROW_COUNTS, "walmart").collect()
    assert (counts.raw, counts.clean, counts.quarantined, counts.duplicates) == (5, 3, 1, 1)


FEATURES = [f"source.files.{name}=features.csv*" for name in ("holidays", "weather", "campaigns")]
FIRST_WEEK = date(2010, 2, 8)


def test_what_a_table_tells_that_is_not_read_is_nothing_that_models_read() -> None:
    told = config.load(CONF / "walmart.yaml", FEATURES[1:2])
    assert CONDITIONS in build_features.job(told).reads
    assert [*build_features.told_conditions(told)] == ["temperature", "fuel_price", "consumer_prices", "unemployment"]
    assert CONDITIONS not in build_features.job(config.load(CONF / "walmart.yaml")).reads


@pytest.fixture(scope="module")
def published(spark: SparkSession, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Three departments of two of the published stores, and what is told of the weeks of all."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "files").mkdir()
    weeks = pd.read_csv(data_root / "walmart" / "train.csv.gz", dtype=str)
    weeks = weeks[weeks["Store"].isin(["1", "2"]) & weeks["Dept"].isin(["1", "2", "3"])]
    weeks.to_csv(folder / "files" / "train.csv", index=False)
    shutil.copy(data_root / "walmart" / "features.csv.gz", folder / "files")
    runner = runner_of(spark, "walmart", folder, "runtime.buckets=2", *FEATURES)
    for step in (ingest, clean, aggregate, build_features):
        runner.run(step.job(runner.config))
    return runner


def conditions_of(runner: Runner, store: str, week: date) -> dict[str, float | None]:
    """What the panel of a store tells of a week."""
    rows = runner.lake.read(schemas.PANEL_DEMAND, "walmart").where(f"panel = 'product' and store_id = '{store}'")
    (told, *_) = rows.where("conditions is not null").collect()
    at = (week - FIRST_WEEK).days // 7
    return {name: values[at] for name, values in told.conditions.items()}


@pytest.mark.data
def test_a_week_of_a_published_store_has_in_the_panel_what_its_file_tells(published: Runner) -> None:
    thanksgiving = conditions_of(published, "1", date(2011, 11, 21))
    wanted = {
        "planned_holiday_week": 1.0,
        "recent_temperature": 60.14,
        "recent_fuel_price": 3.236,
        "recent_consumer_prices": 218.4676211,
        "recent_unemployment": 7.866,
        "recent_markdown_1": 410.31,
        "recent_markdown_2": 98.0,
        "recent_markdown_3": 55805.51,
        "recent_markdown_4": 8.0,
        "recent_markdown_5": 554.92,
    }
    # The mean of a week's days, which are alike.
    assert thanksgiving == pytest.approx(wanted)
    before = conditions_of(published, "2", date(2011, 10, 31))
    told = {name: before[name] for name in ("planned_holiday_week", "recent_temperature", "recent_markdown_1")}
    assert told == {
        "planned_holiday_week": 0.0,
        "recent_temperature": pytest.approx(55.53),
        "recent_markdown_1": None,
    }


@pytest.mark.data
def test_of_the_weeks_ahead_the_holidays_alone_are_known(published: Runner) -> None:
    ahead = conditions_of(published, "1", date(2012, 11, 19))
    assert ahead == {**dict.fromkeys(ahead), "planned_holiday_week": 1.0}
