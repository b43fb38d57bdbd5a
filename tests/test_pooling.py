import numpy as np
import pytest

from shelfcast.history import sum_by_group
from shelfcast.panel import FloatArray
from shelfcast.pooling import own_level, seasonal_profile, shared_levels

SEASON = 52
YEAR = 1 + 0.3 * np.sin(2 * np.pi * np.arange(SEASON) / SEASON)


def factors(weeks: int) -> FloatArray:
    """The seasonal factors of so many weeks."""
    return YEAR[np.arange(weeks) % SEASON]


def test_a_season_that_repeats_is_found_in_steady_demand() -> None:
    totals = np.outer([2000.0, 500.0], factors(2 * SEASON))
    profile = seasonal_profile(totals, SEASON, 8)
    assert profile.shape == (2, 2 * SEASON + 8)
    np.testing.assert_allclose(profile, np.tile(factors(2 * SEASON + 8), (2, 1)), atol=0.06)


def test_a_growing_demand_has_no_season() -> None:
    totals = 1000 * 1.2 ** (np.arange(3 * SEASON)[None, :] / SEASON)
    np.testing.assert_allclose(seasonal_profile(totals, SEASON, 8), 1, atol=0.04)


def test_of_noisy_groups_the_season_of_all_is_told() -> None:
    """Of two groups in forty the demand moves against the season; one sells much, the other a unit now and then."""
    draw, weeks = np.random.default_rng(3), 3 * SEASON
    level = np.full(40, 20.0)
    level[0], level[1] = 4000.0, 0.2
    mean = level[:, None] * np.where(np.arange(40)[:, None] < 2, 2 - factors(weeks), factors(weeks))
    found = seasonal_profile(draw.poisson(mean).astype(float), SEASON, SEASON)[:, weeks:]
    against = [np.corrcoef(own, YEAR)[0, 1] for own in found]
    assert against[0] < -0.5
    assert min(against[1:]) > 0.5


@pytest.mark.parametrize("weeks", [1, 51, 55])
def test_before_a_season_has_repeated_there_is_none(weeks: int) -> None:
    assert (seasonal_profile(np.ones((2, weeks)), SEASON, 4) == np.ones((2, weeks + 4))).all()


def test_a_group_that_never_sold_has_the_season_of_the_others() -> None:
    totals = np.stack([np.zeros(2 * SEASON), 1000 * factors(2 * SEASON)])
    none, other = seasonal_profile(totals, SEASON, 4)
    np.testing.assert_allclose(none, other, atol=0.1)


def test_what_was_returned_moves_no_other_season() -> None:
    """Of two items more came back than sold, by about as much as their noise is."""
    returned = np.tile([-90.0, -60.0, -60.0, -67.0], 26)
    totals = np.stack([1000 * factors(2 * SEASON), returned, returned - 2.5])
    profile = seasonal_profile(totals, SEASON, 4)
    np.testing.assert_allclose(profile[0], factors(2 * SEASON + 4), atol=0.06)
    assert ((profile > 0.5) & (profile < 2)).all()


def test_an_own_level_is_what_sold_over_the_season_of_its_weeks() -> None:
    y = np.array([[np.nan, 8.0, 2.0, 4.0], [6.0, 6.0, np.nan, np.nan], [np.nan] * 4])
    profile = np.array([[1.0, 4.0, 1.0, 2.0], [2.0, 1.0, 1.0, 1.0], [1.0] * 4])
    np.testing.assert_allclose(own_level(y, profile, 2), [6 / 3, 12 / 3, 0])


def test_a_shared_level_follows_the_whole_group_in_proportion() -> None:
    """Two stores sell at 3 to 1, of which the second came later; then the item sells double, and a week nothing."""
    period = np.array([4.0, 4.0, 4.0, 4.0, 8.0, 8.0])
    y = np.outer([3.0, 1.0, 5.0], period)
    y[1, :3] = np.nan
    y[2] = 5.0
    groups, profile = np.array([0, 0, 1]), np.ones((3, 6))
    recent, all_weeks = shared_levels(y, profile, groups, (2, 6))
    np.testing.assert_allclose(recent, [24, 8, 5], rtol=0.02)
    np.testing.assert_allclose(all_weeks[0] / all_weeks[1], 3, rtol=0.02)


def test_shared_levels_are_those_of_the_item_however_many_others_there_are() -> None:
    draw = np.random.default_rng(5)
    y, groups = draw.poisson(2.0, (6, 30)).astype(float), np.array([0, 0, 0, 1, 1, 1])
    whole = shared_levels(y, np.ones_like(y), groups, (8,))[0]
    part = shared_levels(y[3:], np.ones((3, 30)), groups[3:] - 1, (8,))[0]
    np.testing.assert_array_equal(whole[3:], part)


def test_an_item_that_stopped_everywhere_comes_to_nothing() -> None:
    y = np.concatenate([np.full((3, 20), 2.0), np.zeros((3, 8))], axis=1)
    totals = sum_by_group(y, np.zeros(3, dtype=np.int64))
    assert totals[0, -1] == 0
    assert (shared_levels(y, np.ones_like(y), np.zeros(3, dtype=np.int64), (8,))[0] == 0).all()
