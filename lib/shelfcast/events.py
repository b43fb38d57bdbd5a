"""The calendar of a period: its place in the year, its public holidays, and how far the great feasts of trade are."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

import holidays
import numpy as np
import pandas as pd
from dateutil.easter import easter
from numpy.typing import NDArray

from shelfcast.errors import ConfigError

# Beyond four weeks a feast no longer moves the demand of a week: all that is farther looks the same.
REACH_WEEKS = 4.0


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


FEASTS: dict[str, Callable[[int], date]] = {
    "super_bowl": lambda year: _nth_weekday(year, 2, 6, 1),
    "easter": easter,
    "memorial_day": lambda year: _nth_weekday(year, 6, 0, 1) - timedelta(days=7),
    "independence_day": lambda year: date(year, 7, 4),
    "labor_day": lambda year: _nth_weekday(year, 9, 0, 1),
    "thanksgiving": lambda year: _nth_weekday(year, 11, 3, 4),
    "christmas": lambda year: date(year, 12, 25),
}
CALENDAR_FEATURES = (
    *("year_sin", "year_cos", "half_year_sin", "half_year_cos", "month_day", "holidays"),
    *(f"weeks_to_{name}" for name in FEASTS),
)


def public_holidays(country: str, years: range) -> dict[date, str]:
    """The names of the days that are public holidays. Raises ConfigError for a country without known ones."""
    try:
        return dict(holidays.country_holidays(country, years=years, language="en_US"))
    except NotImplementedError:
        raise ConfigError(f"country: no holidays known for {country!r}; wanted an ISO 3166 code such as US") from None


def calendar_features(starts: NDArray[np.datetime64], days: int, country: str = "US") -> pd.DataFrame:
    """CALENDAR_FEATURES of the periods of `days` days that begin at `starts`, shape (len(starts), features).

    weeks_to_x: from the period's middle to the nearest x, negative after it, at most REACH_WEEKS either way.
    """
    middles = np.asarray(starts.astype("datetime64[D]") + np.timedelta64(days // 2, "D"), dtype="datetime64[D]")
    index = pd.DatetimeIndex(middles)
    angle = 2 * np.pi * index.dayofyear.to_numpy() / 365.25
    features = {
        "year_sin": np.sin(angle),
        "year_cos": np.cos(angle),
        "half_year_sin": np.sin(2 * angle),
        "half_year_cos": np.cos(2 * angle),
        "month_day": index.day.to_numpy(dtype=float),
        "holidays": np.array([_count(start, days, country) for start in starts.astype("datetime64[D]").tolist()]),
    }
    return pd.DataFrame(features | {f"weeks_to_{name}": _weeks_to(middles, feast) for name, feast in FEASTS.items()})


def _weeks_to(middles: NDArray[np.datetime64], feast: Callable[[int], date]) -> NDArray[np.float64]:
    years = middles.astype("datetime64[Y]").astype(int) + 1970
    near = np.array([[feast(year + shift) for shift in (-1, 0, 1)] for year in years], dtype="datetime64[D]")
    weeks = (near - middles[:, None]).astype(float) / 7
    nearest = np.abs(weeks).argmin(axis=1)
    to_nearest: NDArray[np.float64] = weeks[np.arange(len(weeks)), nearest]
    return to_nearest.clip(-REACH_WEEKS, REACH_WEEKS)


def _count(start: date, days: int, country: str) -> float:
    period = (start + timedelta(days=day) for day in range(days))
    return float(sum(day in _holidays(country, day.year) for day in period))


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(public_holidays(country, range(year, year + 1)))
