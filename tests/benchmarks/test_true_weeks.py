import numpy as np
import pytest
from scipy import stats

from benchmarks.true_weeks import quantiles, weekly_distribution


def test_a_day_on_which_all_come_is_negative_binomial() -> None:
    found = weekly_distribution(np.array([[2.0]]), np.array([1.0]), np.array([3.0]), 256)
    np.testing.assert_allclose(found[0, :40], stats.nbinom(3.0, 0.6).cdf(np.arange(40)), atol=1e-12)


def test_days_add_up() -> None:
    """Two days of one dispersion and one mean: negative binomial of twice both."""
    found = weekly_distribution(np.array([[2.0, 2.0]]), np.array([1.0]), np.array([3.0]), 256)
    np.testing.assert_allclose(found[0, :40], stats.nbinom(6.0, 0.6).cdf(np.arange(40)), atol=1e-12)


def test_who_does_not_come_buys_nothing() -> None:
    """Half come and buy 4 in the mean, geometrically: P(0) = 1/2 + 1/2 x 1/5, and of two such days the square."""
    found = weekly_distribution(np.array([[2.0, 0.0], [2.0, 2.0]]), np.full(2, 0.5), np.ones(2), 1024)
    assert found[:, 0] == pytest.approx([0.6, 0.36])
    assert found[0, 1] == pytest.approx(0.6 + 0.5 * 0.2 * 0.8)


def test_what_is_not_listed_never_sells() -> None:
    found = weekly_distribution(np.zeros((1, 7)), np.array([0.1]), np.array([0.3]), 64)
    np.testing.assert_allclose(found, 1.0)


def test_a_quantile_is_the_first_count_that_reaches_its_level() -> None:
    distribution = np.array([[0.5, 0.9, 1.0], [0.1, 0.2, 1.0]])
    assert quantiles(distribution, (0.1, 0.5, 0.9, 0.98)).tolist() == [[0.0, 0.0, 1.0, 2.0], [0.0, 2.0, 2.0, 2.0]]
