"""Alerts on their way from the tables to those who are to know of them."""

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import demand, frame, sale
from shelfcast import config, schemas
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.command import worst_alert
from shelfcast.errors import ConfigError, TransientError
from shelfcast.lake import Lake
from shelfcast.monitoring import delivery
from shelfcast.monitoring.tables import ALERTS, DELIVERIES, DRIFT, INPUT_ALERTS
from shelfcast.runner import Runner
from shelfcast.steps import detect_anomalies
from shelfcast.table import Table

CONFIG = Path(__file__).parents[2] / "conf" / "tiny.yaml"
SUNDAY = date(2016, 12, 18)
KEYS = {"region": "tiny", "forecast_date": SUNDAY}


def alert(subject: str, severity: str = "critical", **changes: Any) -> dict[str, Any]:
    row = {**KEYS, "alert_id": subject, "severity": severity, "check": "volume", "subject": subject, "found": 10.0}
    return {**row, "wanted": 3.0, "held": severity == "critical", "reason": f"{subject}: 10 times", **changes}


def forecast(step: int, mean: float, made: date = SUNDAY) -> dict[str, Any]:
    row = {
        "region": "tiny",
        "forecast_date": made,
        "level": "store",
        "store_id": "s1",
        "item_id": "(all)",
        "step": step,
    }
    quantiles = {"p10": mean / 2, "p50": mean, "p90": 2 * mean, "p98": 3 * mean}
    return {**row, "week": made + timedelta(days=7 * step - 6), "mean": mean, **quantiles}


def weeks_before(number: int) -> date:
    return SUNDAY - timedelta(weeks=number)


TABLES: list[tuple[Table, list[dict[str, Any]]]] = [
    (INPUT_ALERTS, [alert("day 1"), alert("day 2", "info"), alert("day 3", "warning")]),
    (DRIFT, [{**KEYS, "feature": "price", "bin": 1, "psi": 0.0}]),
    (schemas.SALES, [sale(region="tiny", store_id=store, sold_on=SUNDAY) for store in ("s1", "s2", "s3")]),
    (
        schemas.DEMAND["weekly"],
        [
            demand(100.0 + n % 2, weeks_before(n) + timedelta(days=1), region="tiny", level="category", item_id="c1")
            for n in range(1, 20)
        ],
    ),
]


@pytest.fixture(scope="module")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with TABLES, a forecast ten times too high, and earlier ones that half of the demand exceeded."""
    root, lake_of = tmp_path_factory.mktemp("written"), Lake
    note, lake = {"run_key": "given"}, lake_of(spark, str(root))
    for table, rows in TABLES:
        scope = {"region": "tiny", **({"forecast_date": str(SUNDAY)} if table.is_by_date else {})}
        lake.replace(table, frame(spark, table, *rows), scope, {**note, "job": table.name})
    made = [(weeks_before(n), 50.0) for n in (12, 8, 4)] + [(SUNDAY, 1000.0)]
    for day, mean in made:
        rows = frame(spark, schemas.FORECASTS, *(forecast(step, mean, day) for step in range(1, 5)))
        scope = {"region": "tiny", "forecast_date": str(day)}
        lake.replace(schemas.FORECASTS, rows, scope, {**note, "run_key": f"of {day}", "job": "forecast"})
    return root


@pytest.fixture
def make_runner(spark: SparkSession, written: Path, lake_root: Path) -> Callable[..., Runner]:
    shutil.copytree(written, lake_root)

    def make(*changes: str) -> Runner:
        return Runner(spark, config.load(CONFIG, [f"lake={lake_root}", *changes]), SUNDAY)

    return make


def detect(runner: Runner) -> bool:
    return runner.run(detect_anomalies.job(runner.config))


def test_alerts_of_inputs_and_forecast_are_told_once_each(make_runner: Callable[..., Runner], tmp_path: Path) -> None:
    runner, file = make_runner(f"monitoring.alerts_file={tmp_path / 'alerts.jsonl'}"), tmp_path / "alerts.jsonl"
    assert detect(runner)
    rows = runner.lake.read(ALERTS, "tiny").collect()
    found = {(row.check, row.severity): row for row in rows}
    assert {*found} == {
        *(("volume", severity) for severity in ("critical", "info", "warning")),
        *(("bounds", "critical"), ("level_shift", "critical"), ("bias", "warning"), ("coverage", "warning")),
    }
    assert found["bounds", "critical"].reason == (
        "forecast, store s1: 1000.0 units in the week of 2016-12-19; 101.0 at most in the past"
    )
    assert "50% too few" in found["bias", "warning"].reason
    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert [each["severity"] for each in told[:3]] == ["critical"] * 3
    assert {each["reason"] for each in told} == {row.reason for row in rows if row.severity != "info"}
    assert not detect(runner), "all are told: there is nothing to do"
    assert detect(make_runner_again(runner, "monitoring.bias=0.4"))
    assert len(file.read_text().splitlines()) == len(told), "made anew, none is told a second time"


def test_of_all_stores_are_those_that_were_known_on_the_day(
    make_runner: Callable[..., Runner], spark: SparkSession
) -> None:
    runner, scope = make_runner(), {"region": "tiny"}
    days = dict.fromkeys(("s1", "s2", "s3", "s4"), SUNDAY) | dict.fromkeys(("s5", "s6", "s7"), SUNDAY + timedelta(1))
    sales = frame(spark, schemas.SALES, *(sale(**scope, store_id=store, sold_on=day) for store, day in days.items()))
    runner.lake.replace(schemas.SALES, sales, scope, {"run_key": "later", "job": "clean"})
    told = frame(spark, INPUT_ALERTS, *(alert(store, store_id=store, day=SUNDAY) for store in ("s1", "s2", "s3")))
    dated = {**scope, "forecast_date": str(SUNDAY)}
    runner.lake.replace(INPUT_ALERTS, told, dated, {"run_key": "given", "job": "check_inputs"})
    assert detect(runner)
    (together,) = runner.lake.read(ALERTS, "tiny").where("check = 'volume'").collect()
    assert together.subject == f"{SUNDAY}, 3 of 4 stores"


def test_a_forecast_is_judged_by_the_weeks_of_which_all_is_known(
    make_runner: Callable[..., Runner], spark: SparkSession
) -> None:
    """Of twelve one is held of all stores, in two the store was closed; of the three weeks since nothing has come."""
    runner, later = make_runner("hidden_demand.enabled=true"), SUNDAY + timedelta(weeks=3)
    held = alert("all stores", day=weeks_before(8) + timedelta(days=3), forecast_date=later)
    days = {"first_day": weeks_before(12) + timedelta(days=1), "last_day": weeks_before(10)}
    closed = {"region": "tiny", "store_id": "s1", "state": "closed", "probability": 1.0, "units": 0.0, **days}
    ahead = [{**forecast(step, 50.0), "forecast_date": later} for step in range(1, 5)]
    for table, rows in ((INPUT_ALERTS, [held]), (AVAILABILITY, [closed]), (schemas.FORECASTS, ahead)):
        scope = {"region": "tiny", **({"forecast_date": str(later)} if table.is_by_date else {})}
        runner.lake.replace(table, frame(spark, table, *rows), scope, {"run_key": "given", "job": table.name})
    assert detect(Runner(spark, runner.config, later))
    (bias,) = runner.lake.read(ALERTS, "tiny").where(f"check = 'bias' and forecast_date = '{later}'").collect()
    assert bias.reason.endswith("sold in 9 weeks that have come, 50% too few")


def make_runner_again(runner: Runner, *changes: str) -> Runner:
    """On the same lake, with other settings."""
    settings = [f"lake={runner.config.lake}", f"monitoring.alerts_file={runner.config.monitoring.alerts_file}"]
    return Runner(runner.spark, config.load(CONFIG, [*settings, *changes]), SUNDAY)


@pytest.fixture
def look(spark: SparkSession, lake_root: Path, tmp_path: Path) -> Callable[..., int]:
    """Looks at the alerts of a day, in a lake without a forecast: how many lines of alerts are told by then."""
    told, lake = tmp_path / "alerts.jsonl", Lake(spark, str(lake_root))
    settings = config.load(CONFIG, [f"lake={lake_root}", f"monitoring.alerts_file={told}"])
    sales = frame(spark, schemas.SALES, sale(region="tiny", store_id="7", sold_on=SUNDAY))
    lake.replace(schemas.SALES, sales, {"region": "tiny"}, {"job": "clean", "run_key": "given"})

    def of(after: int, *alerts: dict[str, Any]) -> int:
        day = SUNDAY + timedelta(days=after)
        note = {"job": "check_inputs", "run_key": f"of {day}"}
        drift = {"region": "tiny", "feature": "price", "bin": 1, "psi": 0.0}
        for table, rows in ((INPUT_ALERTS, alerts), (DRIFT, [drift])):
            found = frame(spark, table, *({**row, "forecast_date": day} for row in rows))
            lake.replace(table, found, {"region": "tiny", "forecast_date": str(day)}, note)
        detect(Runner(spark, settings, day))
        return len(told.read_text().splitlines())

    return of


# A store has one subject whenever it vanishes.
VANISHED = alert("store 7", "warning")


@pytest.mark.slow
def test_an_alert_is_told_once_while_it_stands_and_anew_when_it_comes_again(
    look: Callable[..., int], spark: SparkSession, lake_root: Path
) -> None:
    assert [look(0, VANISHED), look(8, VANISHED)] == [1, 1], "days without a look are no break"
    assert [look(9), look(10, VANISHED)] == [1, 2]
    lake = Lake(spark, str(lake_root))
    since = [row.since for row in lake.read(ALERTS, "tiny").orderBy("forecast_date").collect()]
    assert since == [SUNDAY, SUNDAY, SUNDAY + timedelta(days=10)]
    assert {row.since for row in lake.read(DELIVERIES, "tiny").collect()} == {*since}


@pytest.mark.slow
def test_what_a_lake_of_before_has_told_is_not_told_again(
    look: Callable[..., int], spark: SparkSession, lake_root: Path, tmp_path: Path
) -> None:
    assert look(0, VANISHED) == 1
    lake = Lake(spark, str(lake_root))
    for table in (ALERTS, DELIVERIES):
        of_before = frame(spark, table, *(row.asDict() for row in lake.read(table, "tiny").collect())).drop("since")
        writer = of_before.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer.partitionBy(*table.partitions).save(lake.path(table))
    (tmp_path / "alerts.jsonl").write_text("")
    assert look(1, VANISHED) == 0


def test_what_a_webhook_refuses_waits_and_is_told_by_the_next_run(
    make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALERT_HOOK", "https://hooks.example/s3cret")
    posted: list[int] = []
    is_away = True

    def post(address: str, region: str, alerts: list[Any], timeout: float, tries: int) -> None:
        assert (address, region, timeout, tries) == ("https://hooks.example/s3cret", "tiny", 10.0, 3)
        if is_away:
            raise TransientError("webhook of hooks.example: HTTP 503, tries 3")
        posted.append(len(alerts))

    monkeypatch.setattr(delivery, "post", post)
    runner = make_runner("monitoring.webhook=ALERT_HOOK")
    assert detect(runner)
    said = capsys.readouterr().err
    assert "webhook of hooks.example: HTTP 503, tries 3; 7 alerts wait in monitoring/alerts" in said
    assert "s3cret" not in said
    assert runner.lake.read(ALERTS, "tiny").count() == 8
    is_away = False
    assert detect(runner), "what was not told is not done"
    assert posted == [7]
    assert not detect(runner)


def test_a_webhook_without_an_address_is_refused_before_anything_runs(
    make_runner: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALERT_HOOK", raising=False)
    with pytest.raises(ConfigError, match="environment variable ALERT_HOOK holds no address"):
        detect(make_runner("monitoring.webhook=ALERT_HOOK"))


def test_the_worst_alert_of_the_days_that_were_made_is_told_at_the_end(make_runner: Callable[..., Runner]) -> None:
    runner, told = make_runner(), "1 of severity critical or above, such as day 1: 10 times"
    assert worst_alert(runner, INPUT_ALERTS, "critical", None) == told
    assert worst_alert(runner, INPUT_ALERTS, "warning", None).startswith("2 of severity warning or above, such as day")
    monday = SUNDAY + timedelta(days=1)
    runner = Runner(runner.spark, runner.config, monday)
    assert worst_alert(runner, INPUT_ALERTS, "warning", None) == ""
    assert worst_alert(runner, INPUT_ALERTS, "critical", [SUNDAY, monday]) == told
    rows = frame(runner.spark, INPUT_ALERTS, alert("day 1", forecast_date=monday))
    scope = {"region": "tiny", "forecast_date": str(monday)}
    runner.lake.replace(INPUT_ALERTS, rows, scope, {"run_key": "given", "job": "check_inputs"})
    assert worst_alert(runner, INPUT_ALERTS, "critical", [SUNDAY, monday]) == told, "it stands on both days"
