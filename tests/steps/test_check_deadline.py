"""A day that is or is not published when it is due."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from shelfcast import config
from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.errors import ConfigError, LateError, TransientError
from shelfcast.lease import Lease
from shelfcast.monitoring import deadline, delivery
from shelfcast.monitoring.tables import LATE_DAYS
from shelfcast.runner import Runner
from shelfcast.schemas import PUBLICATIONS
from shelfcast.steps.check_deadline import check_deadline

CONFIG = Path(__file__).parents[2] / "conf" / "complete_journey.yaml"
REGION = "complete_journey"
DAY = date(2017, 8, 2)


@pytest.fixture
def make(spark: SparkSession, lake_root: Path, tmp_path: Path) -> Callable[..., Runner]:
    """A lake whose newest publication is of 1 August."""

    def runner(*changes: str) -> Runner:
        told = f"monitoring.alerts_file={tmp_path / 'alerts.jsonl'}"
        return Runner(spark, config.load(CONFIG, [f"lake={lake_root}", told, *changes]))

    publish(runner(), date(2017, 8, 1))
    return runner


def publish(runner: Runner, day: date) -> None:
    row = (REGION, day, f"run of {day}", datetime(2017, 8, 4), {})
    runner.lake.append(PUBLICATIONS, runner.spark.createDataFrame([row], PUBLICATIONS.schema))


class Webhook:
    """One that is away until it is told to be back; the days of the alerts that it took."""

    def __init__(self) -> None:
        self.is_away, self.took = True, list[str]()

    def post(self, _: str, __: str, alerts: list[Any], *___: object) -> None:
        if self.is_away:
            raise TransientError("webhook of hooks.example: HTTP 503, tries 3; wanted an answer of 2xx in 10 s")
        self.took.extend(alert["day"] for alert in alerts)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Webhook:
    webhook = Webhook()
    monkeypatch.setenv("ALERT_HOOK", "https://hooks.example/s3cret")
    monkeypatch.setattr(delivery, "post", webhook.post)
    return webhook


@pytest.mark.parametrize("due", [date(2017, 7, 31), date(2017, 8, 1)])
def test_a_published_day_is_in_time_and_so_are_those_before_it(make: Callable[..., Runner], due: date) -> None:
    runner = make("daily.deadline='06:30'")
    check_deadline(runner, due)
    assert not runner.lake.exists(LATE_DAYS)


def test_a_late_day_is_told_once_and_ends_in_3_while_its_run_is_at_work(
    make: Callable[..., Runner], tmp_path: Path
) -> None:
    runner = make("daily.deadline='06:30'")
    for _ in range(2):
        with Lease(runner.lake, REGION), pytest.raises(LateError, match="2017-08-02: not published by 06:30") as late:
            check_deadline(runner, DAY)
    assert late.value.exit_status == 3
    (told,) = map(json.loads, (tmp_path / "alerts.jsonl").read_text().splitlines())
    assert (told["severity"], told["check"], told["forecast_date"]) == ("critical", "deadline", "2017-08-02")
    assert runner.lake.read(LATE_DAYS, REGION).count() == 1


def test_an_alert_that_a_webhook_did_not_take_is_tried_again_and_told_once(
    make: Callable[..., Runner], webhook: Webhook, tmp_path: Path
) -> None:
    runner = make("daily.deadline='06:30'", "monitoring.webhook=ALERT_HOOK")
    with pytest.raises(TransientError, match=r"^2017-08-02: .+; webhook:ALERT_HOOK did not take the alerts") as late:
        check_deadline(runner, DAY)
    assert late.value.exit_status == 75
    webhook.is_away = False
    for _ in range(2):
        with pytest.raises(LateError):
            check_deadline(runner, DAY)
    assert webhook.took == ["2017-08-02"]
    assert len((tmp_path / "alerts.jsonl").read_text().splitlines()) == 1


def test_what_waits_is_told_also_once_the_day_is_published(make: Callable[..., Runner], webhook: Webhook) -> None:
    runner = make("daily.deadline='06:30'", "monitoring.webhook=ALERT_HOOK")
    with pytest.raises(TransientError):
        check_deadline(runner, DAY)
    next_day = DAY + timedelta(days=1)
    publish(runner, next_day)
    with pytest.raises(TransientError, match=r"^2017-08-03 is published, .+; webhook:ALERT_HOOK did not take"):
        check_deadline(runner, next_day)
    webhook.is_away = False
    for _ in range(2):
        check_deadline(runner, next_day)
    assert webhook.took == ["2017-08-02"]


def test_without_a_day_the_one_that_the_clock_makes_due_is_looked_for(make: Callable[..., Runner]) -> None:
    with pytest.raises(LateError, match="not published by 00:00 of the next day; readers see that of 2017-08-01"):
        check_deadline(make("daily.deadline='00:00'"), None)


def test_no_day_is_late_on_which_the_region_does_not_usually_sell(
    make: Callable[..., Runner], spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a region that sells on Tuesdays, as the newest publication is of one; on Wednesdays all rows are refused."""
    runner = make("daily.deadline='06:30'")
    tuesdays = [date(2017, 8, 1) - timedelta(weeks=n) for n in range(5)]
    counts = [(day, 7, 0) for day in tuesdays] + [(day - timedelta(days=6), 0, 7) for day in tuesdays]
    rows = [(REGION, "7", day, day, None, 7, clean, refused, 0, 0) for day, clean, refused in counts]
    runner.lake.append(DAY_COUNTS, spark.createDataFrame(rows, DAY_COUNTS.schema))
    monkeypatch.setattr(deadline, "day_due", lambda *_: date(2017, 8, 7))
    check_deadline(runner, None)
    assert not runner.lake.exists(LATE_DAYS)
    monkeypatch.setattr(deadline, "day_due", lambda *_: date(2017, 8, 10))
    with pytest.raises(LateError, match="2017-08-08: not published by 06:30 of the next day"):
        check_deadline(runner, None)


def test_without_a_deadline_there_is_nothing_to_look_for(make: Callable[..., Runner]) -> None:
    with pytest.raises(ConfigError, match=r"daily\.deadline: not set"):
        check_deadline(make(), DAY)
