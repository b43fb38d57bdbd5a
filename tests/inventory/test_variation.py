"""How demand varies is what a series' own weeks show, whatever its mean."""

import numpy as np
import pytest

from shelfcast.inventory.variation import dispersion_of, levels_around, posteriors

WEEKS, SERIES = 104, 150


def weeks_of(mean: float, k: float, seed: int, n: int = SERIES) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(mean * rng.gamma(k, 1 / k, (WEEKS, n))).astype(np.float64)


def inverse(weekly: np.ndarray) -> np.ndarray:
    return 1 / dispersion_of(weekly)


def test_lumpy_and_smooth_series_of_one_mean_are_told_apart() -> None:
    found = inverse(np.concatenate([weeks_of(2.0, 0.2, 1), weeks_of(2.0, 20.0, 2)], axis=1))
    assert np.median(found[:SERIES]) == pytest.approx(5.0, rel=0.35)
    assert np.median(found[SERIES:]) < 0.15
    assert found[:SERIES].min() > found[SERIES:].max()


def test_the_higher_the_variance_the_higher_is_what_is_found() -> None:
    found = inverse(np.concatenate([weeks_of(6.0, k, 3) for k in (0.15, 0.5, 2.0, 10.0)], axis=1))
    medians = np.median(found.reshape(4, SERIES), axis=1)
    assert (np.diff(medians) < 0).all()


def test_a_season_is_no_variation() -> None:
    season = np.exp(0.5 * np.sin(2 * np.pi * np.arange(WEEKS) / 52))[:, None]
    rng = np.random.default_rng(4)
    steady = rng.poisson(20 * season.repeat(SERIES, axis=1)).astype(np.float64)
    assert np.median(inverse(steady)) < 0.02


def test_few_weeks_are_judged_by_what_is_usual_among_the_others() -> None:
    weekly = np.concatenate([weeks_of(2.0, 0.2, 5), np.full((WEEKS, 1), np.nan)], axis=1)
    weekly[-2:, -1] = 1.0
    usual = np.median(inverse(weekly)[:-1])
    assert inverse(weekly)[-1] == pytest.approx(usual, rel=0.5)


def test_weeks_that_are_not_known_change_nothing() -> None:
    weekly = weeks_of(3.0, 1.0, 6, 20)
    later = np.concatenate([np.full((10, 20), np.nan), weekly])
    assert posteriors(later) == pytest.approx(posteriors(weekly), abs=0.05)


def test_a_level_is_the_mean_of_the_weeks_beside_and_not_the_week_itself() -> None:
    weekly = np.ones((30, 1))
    weekly[15] = 1000.0
    assert levels_around(weekly)[15, 0] < 15
    assert levels_around(weekly)[14, 0] > 60
