import numpy as np
import pytest
from scipy import stats

from shelfcast.negative_binomial import DISPERSIONS, distribution, fit_dispersion

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
