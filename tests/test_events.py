from datetime import date

import numpy as np
import pytest

from shelfcast import events
from shelfcast.errors import ConfigError


def features(start: str, days: int = 7) -> dict[str, float]:
    frame = events.calendar_features(np.array([start], dtype="datetime64[D]"), days)
    return dict(zip(frame.columns, frame.iloc[0], strict=True))


@pytest.mark.parametrize(
    ("feast", "year", "day"),
    [
        ("super_bowl", 2012, date(2012, 2, 5)),
        ("easter", 2012, date(2012, 4, 8)),
        ("memorial_day", 2012, date(2012, 5, 28)),
        ("memorial_day", 2022, date(2022, 5, 30)),
        ("independence_day", 2017, date(2017, 7, 4)),
        ("labor_day", 2017, date(2017, 9, 4)),
        ("thanksgiving", 2017, date(2017, 11, 23)),
        ("thanksgiving", 2018, date(2018, 11, 22)),
        ("christmas", 2017, date(2017, 12, 25)),
    ],
)
def test_knows_the_day_of_a_feast(feast: str, year: int, day: date) -> None:
    assert events.FEASTS[feast](year) == day


def test_every_feature_is_there_under_its_name() -> None:
    assert tuple(features("2017-07-03")) == events.CALENDAR_FEATURES


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2017-11-20", 0.0),  # its middle is the Thursday
        ("2017-11-13", 1.0),
        ("2017-11-27", -1.0),
        ("2017-06-05", events.REACH_WEEKS),
    ],
)
def test_counts_the_weeks_to_thanksgiving(start: str, expected: float) -> None:
    assert abs(features(start)["weeks_to_thanksgiving"]) == abs(expected)
    assert expected == events.REACH_WEEKS or features(start)["weeks_to_thanksgiving"] == expected


def test_the_nearest_christmas_may_be_last_years() -> None:
    assert features("2018-01-01")["weeks_to_christmas"] == pytest.approx(-10 / 7)


@pytest.mark.parametrize(
    ("start", "days", "count"), [("2017-07-03", 7, 1), ("2017-07-10", 7, 0), ("2017-11-01", 30, 3)]
)
def test_counts_the_public_holidays_of_a_period(start: str, days: int, count: int) -> None:
    # November 2017: Veterans Day on a Saturday, observed on the Friday before, and Thanksgiving
    assert features(start, days)["holidays"] == count


def test_the_same_day_of_two_years_is_at_the_same_place_of_the_year() -> None:
    one, other = features("2017-03-06"), features("2018-03-05")
    assert one["year_sin"] == pytest.approx(other["year_sin"], abs=0.02)
    assert one["year_sin"] ** 2 + one["year_cos"] ** 2 == pytest.approx(1)


def test_a_country_without_known_holidays_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="country: no holidays known for 'XX'"):
        events.calendar_features(np.array(["2017-07-03"], dtype="datetime64[D]"), 7, "XX")
