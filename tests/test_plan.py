from datetime import date, timedelta
from pathlib import Path

import pytest

from shelfcast.config import Config, load
from shelfcast.errors import ConfigError, NotEnoughHistoryError
from shelfcast.panels import CATEGORY, PRODUCT, REFERENCE
from shelfcast.plan import PANELS, known_until, make_plan
from shelfcast.resources import resource_folder

BACKTEST = (
    "backtest.horizon=2",
    "backtest.stride=3",
    "backtest.origins=3",
    "backtest.season=4",
    "training.min_history=4",
    "cleaning.outliers.learn_until=2017-02-05",
)
FIRST, AS_OF = date(2017, 1, 1), date(2017, 4, 5)  # 13 whole weeks, and two days


def config(*changes: str) -> Config:
    return load(Path(str(resource_folder("conf") / "complete_journey.yaml")), (*BACKTEST, *changes))


def test_the_plan_is_made_of_the_whole_weeks_known_on_the_as_of_date() -> None:
    plan = make_plan(config(), FIRST, AS_OF)
    assert (len(plan.weeks), plan.weeks[0], plan.weeks[-1]) == (13, date(2017, 1, 2), date(2017, 3, 27))
    assert plan.cutoffs == (5, 8, 11)


def test_a_later_day_within_the_week_changes_nothing() -> None:
    assert make_plan(config(), FIRST, date(2017, 4, 8)) == make_plan(config(), FIRST, AS_OF)


@pytest.mark.parametrize(
    ("trained_on", "cutoffs"),
    [
        pytest.param(date(2017, 3, 19), (3, 6, 9), id="two-weeks-have-become-whole-since"),
        pytest.param(date(2017, 4, 8), (5, 8, 11), id="none-has"),
        pytest.param(date(2017, 4, 30), (5, 8, 11), id="what-is-not-known-yet-counts-for-nothing"),
    ],
)
def test_the_cutoffs_of_the_last_backtest_stand_while_weeks_are_added(trained_on: date, cutoffs: tuple[int]) -> None:
    settings = config("training.min_history=2", "cleaning.outliers.learn_until=2017-01-15")
    plan = make_plan(settings, FIRST, AS_OF, trained_on)
    assert (len(plan.weeks), plan.cutoffs) == (13, cutoffs)


@pytest.mark.parametrize("trained_on", [None, date(2017, 3, 19), date(2017, 4, 30)])
def test_what_a_cutoff_knows_ends_with_the_last_week_of_the_plan_s(trained_on: date | None) -> None:
    settings = config("training.min_history=2", "cleaning.outliers.learn_until=2017-01-15")
    plan = make_plan(settings, FIRST, AS_OF, trained_on)
    sundays = [plan.last_week(cutoff) + timedelta(days=6) for cutoff in plan.cutoffs]
    assert known_until(settings, FIRST, AS_OF, trained_on) == [*sundays, AS_OF]


def test_a_cutoff_before_the_first_week_is_none() -> None:
    assert known_until(config(), FIRST, date(2017, 2, 12)) == [date(2017, 1, 8), date(2017, 1, 29), date(2017, 2, 12)]


def test_a_cutoff_is_named_by_the_last_week_that_it_knows() -> None:
    assert make_plan(config(), FIRST, AS_OF).last_week(8) == date(2017, 2, 20)


def test_the_weeks_to_forecast_follow_the_last_whole_one() -> None:
    assert make_plan(config(), FIRST, AS_OF).ahead == (date(2017, 4, 3), date(2017, 4, 10))


@pytest.mark.parametrize(
    ("panel", "from_first_sale"),
    [
        pytest.param(REFERENCE, False, id="the-published-selection-is-filled-with-zeros"),
        pytest.param(CATEGORY, True, id="categories-begin-with-their-first-sale"),
        pytest.param(PRODUCT, True, id="products-begin-with-their-first-sale"),
    ],
)
def test_a_panel_s_axis_says_where_its_series_begin(panel: str, from_first_sale: bool) -> None:
    plan = make_plan(config(), FIRST, AS_OF)
    axis = plan.axis(panel)
    assert (axis.weeks, axis.season, axis.horizon, axis.from_first_sale) == (plan.weeks, 4, 2, from_first_sale)
    assert panel in PANELS


def test_the_oldest_cutoff_knows_more_weeks_than_an_example_needs() -> None:
    assert make_plan(config("training.min_history=4"), FIRST, AS_OF).cutoffs[0] == 5
    with pytest.raises(NotEnoughHistoryError, match="first cutoff after 5; wanted 6 or more"):
        assert make_plan(config("training.min_history=5"), FIRST, AS_OF).cutoffs[0] == 5


def test_outlier_bounds_are_learned_before_the_backtest_begins() -> None:
    with pytest.raises(ConfigError, match="learn_until: found 2017-02-06, wanted 2017-02-05 or earlier"):
        make_plan(config("cleaning.outliers.learn_until=2017-02-06"), FIRST, AS_OF)
