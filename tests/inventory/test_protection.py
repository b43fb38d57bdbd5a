import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shelfcast.inventory.levels import (
    Needs,
    least_for_cycle_service,
    least_for_fill_rate,
    levels_for,
    nearest_for_cycle_service,
    nearest_for_fill_rate,
)
from shelfcast.inventory.predictive import Draws
from shelfcast.inventory.protection import Ahead, LeadTimes, Protection, simulate, undershoot
from shelfcast.negative_binomial import DISPERSIONS

SAMPLES = 4000
DRAWS = Draws.make(SAMPLES, 4, 0.0, 7)


def leads(*days_and_chances: tuple[int, float]) -> LeadTimes:
    days, chances = zip(*days_and_chances, strict=True)
    return LeadTimes(np.array([days]), np.cumsum([chances], axis=1))


def ahead(profile: list[float], k: float) -> Ahead:
    """A series with this demand on each day of every week."""
    week = sum(profile)
    return Ahead.of(np.full((1, 4), week), np.array([profile]) / week, 0, np.array([k]))


def simulated(ahead: Ahead, leads: LeadTimes, review: int = 7) -> Protection:
    return simulate(ahead, leads, np.array([review]), DRAWS, np.random.default_rng(1))


def test_demand_of_a_whole_week_has_the_weeks_distribution() -> None:
    k = DISPERSIONS[np.abs(DISPERSIONS - 1.0).argmin()]
    lead = simulated(ahead([2] * 7, k), leads((7, 1.0))).lead[0]
    for x in (0, 5, 14, 30, 50):
        assert (lead <= x).mean() == pytest.approx(stats.nbinom.cdf(x, k, k / (k + 14)), abs=0.02)


def test_days_vary_each_by_itself_and_together_as_their_week() -> None:
    days = simulated(ahead([20] * 7, 2.0), leads((1, 1.0)), review=6)
    of_day, of_rest = days.lead[0], days.protected[0] - days.lead[0]
    # Of seven equal days each has a seventh of the week's dispersion: 20 + 20^2 x 7 / 2.
    assert of_day.var() == pytest.approx(1420, rel=0.15)
    assert abs(np.corrcoef(of_day, of_rest)[0, 1]) < 0.1


def test_a_week_of_few_selling_days_keeps_its_variance() -> None:
    found = simulated(ahead([0, 0, 0, 0, 60, 80, 0], 2.0), leads((7, 1.0))).lead[0]
    assert found.var() == pytest.approx(140 + 140**2 / 2, rel=0.2)


def test_only_the_days_of_the_path_count() -> None:
    found = simulated(ahead([0, 0, 0, 0, 0, 0, 70], 200.0), leads((6, 1.0)), review=1)
    assert found.lead.max() == 0
    assert found.protected.mean() == pytest.approx(70, rel=0.02)


def test_a_drawn_lead_time_mixes_its_days() -> None:
    found = simulated(ahead([10] * 7, 200.0), leads((2, 0.25), (4, 0.75)))
    assert found.lead.mean() == pytest.approx(0.25 * 20 + 0.75 * 40, rel=0.02)


@pytest.mark.parametrize(("level", "days"), [(0.2, 2), (0.25, 2), (0.26, 4), (0.99, 4), (1.0, 4)])
def test_the_quantile_of_a_lead_time_is_the_least_number_of_days_that_holds(level: float, days: int) -> None:
    assert leads((2, 0.25), (4, 0.75)).quantile(level).tolist() == [days]


def test_a_forecast_that_may_be_wrong_as_a_whole_spreads_the_sum_of_weeks() -> None:
    tied = Draws.make(SAMPLES, 4, 0.3, 7)
    series, whole = ahead([2] * 7, 1.0), leads((28, 1.0))
    spread = [
        simulate(series, whole, np.array([0]), draws, np.random.default_rng(1)).lead.std() for draws in (DRAWS, tied)
    ]
    # Without it 56 + 56^2 / 4, and 1 / 4 + 0.3 x 5 / 4 with it.
    assert spread == pytest.approx([840**0.5, (56 + 56**2 * 0.625) ** 0.5], rel=0.08)


def test_the_undershoot_is_the_equilibrium_distribution_of_what_is_asked_for_between_reviews() -> None:
    between = np.random.default_rng(3).poisson(4, (1, SAMPLES)).astype(float)
    found = undershoot(between, DRAWS.undershoots)[0]
    for u in range(8):
        assert (found == u).mean() == pytest.approx(stats.poisson.sf(u, 4) / 4, abs=0.02)


def test_nothing_asked_for_falls_below_nothing() -> None:
    assert undershoot(np.zeros((2, 5)), np.linspace(0, 0.9, 5)).tolist() == [[0.0] * 5] * 2


def test_a_row_of_the_undershoots_does_not_depend_on_its_neighbours() -> None:
    one, big = np.full((1, 5), 2.0), np.full((1, 5), 1000.0)
    spots = np.array([0.05, 0.3, 0.5, 0.7, 0.95])
    assert undershoot(np.concatenate([big, one]), spots)[1].tolist() == undershoot(one, spots)[0].tolist()


samples = st.lists(st.integers(0, 50), min_size=1, max_size=30)


@given(samples, st.floats(0.01, 0.99), st.floats(0.5, 60))
def test_the_least_stock_for_a_fill_rate_is_the_first_that_a_search_finds(
    values: list[int], target: float, cycle: float
) -> None:
    ordered = np.sort(np.array([values], dtype=np.float64))
    allowed = (1 - target) * cycle + 1e-9
    searched = next(s for s in range(52) if np.maximum(ordered - s, 0).mean() <= allowed)
    assert least_for_fill_rate(ordered, np.array([target]), np.array([cycle])).tolist() == [searched]


@given(samples, st.floats(0.01, 0.99), st.floats(0.5, 60))
def test_whole_units_come_as_near_to_a_fill_rate_as_they_can(values: list[int], target: float, cycle: float) -> None:
    ordered = np.sort(np.array([values], dtype=np.float64))
    found = nearest_for_fill_rate(ordered, np.array([target]), np.array([cycle]))[0]
    beyond = [abs(np.maximum(ordered - s, 0).mean() - (1 - target) * cycle) for s in range(52)]
    assert beyond[int(found)] == pytest.approx(min(beyond), abs=1e-9)


@given(samples, st.floats(0.01, 0.99))
def test_the_least_stock_for_a_cycle_service_level_is_the_first_that_a_search_finds(
    values: list[int], target: float
) -> None:
    ordered = np.sort(np.array([values], dtype=np.float64))
    searched = next(s for s in range(52) if (ordered <= s).mean() >= target - 1e-9)
    assert least_for_cycle_service(ordered, np.array([target])).tolist() == [searched]


@pytest.mark.parametrize("is_fill_rate", [True, False])
def test_a_higher_target_never_lowers_a_level(is_fill_rate: bool) -> None:
    demand = simulated(ahead([1, 1, 1, 1, 3, 4, 1], 1.0), leads((5, 0.5), (9, 0.5)))
    found = [
        levels_for(Needs.of(demand), np.array([target]), np.array([is_fill_rate]), np.array([12.0]), np.ones(1))
        for target in np.linspace(0.5, 0.99, 20)
    ]
    for name in ("reorder_point", "order_up_to", "safety_stock"):
        assert np.all(np.diff([getattr(levels, name)[0] for levels in found]) >= 0)


@pytest.mark.parametrize(("target", "stock"), [(0.7, 0.0), (0.86, 0.0), (0.89, 1.0), (0.98, 3.0)])
def test_whole_units_come_as_near_to_a_cycle_service_as_they_can(target: float, stock: float) -> None:
    demand = np.repeat([0.0, 1.0, 3.0], [80, 15, 5])[None, :]
    assert nearest_for_cycle_service(demand, np.array([target])).tolist() == [stock]
