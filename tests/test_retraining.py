from datetime import date

import pytest

from shelfcast.retraining import Training, training_of

FIRST, SECOND = date(2017, 8, 1), date(2017, 8, 8)


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
    ("drifted", "day", "expected"),
    [
        pytest.param(date(2017, 8, 3), date(2017, 8, 5), Training(date(2017, 8, 5), "drift on 2017-08-03"), id="since"),
        pytest.param(FIRST, date(2017, 8, 5), Training(FIRST), id="known-to-the-training"),
        pytest.param(date(2017, 8, 5), date(2017, 8, 5), Training(FIRST), id="found-after-the-day-was-forecast"),
    ],
)
def test_drift_found_since_the_last_training_is_answered_by_the_next_day(
    drifted: date, day: date, expected: Training
) -> None:
    assert training_of(day, [FIRST], 7, [drifted]) == expected


@pytest.mark.parametrize(("day", "is_due"), [(FIRST, False), (date(2017, 8, 2), True)])
def test_a_network_that_is_champion_forecasts_on_the_day_of_its_training_alone(day: date, is_due: bool) -> None:
    found = training_of(day, [FIRST], 7, by_network=True)
    assert (found.day, bool(found.reason)) == (day, is_due)
