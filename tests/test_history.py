import numpy as np
import pytest

from shelfcast import history
from shelfcast.panel import FloatArray

N = np.nan
Y = np.array([[N, N, 1.0, 2.0, N, 4.0], [5.0, 0.0, 0.0, 0.0, 0.0, N], [N, N, N, N, N, N]])


def seasons(years: int, season: int, growth: float, seed: int = 0) -> FloatArray:
    """Three series, each the same year over and over, but for a growth from year to year."""
    year = np.random.default_rng(seed).uniform(5, 15, (3, season))
    return np.concatenate([year * growth**n for n in range(years)], axis=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("last_known", [4.0, 0.0, 0.0]), ("known_mean", [7 / 3, 1.0, N])],
)
def test_passes_over_what_is_not_known(name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(getattr(history, name)(Y), expected)


@pytest.mark.parametrize(
    ("window", "means", "medians"),
    [
        (3, [3.0, 0.0, 0.0], [3.0, 0.0, 0.0]),
        (2, [4.0, 0.0, 0.0], [4.0, 0.0, 0.0]),
        (9, [7 / 3, 1.0, 0.0], [2.0, 0.0, 0.0]),
    ],
)
def test_a_window_is_as_long_as_the_history_at_most(window: int, means: list[float], medians: list[float]) -> None:
    np.testing.assert_allclose(history.recent_mean(Y, window), means)
    np.testing.assert_allclose(history.recent_median(Y, window), medians)


def test_a_window_without_a_known_period_falls_back_on_the_whole_history() -> None:
    y = np.array([[6.0, 2.0, N, N]])
    assert (history.recent_mean(y, 2), history.recent_median(y, 2)) == (4.0, 4.0)


@pytest.mark.parametrize(
    ("season", "horizon", "shift", "expected"),
    [
        (4, 3, 0, [3.0, 4.0, 5.0]),
        (4, 3, 1, [4.0, 5.0, 6.0]),
        (4, 3, -1, [2.0, 3.0, 4.0]),
        (2, 5, 0, [5.0, 6.0, 5.0, 6.0, 5.0]),
        (7, 2, 0, [N, 1.0]),
        (2, 2, 1, [6.0, N]),
    ],
)
def test_season_ago_is_the_last_one_before_the_cutoff(
    season: int, horizon: int, shift: int, expected: list[float]
) -> None:
    y = np.arange(1.0, 7.0)[None, :]
    np.testing.assert_array_equal(history.season_ago(y, season, horizon, shift)[0], expected)


def test_season_near_is_the_mean_of_three_neighbours_as_far_as_known() -> None:
    y = np.array([[1.0, 5.0, 9.0, 2.0, N, 4.0]])
    np.testing.assert_allclose(history.season_near(y, 4, 2), [[(5 + 9 + 2) / 3, (9 + 2) / 2]])


def test_grown_season_finds_the_growth_of_a_year_that_repeats() -> None:
    y, ahead = seasons(3, 52, growth=1.1), 8
    cut, truth = y[:, : 2 * 52], y[:, 2 * 52 : 2 * 52 + ahead]
    error = np.abs(history.grown_season(cut, 52, ahead) / truth - 1)
    assert error.max() < 0.035  # the prior draws the growth of 1.1 towards 1
    assert (history.grown_season(cut, 52, ahead) > history.season_ago(cut, 52, ahead)).all()


def test_a_growth_stays_within_its_limits() -> None:
    y = np.concatenate([np.ones((1, 52)), np.full((1, 26), 1000.0)], axis=1)
    assert history.grown_season(y, 52, 2).max() == pytest.approx(history.GROWTH_LIMITS[1])


def test_without_a_season_and_a_window_nothing_is_said() -> None:
    y = np.ones((2, 55))
    assert np.isnan(history.grown_season(y, 52, 3)).all()
    assert np.isnan(history.pooled_season(y, 52, 3, y, np.array([0, 1]))).all()


def test_pooled_season_gives_each_series_its_own_level_and_the_profile_of_its_group() -> None:
    profile = np.random.default_rng(1).uniform(0.5, 2, 52)
    levels = np.array([[3.0], [7.0], [100.0]])
    y = levels * np.tile(profile, 3)[None, : 2 * 52 + 20]
    truth = levels * np.tile(profile, 3)[None, 2 * 52 + 20 : 2 * 52 + 28]
    groups = np.array([0, 0, 0])
    found = history.pooled_season(y, 52, 8, history.sum_by_group(y, groups), groups)
    np.testing.assert_allclose(found, truth, rtol=1e-9)


def test_a_groups_total_passes_over_what_is_not_known() -> None:
    y = np.array([[1.0, np.nan, 3.0], [10.0, 20.0, 30.0], [5.0, 5.0, np.nan]])
    np.testing.assert_array_equal(history.sum_by_group(y, np.array([0, 0, 1])), [[11.0, 20.0, 33.0], [5.0, 5.0, 0.0]])


def test_pooled_season_takes_nothing_from_other_groups() -> None:
    y = np.random.default_rng(2).uniform(1, 9, (4, 70))
    groups = np.array([0, 0, 1, 1])
    changed = y.copy()
    changed[2:] *= np.random.default_rng(3).uniform(1, 5, (2, 70))
    one, other = (
        history.pooled_season(values, 52, 8, history.sum_by_group(values, groups), groups)[:2]
        for values in (y, changed)
    )
    np.testing.assert_array_equal(one, other)
