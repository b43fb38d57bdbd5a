from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import config
from shelfcast.errors import LakeError, TransientError
from shelfcast.job import Job, Run, Runner
from shelfcast.lease import Lease
from shelfcast.schemas import Table

CONFIG = Path(__file__).parents[1] / "conf" / "complete_journey.yaml"
REGION = "complete_journey"
PRICES = Table("clean/prices", "region string, product_id string, price double", key=("region", "product_id"))

PUBLISHED = Table("monitoring/published", "region string, run_id string", key=("region", "run_id"))


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


def publish(run: Run) -> None:
    run.append_once(PUBLISHED, run.spark.createDataFrame([(run.config.region, run.key)], PUBLISHED.schema))


def test_going_back_to_an_earlier_state_publishes_it_anew(make_runner: Callable[..., Runner]) -> None:
    """A, B, A, A: the last has nothing to do."""
    ran = []
    for horizon in (4, 5, 4, 4):
        runner = make_runner(f"backtest.horizon={horizon}")
        ran.append(runner.run(Job("publish", (), (PUBLISHED,), ("backtest",), publish, dated=False)))
    assert ran == [True, True, True, False]
    published = [row.run_id for row in runner.lake.read(PUBLISHED, REGION).collect()]
    assert (len(published), len(set(published))) == (3, 2)


def test_an_optional_input_counts_once_it_is_there(make_runner: Callable[..., Runner]) -> None:
    runner, seen = make_runner(), []

    def look(run: Run) -> None:
        found = run.find(PRICES)
        seen.append(None if found is None else found.count())
        publish(run)

    report = job("report", (), (PUBLISHED,), run=look, optional=(PRICES,))
    ran = [runner.run(report), runner.run(report), runner.run(job("price", (), (PRICES,))), runner.run(report)]
    assert (ran, seen) == ([True, False, True, True], [None, 1])


def test_an_input_that_is_not_declared_is_refused(make_runner: Callable[..., Runner]) -> None:
    with pytest.raises(LakeError, match="job report: reads clean/prices, which it does not declare"):
        make_runner().run(job("report", (), (PUBLISHED,), run=lambda run: run.find(PRICES)))
