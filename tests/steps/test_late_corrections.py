"""What is known later leaves what was known then as it was."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Row, frame, product, sale
from shelfcast import config, demand, schemas, upkeep
from shelfcast.job import Run
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.steps import aggregate, build_features
from shelfcast.steps.build_features import plan_of
from shelfcast.system import InventorySystem

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
THEN, LATER = date(2017, 3, 6), date(2017, 3, 13)
SUNDAY = date(2017, 3, 5)
SALE = {"region": "here", "basket_id": "b1", "sold_on": date(2017, 3, 1), "known_from": date(2017, 3, 1)}
FIRST = [sale(2.0, **SALE), sale(3.0, **{**SALE, "basket_id": "b2"})]
# The one was 5 pieces, the other never happened, and a third was forgotten.
CORRECTIONS = [
    sale(5.0, **{**SALE, "known_from": LATER}),
    sale(0.0, **{**SALE, "basket_id": "b2", "known_from": LATER}),
    sale(7.0, **{**SALE, "basket_id": "b3", "sold_on": SUNDAY, "known_from": LATER}),
]
DEMAND = (*schemas.DEMAND.values(), schemas.SERIES, demand.KNOWN_STORES)


def receive(lake: Lake, run_key: str, *rows: Row) -> None:
    for table, known in ((schemas.SALES, rows), (schemas.PRODUCTS, [product(region="here")])):
        note = {"run_key": run_key, "job": "clean"}
        lake.replace(table, frame(lake.spark, table, *known), {"region": "here"}, note)


def demand_as_of(lake: Lake, day: date) -> dict[str, str]:
    settings = config.load(CONFIG, [f"lake={lake.root}", "region=here"])
    runner = Runner(lake.spark, settings, day)
    assert runner.run(aggregate.job(settings))
    return {table.name: lake.content_hash(table, "here") for table in DEMAND}


def forecast_of(lake: Lake, region: str, day: date) -> list[tuple[str, ...]]:
    """The rows of a day's forecast; floats to 9 significant digits."""
    rows = lake.read(schemas.FORECASTS, region).where(F.col("forecast_date") == F.lit(day)).drop("run_id")
    return sorted(
        tuple(f"{each:.9g}" if isinstance(each, float) else str(each) for each in row) for row in rows.collect()
    )


def test_a_late_correction_changes_no_older_as_of_date_after_a_vacuum(spark: SparkSession, lake_root: Path) -> None:
    lake = Lake(spark, str(lake_root))
    receive(lake, "first", *FIRST)
    before = demand_as_of(lake, THEN)
    receive(lake, "second", *FIRST, *CORRECTIONS)
    corrected = demand_as_of(lake, LATER)
    upkeep.vacuum(lake, schemas.SALES.name, hours=0)
    with pytest.raises(Py4JJavaError, match="FILE_NOT_EXIST"):
        lake.read(schemas.SALES, "here", version=0).collect()
    weekly = lake.read(schemas.DEMAND["weekly"], "here").where("level = 'product'").collect()
    assert [row.quantity for row in weekly] == [12.0]
    assert all(corrected[name] != before[name] for name in before)
    assert demand_as_of(lake, THEN) == before


def test_a_plan_ends_with_the_last_whole_week_of_which_sales_were_known_by_then(
    spark: SparkSession, lake_root: Path
) -> None:
    lake = Lake(spark, str(lake_root))
    receive(lake, "first", *FIRST, *CORRECTIONS, sale(1.0, **{**SALE, "basket_id": "b0", "sold_on": date(2015, 1, 5)}))
    early = "cleaning.outliers.learn_until=2016-03-06"
    settings = config.load(CONFIG, [f"lake={lake.root}", "region=here", early])
    last = {}
    for day in (THEN, LATER):
        demand_as_of(lake, day)
        last[day] = plan_of(Run(build_features.job(settings), spark, settings, lake, day)).weeks[-1]
    assert last == {THEN: date(2017, 2, 20), LATER: date(2017, 2, 27)}


@pytest.mark.slow
def test_the_forecast_of_an_older_day_is_made_again_as_it_was_after_late_sales_and_a_vacuum(
    ran: Runner, make_runner: Callable[..., Runner], tmp_path: Path
) -> None:
    root, day = tmp_path / "lake", ran.as_of
    shutil.copytree(ran.lake.root, root)
    then, later = (make_runner(root, as_of=each) for each in (day, day + timedelta(days=7)))
    lake, region = then.lake, then.config.region
    before = forecast_of(lake, region, day)
    sold = lake.read(schemas.SALES, region)
    late = sold.where(F.col("sold_on") > F.lit(day - timedelta(days=28))).withColumns(
        {"basket_id": F.concat(F.lit("late "), "basket_id"), "known_from": F.lit(day + timedelta(days=3))}
    )
    note = lake.last_commit(schemas.SALES, {"region": region}).note
    lake.replace(schemas.SALES, sold.unionByName(late).localCheckpoint(), {"region": region}, note)
    InventorySystem(later).run()
    assert forecast_of(lake, region, later.as_of) != before
    nothing, of_day = (
        then.spark.createDataFrame([], schemas.FORECASTS.schema),
        {"region": region, "forecast_date": str(day)},
    )
    lake.replace(schemas.FORECASTS, nothing, of_day, {"run_key": "of nobody", "job": "forecast"})
    for name in upkeep.table_names(lake):
        upkeep.vacuum(lake, name, hours=0)
    InventorySystem(then).run()
    assert forecast_of(lake, region, day) == before
