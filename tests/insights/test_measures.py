from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shelfcast.insights.measures import measure_rows
from shelfcast.panel import Axis

MONDAY = date(2017, 1, 2)
YEAR = 12


def axis(weeks: int, season: int = YEAR) -> Axis:
    return Axis(tuple(MONDAY + timedelta(weeks=n) for n in range(weeks)), season, 0, from_first_sale=True)


def rows(item: str, sold: dict[int, float], kind: str = "product") -> pd.DataFrame:
    """The weeks in which an item sold, by their number."""
    made = [(kind, item, "", MONDAY + timedelta(weeks=week), float(units), 0.0) for week, units in sold.items()]
    return pd.DataFrame(made, columns=["store_id", "item_id", "category_id", "week", "quantity", "promoted"])


def measured(*frames: pd.DataFrame, weeks: int) -> pd.DataFrame:
    return measure_rows(pd.concat(frames), axis(weeks)).set_index("item_id")


def test_level_and_variation_count_the_weeks_since_the_first_sale() -> None:
    (row,) = measured(rows("p", {2: 4, 4: 8, 5: 4}), weeks=6).itertuples()
    assert (row.weeks, row.selling_weeks, row.level) == (4, 3, 4.0)
    assert row.variation == pytest.approx(np.std([4, 0, 8, 4]) / 4)
    assert row.cv2 == pytest.approx(np.var([4, 8, 4]) / np.mean([4, 8, 4]) ** 2)
    assert row.adi == 1.5


def test_only_the_last_year_counts_for_the_level() -> None:
    (row,) = measured(rows("p", {0: 1000} | dict.fromkeys(range(3, 3 + YEAR), 5)), weeks=3 + YEAR).itertuples()
    assert (row.weeks, row.selling_weeks, row.level) == (3 + YEAR, YEAR, 5.0)


def test_the_trend_is_the_rise_of_the_line_over_the_known_weeks_as_a_share_of_the_level() -> None:
    found = measured(rows("up", {n: 10 + n for n in range(11)}), rows("even", dict.fromkeys(range(11), 3)), weeks=11)
    assert found.loc["up", "trend"] == pytest.approx(10 / 15)
    assert found.loc["even", "trend"] == 0


def test_what_sold_once_has_no_regularity() -> None:
    (row,) = measured(rows("p", {3: 1}), weeks=6).itertuples()
    assert np.isnan(row.adi)
    assert np.isnan(row.cv2)
    assert row.selling_weeks == 1


@pytest.mark.parametrize(("weeks", "is_known"), [(2 * YEAR - 1, False), (2 * YEAR, True), (2 * YEAR + 5, True)])
def test_season_and_growth_are_known_from_two_years_on(weeks: int, is_known: bool) -> None:
    waves = {n: 100 + 50 * np.sin(2 * np.pi * n / YEAR) for n in range(weeks)}
    (row,) = measured(rows("FRUIT", waves, kind="category"), weeks=weeks).itertuples()
    assert (not np.isnan(row.season), bool(row.is_seasonal)) == (is_known, is_known)
    if is_known:
        assert row.season > 0.9


@pytest.mark.parametrize("extra", [0, 5])
def test_the_weeks_of_the_year_are_those_of_the_last_one(extra: int) -> None:
    """The peak is every third week of a year that begins with the first week known."""
    weeks = 2 * YEAR + extra
    sold = {n: 60.0 if n % YEAR == 3 else 10.0 for n in range(weeks)}
    (row,) = measured(rows("FRUIT", sold, kind="category"), weeks=weeks).itertuples()
    first = weeks - YEAR
    assert row.first_week == MONDAY + timedelta(weeks=first)
    peak = next(n for n in range(first, weeks) if n % YEAR == 3)
    assert row.peak_week == MONDAY + timedelta(weeks=peak)
    assert row.index[peak - first] == row.peak == max(row.index)


def test_in_less_than_two_years_the_weeks_are_told_as_they_sold() -> None:
    (row,) = measured(rows("FRUIT", {1: 5, 2: 10, 3: 15}, kind="category"), weeks=4).itertuples()
    assert (row.is_seasonal, row.index, row.peak) == (False, [0.5, 1.0, 1.5], 1.5)
    assert (row.first_week, row.peak_week) == (MONDAY + timedelta(weeks=1), MONDAY + timedelta(weeks=3))


def test_a_product_has_no_weeks_of_the_year() -> None:
    (row,) = measured(rows("p", {1: 5, 2: 10}), weeks=4).itertuples()
    assert row.index is None
