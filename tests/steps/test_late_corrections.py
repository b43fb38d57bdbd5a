"""What is known later leaves what was known then as it was."""

from datetime import date
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from builders import Row, frame, product, sale
from shelfcast import config, schemas, upkeep
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.steps import aggregate

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
THEN, LATER = date(2017, 3, 6), date(2017, 3, 13)
SALE = {"region": "here", "basket_id": "b1", "sold_on": date(2017, 3, 1), "known_from": date(2017, 3, 1)}
FIRST = [sale(2.0, **SALE), sale(3.0, **{**SALE, "basket_id": "b2"})]
# The one was 5 pieces, the other never happened, and a third was forgotten.
CORRECTIONS = [
    sale(5.0, **{**SALE, "known_from": LATER}),
    sale(0.0, **{**SALE, "basket_id": "b2", "known_from": LATER}),
    sale(7.0, **{**SALE, "basket_id": "b3", "known_from": LATER}),
]
DEMAND = (*schemas.DEMAND.values(), schemas.SERIES)


def receive(lake: Lake, run_key: str, *rows: Row) -> None:
    for table, known in ((schemas.SALES, rows), (schemas.PRODUCTS, [product(region="here")])):
        note = {"run_key": run_key, "job": "clean"}
        lake.replace(table, frame(lake.spark, table, *known), {"region": "here"}, note)


def demand_as_of(lake: Lake, day: date) -> dict[str, str]:
    settings = config.load(CONFIG, [f"lake={lake.root}", "region=here"])
    runner = Runner(lake.spark, settings, day)
    assert runner.run(aggregate.job(settings))
    return {table.name: lake.content_hash(table, "here") for table in DEMAND}


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
