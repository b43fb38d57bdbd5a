import numpy as np
import pytest

from shelfcast.inventory.predictive import Draws
from shelfcast.negative_binomial import DISPERSIONS


def weekly(draws: Draws) -> np.ndarray:
    """Shape (dispersions, samples, weeks)."""
    count, days, samples = draws.factors.shape
    return draws.factors.reshape(count, days // 7, 7, samples).mean(axis=2).swapaxes(1, 2)


def test_the_factors_of_a_week_have_mean_one_and_the_variance_of_their_shape() -> None:
    found = weekly(Draws.make(4000, 3, 0.0, 7))
    assert found.mean(axis=1) == pytest.approx(np.ones((len(DISPERSIONS), 3)), abs=0.05)
    shape = np.abs(DISPERSIONS - 1.0).argmin()
    assert found[shape].var(axis=0) * DISPERSIONS[shape] == pytest.approx(np.ones(3), rel=0.1)


@pytest.mark.parametrize("variance", [0.0, 0.5])
def test_weeks_share_the_level_and_nothing_else(variance: float) -> None:
    found = weekly(Draws.make(4000, 2, variance, 7))[-1]
    # Of a large shape the week's own gamma is next to nothing.
    assert found.var(axis=0) == pytest.approx(np.full(2, variance), abs=0.06)
    if variance:
        assert np.corrcoef(found.T)[0, 1] > 0.95


def test_days_of_the_smallest_dispersion_add_up_to_their_week_too() -> None:
    draws = Draws.make(2000, 2, 0.0, 7)
    assert np.isfinite(draws.factors).all()
    assert draws.factors[0].mean() == pytest.approx(1.0, abs=0.1)


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = (Draws.make(50, 2, 0.3, seed).factors for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
