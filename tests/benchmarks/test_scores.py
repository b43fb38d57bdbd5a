import numpy as np
import pytest

from benchmarks.scores import (
    covered,
    kept_quantiles,
    paired_rmse,
    pinball_ratio,
    pit_shares,
    poisson_deviance,
    scaled_rmse,
    share_of_naive_rmse,
)

Y, MISSED = np.array([[0.0, 2.0], [4.0, 2.0]]), np.array([[0.0, 0.0], [2.0, 2.0]])


def test_a_difference_in_rmse_and_its_interval_over_clusters() -> None:
    """Two stores of which one is told exactly and the other missed by 2: root(2) less root(4)."""
    a, b = Y + MISSED, Y + 2.0
    found = paired_rmse(Y, a, b, np.array(["s1", "s2"]), seed=1)
    assert found.difference == pytest.approx(2**0.5 - 2)
    assert (found.lower, found.upper) == pytest.approx((-2.0, 0.0))


def test_rows_of_a_cluster_are_drawn_together() -> None:
    a, b = Y + MISSED, Y + 2.0
    found = paired_rmse(Y, a, b, np.array(["s1", "s1"]), seed=1)
    assert found.lower == found.upper == pytest.approx(found.difference)


def test_the_error_of_the_mean_is_a_share_of_seasonal_naive_s() -> None:
    truth, mean = np.array([1.0, 3.0]), np.array([1.1, 2.9])
    assert share_of_naive_rmse(truth, mean, truth + 1.0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("y", "mean", "deviance"),
    [
        pytest.param([3.0], [3.0], 0.0, id="exact"),
        pytest.param([0.0], [1.5], 3.0, id="nothing-sold"),
        pytest.param([2.0], [1.0], 2 * (2 * np.log(2) - 1), id="one-too-low"),
        pytest.param([0.0], [0.0], 0.002, id="a-mean-of-nothing-is-a-thousandth"),
    ],
)
def test_poisson_deviance_by_hand(y: list[float], mean: list[float], deviance: float) -> None:
    assert poisson_deviance(np.array(y), np.array(mean)) == pytest.approx(deviance)


def test_pinball_losses_of_all_quantiles_are_compared_in_sum() -> None:
    """At 10: of p50 = 8 the loss is 1, of p90 = 9 it is 0.9; twice as far it is twice as much."""
    y, true, said = np.array([10.0]), np.array([[8.0, 9.0]]), np.array([[6.0, 8.0]])
    assert pinball_ratio(y, said, true, (0.5, 0.9)) == pytest.approx(2.0)
    assert pinball_ratio(y, np.array([[8.0, 11.0]]), true, (0.5, 0.9)) == pytest.approx((1 + 0.1) / (1 + 0.9))


def test_rmsse_is_a_mean_over_series_and_leaves_out_those_that_never_changed() -> None:
    y, mean = np.array([1.0, 1.0, 5.0, 5.0, 7.0]), np.array([1.0, 3.0, 2.0, 2.0, 0.0])
    naive, series = np.array([2.0, 2.0, 9.0, 9.0, 0.0]), np.array(["a", "a", "b", "b", "c"])
    assert scaled_rmse(y, mean, naive, series) == pytest.approx((1.0 + 1.0) / 2)


def test_a_quantile_of_counts_keeps_its_word_between_two_shares() -> None:
    y = np.array([0.0] * 60 + [1.0] * 40)
    told = kept_quantiles(y, np.stack([np.zeros(100), np.zeros(100), np.ones(100)], axis=1), (0.5, 0.63, 0.9))
    assert {name: (one["below"], one["at_most"], one["kept"]) for name, one in told.items()} == {
        "p50": (0.0, 0.6, True),
        "p63": (0.0, 0.6, False),
        "p90": (0.6, 1.0, True),
    }


def test_too_much_below_a_quantile_breaks_its_word_too() -> None:
    told = kept_quantiles(np.arange(100.0), np.full((100, 1), 13.0), (0.1,))
    assert not told["p10"]["kept"]


def test_the_interval_is_judged_where_the_mean_is_large() -> None:
    y, mean = np.array([19.0, 25.0, 40.0, 3.0]), np.array([20.0, 20.0, 30.0, 19.9])
    assert covered(y, y - 1, np.array([20.0, 24.0, 41.0, 9.0]), mean) == (3, pytest.approx(2 / 3))


def test_the_pit_of_the_true_distribution_is_flat() -> None:
    y = np.random.default_rng(3).integers(0, 4, 200_000)
    shares = pit_shares(y / 4, (y + 1) / 4, seed=5)
    assert shares.sum() == pytest.approx(1)
    assert np.abs(shares - 0.1).max() < 0.004


def test_the_pit_of_too_narrow_a_distribution_stands_up_at_its_ends() -> None:
    assert pit_shares(np.array([0.0, 1.0]), np.array([0.0, 1.0]), seed=1).tolist() == [0.5, *[0.0] * 8, 0.5]
