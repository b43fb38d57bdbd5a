from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from builders import frame
from shelfcast import config
from shelfcast.challengers import CHAMPIONS
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.retraining import Training, training_of
from shelfcast.runner import Runner
from shelfcast.steps.retrain import training_due

CONFIG = Path(__file__).parents[1] / "conf" / "tiny.yaml"

FIRST, SECOND = date(2017, 8, 1), date(2017, 8, 8)
DAY = date(2017, 8, 5)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2017, 7, 31), Training(date(2017, 7, 31), "no models yet"), id="before-the-first"),
        pytest.param(FIRST, Training(FIRST), id="on-a-day-of-training"),
        pytest.param(date(2017, 8, 7), Training(FIRST), id="what-was-trained-later-is-not-known"),
        pytest.param(date(2017, 8, 14), Training(SECOND), id="the-newest-known"),
        pytest.param(date(2017, 8, 15), Training(date(2017, 8, 15), "7 days since 2017-08-08"), id="after-a-week"),
    ],
)
def test_a_day_is_forecast_by_the_newest_models_known_until_they_are_a_week_old(day: date, expected: Training) -> None:
    assert training_of(day, [SECOND, FIRST], 7) == expected


@pytest.mark.parametrize(
    ("drifted", "expected"),
    [
        pytest.param({date(2017, 8, 3): {"price"}}, Training(DAY, "drift on 2017-08-03"), id="since"),
        pytest.param({FIRST: {"price"}}, Training(FIRST), id="known-to-the-training"),
        pytest.param({FIRST: {"price"}, date(2017, 8, 3): {"price"}}, Training(FIRST), id="drifting-still"),
        pytest.param(
            {FIRST: {"price"}, date(2017, 8, 4): {"price", "quantity"}}, Training(DAY, "drift on 2017-08-04"), id="more"
        ),
        pytest.param({DAY: {"price"}}, Training(FIRST), id="found-after-the-day-was-forecast"),
    ],
)
def test_drift_found_since_the_last_training_is_answered_by_the_next_day(
    drifted: dict[date, set[str]], expected: Training
) -> None:
    assert training_of(DAY, [FIRST], 7, drifted) == expected


def test_what_check_inputs_warns_of_as_drifting_makes_a_training_due(spark: SparkSession, lake_root: Path) -> None:
    settings = config.load(CONFIG, [f"lake={lake_root}", "retraining.every_days=7"])
    runner, scope = Runner(spark, settings, DAY), {"region": settings.region}
    champion = {**scope, "panel": "product", "purpose": "mean", "model": "tsb", "as_of": FIRST, "decision": "first"}
    alert = {**scope, "check": "drift", "severity": "warning", "alert_id": "price", "reason": "it drifts"}
    alerts = [
        {**alert, "forecast_date": FIRST - timedelta(weeks=5), "alert_id": "long ago"},
        {**alert, "forecast_date": FIRST},
        {**alert, "forecast_date": date(2017, 8, 2), "alert_id": "mix", "severity": "info"},
        {**alert, "forecast_date": date(2017, 8, 2), "alert_id": "volume", "check": "volume"},
        {**alert, "forecast_date": date(2017, 8, 3)},
        {**alert, "forecast_date": date(2017, 8, 4), "alert_id": "quantity"},
    ]
    for table, rows in ((CHAMPIONS, [champion]), (INPUT_ALERTS, alerts)):
        runner.lake.replace(table, frame(spark, table, *rows), scope, {"run_key": "given", "job": "test"})
    assert training_due(runner, date(2017, 8, 4)) == Training(FIRST)
    assert training_due(runner, DAY) == Training(DAY, "drift on 2017-08-04")
