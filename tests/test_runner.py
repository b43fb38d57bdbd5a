import importlib
import pkgutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from shelfcast import config, schemas, steps, storage, writers
from shelfcast.errors import ConfigError, LakeError, SourceError, TransientError
from shelfcast.job import Job, Run
from shelfcast.lease import Lease
from shelfcast.runner import Runner
from shelfcast.table import Table

CONFIG = Path(__file__).parents[1] / "conf" / "complete_journey.yaml"
REGION = "complete_journey"
PRICES = Table("clean/prices", "region string, product_id string, price double", key=("region", "product_id"))

COSTS, SIZES = (replace(PRICES, name=f"clean/{name}") for name in ("costs", "sizes"))
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


def test_an_as_of_date_that_is_yet_to_come_is_refused(make_runner: Callable[..., Runner]) -> None:
    day = date.today() + timedelta(days=3)
    with pytest.raises(ConfigError, match=f"as-of date: found {day}, which is yet to come; wanted .* or before"):
        make_runner(f"as_of={day}")


def test_what_was_made_for_another_day_is_not_read(make_runner: Callable[..., Runner]) -> None:
    series = replace(PRICES, name="demand/series")
    before, plan = (Job(name, reads, (table,), (), put(table)) for name, reads, table in
                    (("aggregate", (), series), ("plan", (series,), COSTS)))  # fmt: skip
    make_runner("as_of=2017-08-02").run(before)
    assert make_runner("as_of=2017-08-02").run(plan)
    told = "job plan: table demand/series is that of 2017-08-02; wanted that of 2017-08-01, made by the jobs before it"
    with pytest.raises(LakeError, match=told):
        make_runner("as_of=2017-08-01").run(plan)


def test_what_a_job_can_do_without_is_left_out_where_it_was_made_for_another_day(
    make_runner: Callable[..., Runner], capsys: pytest.CaptureFixture[str]
) -> None:
    series, found = replace(PRICES, name="demand/series"), []

    def look(run: Run) -> None:
        found.append(run.find(series) is not None)
        put(COSTS)(run)

    make_runner("as_of=2017-08-02").run(Job("aggregate", (), (series,), (), put(series)))
    for day in ("2017-08-02", "2017-08-01"):
        make_runner(f"as_of={day}").run(Job("look", (), (COSTS,), (), look, optional=(series,)))
    assert found == [True, False]
    assert "look: table demand/series is that of 2017-08-02, and is left out" in capsys.readouterr().err


def test_a_missing_input_is_named_with_its_lake_its_job_and_the_regions_there(
    make_runner: Callable[..., Runner], lake_root: Path
) -> None:
    reads = job("report", (schemas.SALES, PRICES), (PUBLISHED,))
    named = f"job report: table clean/sales of lake {lake_root} has no rows of region"
    with pytest.raises(LakeError, match=rf"^{named} {REGION}; wanted it written by job clean$"):
        make_runner().run(reads)
    make_runner().run(job("price", (), (PRICES,)))
    with pytest.raises(LakeError, match=rf"^{named} mars, but of {REGION}; wanted it written by job clean$"):
        make_runner("region=mars").run(reads)


def test_every_table_that_a_job_needs_has_the_job_that_writes_it(spark: SparkSession) -> None:
    settings = config.load(CONFIG.with_name("tiny.yaml"))
    jobs = [
        module.job(settings)
        for found in pkgutil.iter_modules(steps.__path__)
        if hasattr(module := importlib.import_module(f"shelfcast.steps.{found.name}"), "job")
        and found.name != "write_back"
    ]
    assert spark.version  # source tables have Spark's types
    written = {
        table.name: {each.name for each in jobs if table in each.writes} for each in jobs for table in each.writes
    }
    needed = {table.name for each in jobs for table in each.reads}
    assert {name for name in needed if writers.writer_of(name).removeprefix("job ") not in written[name]} == set()


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


def test_a_run_is_recorded_from_its_start_with_what_it_wrote(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner()

    def slowly(run: Run) -> None:
        put(PRICES)(run)
        time.sleep(1)

    # Collected, a moment is as the clock here shows it.
    before = datetime.now()
    runner.run(job("price", (), (PRICES,), run=slowly))
    recorded = runner.lake.read(schemas.JOB_RUNS, REGION).collect()[0]
    assert before <= recorded.started_at <= before + timedelta(seconds=recorded.seconds)
    version = runner.lake.last_commit(PRICES, {"region": REGION}).version
    assert (recorded.writes, recorded.rows_out) == ({PRICES.name: version}, {PRICES.name: 1})


def test_inputs_of_two_runs_of_one_job_are_refused(make_runner: Callable[..., Runner]) -> None:
    """The first was killed after the first of two tables: its weights are not those of the other's backtests."""
    runner = make_runner()
    scope = {"region": REGION}
    for table, key, name in ((PRICES, "old", "price"), (COSTS, "old", "price"), (PRICES, "new", "price"),
                             (SIZES, "whole", "size")):  # fmt: skip
        row = runner.spark.createDataFrame([(REGION, "a", 1.0)], table.schema)
        runner.lake.replace(table, row, scope, {"run_key": key, "job": name})
    with pytest.raises(LakeError, match=r"clean/prices is of run new of job price, clean/costs of run old"):
        runner.run(job("evaluate", (PRICES, COSTS), (PUBLISHED,), run=publish))
    half = job("report", (), (PUBLISHED,), run=publish, optional=(PRICES, COSTS, SIZES))
    assert runner.run(half)
    assert [*runner.lake.last_commit(PUBLISHED, scope).note["reads"]] == [SIZES.name], "that of another job is whole"


def test_rows_that_no_commit_tells_of_are_not_called_missing(
    make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = make_runner()
    runner.run(job("price", (), (PRICES,)))
    monkeypatch.setattr(runner.lake, "last_commit", lambda *_: None)
    with pytest.raises(LakeError, match=r"table clean/prices has rows of region .*, but its log no longer tells"):
        runner.run(job("publish", (PRICES,), (PUBLISHED,), run=publish))


def test_what_a_killed_run_staged_is_removed_by_the_next(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner()

    def killed(run: Run) -> None:
        run.stage("half", run.spark.range(1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(job("price", (), (PRICES,), run=killed))
    assert len(runner.lake.names(f"_staging/{REGION}/*")) == 1
    runner.run(job("other", (), (COSTS,)))
    assert runner.lake.names(f"_staging/{REGION}*") == []


def test_a_run_that_fails_leaves_no_file_of_the_source_in_the_lake(make_runner: Callable[..., Runner]) -> None:
    runner = make_runner()

    def refused(run: Run) -> None:
        storage.copy(str(CONFIG), runner.lake.path(f"{run.inbox}/{CONFIG.name}"))
        raise SourceError("a column that no one knows")

    with pytest.raises(SourceError):
        runner.run(job("price", (), (PRICES,), run=refused))
    assert runner.lake.names(f"_staging/{REGION}/*/*") == []


def test_what_a_killed_run_has_staged_is_not_made_again(make_runner: Callable[..., Runner]) -> None:
    """And is gone once the run is over: the next one of another key makes its own."""
    runner, seen = make_runner(), []

    def work(run: Run) -> None:
        seen.append(run.stage("rows", run.spark.range(len(seen) + 1)).count())
        if len(seen) == 1:
            raise KeyboardInterrupt
        put(PRICES)(run)

    with pytest.raises(KeyboardInterrupt):
        runner.run(job("price", (), (PRICES,), run=work))
    assert runner.run(job("price", (), (PRICES,), run=work))
    assert runner.run(job("price again", (), (PRICES,), run=work))
    assert seen == [1, 1, 3]
