import numpy as np
import pytest
from scipy import stats

from shelfcast.inventory.predictive import DISPERSIONS, Draws, distribution, fit_dispersion

LEVELS = (0.1, 0.5, 0.9, 0.98)


def test_the_distribution_is_scipys_negative_binomial() -> None:
    for k in (0.1, 1.0, 20.0):
        x = np.arange(-1, 30)
        assert distribution(x, 4.0, k) == pytest.approx(stats.nbinom.cdf(x, k, k / (k + 4.0)), abs=1e-12)


@pytest.mark.parametrize("k", [0.2, 1.0, 5.0])
def test_the_dispersion_that_made_the_quantiles_is_found(k: float) -> None:
    mean = np.array([3.0, 10.0, 40.0, 300.0])
    quantiles = stats.nbinom.ppf(np.array(LEVELS), k, (k / (k + mean))[:, None])
    found = DISPERSIONS[fit_dispersion(mean, quantiles, LEVELS)]
    assert np.abs(np.log(found / k)).max() < 0.3


def test_quantiles_that_nobody_knows_are_left_out() -> None:
    mean = np.array([10.0])
    quantiles = stats.nbinom.ppf(np.array(LEVELS), 1.0, 1 / 11.0)[None, :]
    quantiles[0, 3] = np.nan
    assert 0.7 < DISPERSIONS[fit_dispersion(mean, quantiles, LEVELS)][0] < 1.4


def test_nothing_is_asked_for_where_the_mean_is_zero() -> None:
    assert distribution(0, 0.0, 1.0) == 1.0
    assert len(fit_dispersion(np.zeros(1), np.zeros((1, 4)), LEVELS)) == 1


def test_the_gammas_have_mean_one_and_the_variance_of_their_shape() -> None:
    gammas = Draws.make(4000, 3, 0.0, 7).gammas
    assert gammas.mean(axis=1) == pytest.approx(np.ones((len(DISPERSIONS), 3)), abs=0.05)
    shape = np.abs(DISPERSIONS - 1.0).argmin()
    assert gammas[shape].var(axis=0) * DISPERSIONS[shape] == pytest.approx(np.ones(3), rel=0.1)


@pytest.mark.parametrize("dependence", [0.0, 0.6])
def test_neighbouring_weeks_depend_on_one_another_as_they_are_told_to(dependence: float) -> None:
    gammas = Draws.make(4000, 2, dependence, 7).gammas[-1]
    # Of a large shape a gamma is nearly normal, and the scores' correlation is its own.
    assert np.corrcoef(gammas.T)[0, 1] == pytest.approx(dependence, abs=0.05)


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = (Draws.make(50, 2, 0.3, seed).gammas for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
