from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import config
from shelfcast.errors import TransientError
from shelfcast.job import Job, Run, Runner
from shelfcast.lease import Lease
from shelfcast.schemas import Table

CONFIG = Path(__file__).parents[1] / "conf" / "complete_journey.yaml"
REGION = "complete_journey"
PRICES = Table("clean/prices", "region string, product_id string, price double", key=("region", "product_id"))


@pytest.fixture
def make_runner(spark: SparkSession, lake_root: Path) -> Callable[..., Runner]:
    return lambda *changes: Runner(spark, config.load(CONFIG, [f"lake={lake_root}", *changes]))


def put(*tables: Table) -> Callable[[Run], None]:
    """Writes a row into each table."""

    def work(run: Run) -> None:
        for table in tables:
            run.write(table, run.spark.createDataFrame([(run.config.region, "a", 1.0)], table.schema))

    return work


def job(name: str, reads: tuple[Table, ...], writes: tuple[Table, ...], **named: object) -> Job:
    return Job(name, reads, writes, (), named.pop("run", put(*writes)), dated=False, **named)


def test_a_region_that_another_run_holds_is_left_alone(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner()
    with Lease(runner.lake, REGION), pytest.raises(TransientError, match=f"region {REGION}: process"):
        runner.run(job("price", (), (PRICES,)))
    assert not runner.lake.exists(PRICES)
    assert runner.run(job("price", (), (PRICES,)))
