"""Days made in turn: of jobs that do next to nothing, and in the slow tests of the real ones."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast import config, publications, schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.errors import ConfigError, LakeError, NotEnoughHistoryError, TransientError
from shelfcast.job import Job, Run
from shelfcast.publications import published_days
from shelfcast.runner import Runner
from shelfcast.steps import backfill, collect_decisions, daily, plan_inventory, retrain
from shelfcast.system import PIPELINE
from shelfcast.table import Table

ROOT = Path(__file__).parents[2]
REGION = "complete_journey"
FORECASTS = Table(
    "forecasts/made",
    "region string, forecast_date date, number int",
    key=("region", "forecast_date"),
    partitions=("region", "forecast_date"),
)


def day(number: int) -> date:
    return date(2017, 8, number)


class Chain:
    """A region whose day is one job that writes the day's number, and one that publishes it."""

    def __init__(self, spark: SparkSession, lake: Path) -> None:
        self.spark, self.lake = spark, lake
        self.ran: list[int] = []
        self.fails: dict[int, Exception] = {}

    def runner(self, number: int, *changes: str) -> Runner:
        settings = config.load(ROOT / "conf" / f"{REGION}.yaml", [f"lake={self.lake}", *changes])
        return Runner(self.spark, settings, day(number))

    def steps(self, _: object) -> tuple[SimpleNamespace, ...]:
        forecast = Job("forecast", (), (FORECASTS,), (), self._forecast)
        report = Job("report", (FORECASTS,), (schemas.PUBLICATIONS,), (), self._publish)
        return tuple(SimpleNamespace(job=lambda _, job=job: job) for job in (forecast, report))

    def _forecast(self, run: Run) -> None:
        number = run.known_on.day
        if number in self.fails:
            raise self.fails[number]
        self.ran.append(number)
        run.write(FORECASTS, run.spark.createDataFrame([(REGION, run.known_on, number)], FORECASTS.schema))

    def _publish(self, run: Run) -> None:
        rows = run.spark.range(1).select(
            F.lit(REGION).alias("region"),
            F.lit(run.known_on).alias("forecast_date"),
            F.lit(run.key).alias("run_id"),
            F.current_timestamp().cast("timestamp").alias("published_at"),
            F.from_json(F.lit(f'{{"{FORECASTS.name}": {run.reads[FORECASTS.name]}}}'), "map<string,bigint>").alias(
                "tables"
            ),
        )
        run.append_once(schemas.PUBLICATIONS, rows)

    @property
    def published(self) -> list[int]:
        lake = self.runner(1).lake
        assert publications.newest(lake, REGION) is not None
        return sorted(each.day for each in published_days(lake, REGION))


@pytest.fixture
def days(spark: SparkSession, lake_root: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    made = Chain(spark, lake_root)
    monkeypatch.setattr(daily, "day_steps", made.steps)
    monkeypatch.setattr(daily, "with_models", lambda runner, at: runner.on(at))
    monkeypatch.setattr(daily, "receive", lambda _: None)
    monkeypatch.setattr(backfill, "receive", lambda _: None)
    return made


def fill(days: Chain, first: int, last: int, reprocess: str = "none", *, dry_run: bool = False) -> list[int]:
    """The days that the backfill made."""
    flags = SimpleNamespace(first=day(first), last=day(last), reprocess=reprocess, dry_run=dry_run)
    days.ran.clear()
    backfill.backfill(days.runner(1), flags)  # type: ignore[arg-type]
    return [*days.ran]


def test_days_are_made_once_those_missed_too_and_what_failed_is_made_by_a_backfill(
    days: Chain, capsys: pytest.CaptureFixture
) -> None:
    daily.daily(days.runner(1))
    days.fails[2] = NotEnoughHistoryError("2 weeks known, wanted 9")
    with pytest.raises(LakeError, match="1 of 2 days could not be made, the first of them 2017-08-02: 2 weeks known"):
        daily.daily(days.runner(3))
    assert (days.ran, days.published) == ([1, 3], [1, 3])
    days.fails.clear()
    daily.daily(days.runner(3))
    assert days.ran == [1, 3], "an old failure is left to a backfill, and what is published is not made again"
    capsys.readouterr()
    assert fill(days, 1, 4, "failed", dry_run=True) == []
    told = [line.split("│")[1:5] for line in capsys.readouterr().out.splitlines() if line.startswith("│ 2017")]
    assert [[part.strip() for part in row] for row in told] == [
        ["2017-08-01", "published", "skip", "is published"],
        ["2017-08-02", "failed", "run", "2 weeks known, wanted 9"],
        ["2017-08-03", "published", "skip", "is published"],
        ["2017-08-04", "missing", "run", "was never made"],
    ]
    assert fill(days, 1, 3) == []
    assert fill(days, 1, 3, "failed") == [2]
    assert days.published == [1, 2, 3]
    assert publications.newest(days.runner(1).lake, REGION).forecast_date == day(3)


def test_the_daily_run_says_which_days_it_has_made_those_missed_too(days: Chain) -> None:
    assert daily.daily(days.runner(1)) == [day(1)]
    assert daily.daily(days.runner(3)) == [day(2), day(3)]


def test_a_day_that_spark_fails_is_told_and_the_next_is_made(days: Chain) -> None:
    daily.daily(days.runner(1))
    days.fails[2] = PySparkException("Job aborted\nCaused by: java.lang.ArithmeticException: / by zero\n\tat x.y")
    with pytest.raises(LakeError, match=r"2017-08-02: java\.lang\.ArithmeticException: / by zero; all"):
        daily.daily(days.runner(3))
    assert days.published == [1, 3]
    assert [*publications.failures(days.runner(3).lake, REGION)] == [day(2)]


def test_a_training_that_dies_leaves_what_is_published_and_the_day_is_made_once_it_goes_on(
    days: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily.daily(days.runner(1))

    def die(*_: object) -> Runner:
        raise TransientError("training: process 1 of 2 ended with exit code -9; wanted 0")

    with monkeypatch.context() as dying:
        dying.setattr(daily, "with_models", die)
        with pytest.raises(TransientError, match="process 1 of 2"):
            daily.daily(days.runner(2))
    lake = days.runner(2).lake
    served = publications.newest(lake, REGION)
    assert (served.forecast_date, served.age(day(2))) == (day(1), 1)
    assert [row.number for row in served.read(lake, FORECASTS).collect()] == [1]
    daily.daily(days.runner(2))
    assert days.published == [1, 2]


@pytest.mark.parametrize(
    ("published", "limit", "expected"),
    [
        pytest.param([], 7, [9], id="the-first-day"),
        pytest.param([8], 7, [9], id="nothing-was-missed"),
        pytest.param([1, 5], 7, [6, 7, 8, 9], id="since-the-last-publication"),
        pytest.param([5], 2, [7, 8, 9], id="no-more-than-allowed"),
        pytest.param([5], 0, [9], id="none-allowed"),
        pytest.param([5, 9], 7, [9], id="the-day-is-published"),
        pytest.param([5, 12], 7, [6, 7, 8, 9], id="what-is-published-of-later-days-does-not-count"),
    ],
)
def test_the_days_missed_are_those_since_the_last_publication(
    published: list[int], limit: int, expected: list[int], capsys: pytest.CaptureFixture
) -> None:
    settings = config.load(ROOT / "conf" / f"{REGION}.yaml", [f"daily.catch_up_days={limit}"])
    assert daily.missed_days([day(each) for each in published], day(9), settings) == [day(each) for each in expected]
    left = {2: "1 days from 2017-08-06 on were missed; wanted a backfill"}.get(limit, "")
    assert left in capsys.readouterr().err


def test_a_transient_failure_ends_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail(_: Runner, at: date) -> None:
        tried.append(at)
        raise TransientError("region held")

    monkeypatch.setattr(daily, "_make_day", fail)
    with pytest.raises(TransientError, match="region held"):
        daily.make_days(None, [day(1), day(2)])  # type: ignore[arg-type]
    assert tried == [day(1)]


def test_a_backfill_from_a_day_to_one_before_it_is_wrong() -> None:
    flags = SimpleNamespace(first=day(3), last=day(1), reprocess="none", dry_run=True)
    with pytest.raises(ConfigError, match="found --from 2017-08-03 after --to 2017-08-01"):
        backfill.backfill(None, flags)  # type: ignore[arg-type]


def test_a_backfill_to_a_day_that_is_yet_to_come_is_wrong() -> None:
    last = date.today() + timedelta(days=3)
    flags = SimpleNamespace(first=day(1), last=last, reprocess="none", dry_run=True)
    runner = SimpleNamespace(config=SimpleNamespace(source=SimpleNamespace(now=datetime.now(UTC))))
    with pytest.raises(ConfigError, match=f"backfill: --to: found {last}, which is yet to come"):
        backfill.backfill(runner, flags)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reprocess", "expected"),
    [
        ("none", "-r--"),
        ("failed", "-rr-"),
        ("all", "rrrr"),
    ],
)
def test_a_backfill_makes_the_days_that_its_choice_names(reprocess: str, expected: str) -> None:
    days = [day(number) for number in (1, 2, 3, 4)]
    planned = backfill.plan(days, {day(1), day(4)}, {day(3): "no file", day(4): "once"}, reprocess, [day(1)], 2)
    assert "".join("r" if each.runs else "-" for each in planned) == expected
    assert [each.reason for each in planned] == ["is published", "was never made", "no file", "is published"]


def test_a_backfill_tells_as_of_which_day_each_would_be_trained() -> None:
    days = [day(number) for number in range(1, 7)]
    planned = backfill.plan(days, [], {}, "none", [day(5)], 2)
    assert [each.trained_on.day for each in planned] == [1, 1, 3, 3, 5, 5]


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        pytest.param("tiny", [], {plan_inventory, collect_decisions}, id="of-stock-and-purchases"),
        pytest.param("tiny", ["inventory.decisions=null"], {plan_inventory}, id="that-nobody-decides-on"),
        pytest.param("complete_journey", [], set(), id="of-sales-alone"),
    ],
)
def test_plans_and_decisions_are_of_a_source_that_has_them(name: str, changes: list[str], expected: set) -> None:
    steps = daily.day_steps(config.load(ROOT / "conf" / f"{name}.yaml", changes))
    assert {plan_inventory, collect_decisions} & {*steps} == expected
    assert steps[-1].__name__ == "shelfcast.steps.report"


@pytest.mark.usefixtures("spark")
def test_a_day_and_its_training_are_all_that_the_pipeline_runs() -> None:
    settings = config.load(ROOT / "conf" / f"{REGION}.yaml")
    steps = (*retrain.RECEIVED, *retrain.trainers(settings), *daily.day_steps(settings))
    assert {*PIPELINE} <= {*steps}


Copy = Callable[..., Runner]


def test_after_the_pipeline_neither_the_daily_run_nor_a_retraining_has_anything_to_do(
    ran: Runner, capsys: pytest.CaptureFixture
) -> None:
    before = ran.lake.read(schemas.JOB_RUNS, REGION).count()
    daily.daily(ran)
    retrain.retrain(ran)
    assert ran.lake.read(schemas.JOB_RUNS, REGION).count() == before
    assert f"not due; models are of {ran.as_of}" in capsys.readouterr().err


def test_a_week_later_models_are_due_and_days_between_keep_the_last_ones(ran: Runner) -> None:
    newest = ran.as_of
    due = {days: retrain.training_due(ran, newest + timedelta(days=days)) for days in (0, 6, 7)}
    assert {days: training.day for days, training in due.items()} == {
        0: newest,
        6: newest,
        7: newest + timedelta(days=7),
    }
    assert due[7].reason == f"7 days since {newest}"


QUICK = (
    "backtest.category_models=[zero, naive, moving_average, linear]",
    "backtest.product_models=[zero, naive, moving_average]",
)
RESULTS = (schemas.FORECASTS, schemas.CALIBRATION, schemas.ACCURACY, schemas.SERIES_COUNTS, CHAMPIONS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last"),
    [
        # A Saturday, with the Sunday that makes a week whole, on models of the Saturday.
        pytest.param(date(2017, 8, 19), date(2017, 8, 21), id="three-days"),
        pytest.param(date(2017, 7, 28), date(2017, 8, 26), id="thirty-days"),
    ],
)
def test_a_backfill_of_real_days_equals_as_many_daily_runs(
    make_runner: Copy, tmp_path: Path, first: date, last: date
) -> None:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for each in days:
        daily.daily(make_runner(tmp_path / "daily", *QUICK, as_of=each))
    filled = make_runner(tmp_path / "filled", *QUICK)
    backfill.backfill(filled, SimpleNamespace(first=first, last=last, reprocess="none", dry_run=False))  # type: ignore[arg-type]
    ran_daily = make_runner(tmp_path / "daily", *QUICK)
    assert published_days(filled.lake, REGION) == {*days}
    for table in RESULTS:
        assert filled.lake.content_hash(table, REGION) == ran_daily.lake.content_hash(table, REGION), table.name
    assert retrain.trained_days(filled) == days[::7]
