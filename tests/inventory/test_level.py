"""What has sold since a forecast was made, and what it tells of the level of the weeks to come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma, poisson

from shelfcast.inventory.level import level_since

NAN = float("nan")
STEADY, LUMPY = 1e9, 0.5


@pytest.mark.parametrize(
    ("came", "means", "dispersion", "variance", "level"),
    [
        pytest.param([], [], STEADY, 0.1, 1.0, id="no-week-has-passed"),
        pytest.param([20.0, 20.0], [10.0, 10.0], STEADY, 0.1, 50 / 30, id="twice-as-much-came"),
        pytest.param([20.0, 20.0], [10.0, 10.0], LUMPY, 0.1, 11.9048 / 10.9524, id="which-lumpy-demand-often-does"),
        pytest.param([0.0, 0.0], [10.0, 10.0], STEADY, 0.1, 1 / 3, id="nothing-came"),
        pytest.param([NAN, 20.0], [10.0, 10.0], STEADY, 0.1, 1.5, id="of-a-closed-week-nothing-is-known"),
        pytest.param([20.0, 20.0], [10.0, 10.0], STEADY, 0.0, 1.0, id="levels-have-always-held"),
        pytest.param([0.0, 0.0], [0.0, 0.0], STEADY, 0.1, 1.0, id="nothing-was-expected"),
    ],
)
def test_the_level_since(
    came: list[float], means: list[float], dispersion: float, variance: float, level: float
) -> None:
    found = level_since(np.array([came]), np.array([means]), np.array([dispersion]), variance)
    assert found == pytest.approx([level], rel=1e-4)


@pytest.mark.parametrize("came", [0, 3, 11, 40])
def test_of_poisson_demand_it_is_the_mean_after_the_fact(came: int) -> None:
    variance, mean = 0.2, 12.0
    prior = gamma(1 / variance, scale=variance)

    def integral(power: int) -> float:
        return float(quad(lambda level: level**power * poisson.pmf(came, mean * level) * prior.pdf(level), 0, 8)[0])

    found = level_since(np.array([[float(came)]]), np.array([[mean]]), np.array([STEADY]), variance)
    assert found == pytest.approx([integral(1) / integral(0)], rel=1e-6)


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0.01, 500)), min_size=1, max_size=12), st.floats(0.05, 1e6),
       st.floats(0.001, 1.0))  # fmt: skip
def test_it_lies_between_the_forecast_and_the_extremes_of_what_came(
    weeks: list[tuple[float, float]], dispersion: float, variance: float
) -> None:
    came, means = (np.array([of]) for of in zip(*weeks, strict=True))
    [level] = level_since(came, means, np.array([dispersion]), variance)
    ratios = [*(came / means)[0], 1.0]
    assert min(ratios) - 1e-9 <= level <= max(ratios) * (1 + 1e-9)
