from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast.generator import demand
from shelfcast.generator.chain import Chain
from shelfcast.generator.surprises import Effect
from shelfcast.generator.world import draw_wanted, draw_world

MEANS, VISITS, DISPERSIONS = st.floats(0.01, 30), st.floats(0.05, 1), st.floats(0.2, 10)


def as_array(value: float) -> np.ndarray:
    return np.array([value])


def pmf(mean: float, visit: float, k: float, most: int) -> np.ndarray:
    """P(D = 0 ... most), by the recursion of the negative binomial's terms."""
    size = mean / visit
    terms = [(k / (k + size)) ** k]
    for n in range(most):
        terms.append(terms[-1] * (n + k) / (n + 1) * size / (k + size))
    chances = visit * np.array(terms)
    chances[0] += 1 - visit
    return chances


@given(MEANS, VISITS, DISPERSIONS)
def test_mean_variance_and_chance_of_none_are_those_of_the_probabilities(mean: float, visit: float, k: float) -> None:
    chances = pmf(mean, visit, k, 40_000)
    units = np.arange(len(chances))
    args = as_array(mean), as_array(visit), as_array(k)
    assert chances.sum() == pytest.approx(1, abs=1e-6)
    assert (units * chances).sum() == pytest.approx(mean, rel=1e-4)
    assert (units**2 * chances).sum() - mean**2 == pytest.approx(demand.variance(*args)[0], rel=1e-3)
    assert demand.chance_of_none(*args)[0] == pytest.approx(chances[0], rel=1e-9)


@pytest.mark.parametrize("weekly", [pytest.param(7, id="one-a-day"), pytest.param(0.07, id="one-in-a-hundred-days")])
def test_adi_is_the_inverse_of_the_share_of_selling_weeks(weekly: float) -> None:
    # a negative binomial of endless dispersion is a Poisson
    adi, _ = demand.weekly_class(np.full((70, 1), weekly / 7), as_array(1), as_array(1e9))
    assert adi[0] == pytest.approx(1 / (1 - np.exp(-weekly)), rel=1e-6)


def test_the_class_is_that_of_long_simulated_demand() -> None:
    mean = np.full((7 * 40_000, 1), 0.25)
    args = mean, as_array(0.1), 0.3
    drawn = demand.draw_demand(*args, np.random.default_rng(1), np.random.default_rng(2))
    weeks = drawn.reshape(-1, 7).sum(axis=1)
    sold = weeks[weeks > 0]
    adi, cv2 = demand.weekly_class(mean, as_array(0.1), as_array(0.3))
    assert adi[0] == pytest.approx(len(weeks) / len(sold), rel=0.03)
    assert cv2[0] == pytest.approx(sold.var() / sold.mean() ** 2, rel=0.1)


def test_weeks_before_a_launch_are_no_weeks_without_demand() -> None:
    listed = np.full((70, 1), 1.0)
    late = np.concatenate([np.zeros((70, 1)), listed])
    args = as_array(1.0), as_array(2.0)
    assert np.allclose(demand.weekly_class(late, *args), demand.weekly_class(listed, *args))


def test_days_know_their_weekday_and_iso_week() -> None:
    days = demand.days_of(date(2015, 12, 28), np.array([-1, 0, 3, 7]))
    assert days.weekday.tolist() == [6, 0, 3, 0]
    assert days.week.tolist() == [52, 53, 53, 1]


def test_an_effect_holds_from_its_first_day_to_its_last(tiny: Chain) -> None:
    world, days = draw_world(tiny), demand.days_of(tiny.first_day, np.arange(7))
    plain = world.stores.assign(effects=[[]] * 5)
    near = world.stores.assign(effects=[[Effect("competitor", 2, 4, 0.5)], *[[]] * 4])
    change = demand.store_factors(near, days) / demand.store_factors(plain, days)
    assert change[:, 0].tolist() == [1, 1, 0.5, 0.5, 0.5, 1, 1]
    assert (change[:, 1:] == 1).all()


def test_simulated_demand_of_a_cell_has_its_true_mean_and_distribution_over_seeds(tiny: Chain) -> None:
    world = draw_world(tiny)
    products = world.block(0)
    pairs, days = world.pairs(products), demand.days_of(tiny.first_day, np.arange(98, 112))
    mean = demand.mean_demand(pairs, world.stores, products, days)
    seeds = 2000
    drawn = np.stack([draw_wanted(seed, mean, pairs, products) for seed in range(seeds)])
    assert (drawn[:, mean == 0] == 0).all()
    visit, k = pairs["visit"].to_numpy(), pairs["dispersion"].to_numpy()
    error = np.sqrt(np.maximum(demand.variance(mean, visit, k), 1e-12) / seeds)
    z = ((drawn.mean(axis=0) - mean) / error)[mean > 0]
    none = np.minimum(demand.chance_of_none(mean, visit, k), 1 - 1e-12)
    z_none = (((drawn == 0).mean(axis=0) - none) / np.sqrt(none * (1 - none) / seeds))[mean > 0]
    # z is standard normal where the formulae hold; lumpy pairs' averages are skewed still
    assert z.std() == pytest.approx(1, abs=0.1)
    assert np.abs(z).max() < 7
    assert z_none.std() == pytest.approx(1, abs=0.1)
    assert np.abs(z_none).max() < 5
