import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast.insights.seasonality import WAVES, season_index, strengths

YEAR, WEEKS = 52, 156
TIME = np.arange(WEEKS)
NOISE = np.random.default_rng(3).normal(0, 10, (200, WEEKS))
WAVE = 30 * np.sin(2 * np.pi * TIME / YEAR)


def test_noise_alone_has_hardly_a_season_or_a_trend() -> None:
    found = strengths(200 + NOISE, YEAR)
    assert found.season.mean() < 0.05
    assert found.trend.mean() < 0.02


def test_a_strength_is_the_share_of_the_variance_that_is_left_without_the_part() -> None:
    found = strengths(200 + WAVE + NOISE, YEAR)
    # Variance of the wave 450, of the noise 100.
    assert found.season.mean() == pytest.approx(450 / 550, abs=0.02)
    rising = strengths(200 + 0.5 * TIME + NOISE, YEAR)
    line = 0.25 * (WEEKS**2 - 1) / 12
    assert rising.trend.mean() == pytest.approx(line / (line + 100), abs=0.02)


def test_growth_is_a_year_s_rise_as_a_share_of_the_mean_and_its_interval_holds_it_nearly_as_often_as_it_says() -> None:
    found = strengths(200 + 0.5 * TIME + WAVE + NOISE, YEAR)
    truth = 0.5 * YEAR / (200 + 0.5 * (WEEKS - 1) / 2)
    assert found.growth.mean() == pytest.approx(truth, rel=0.01)
    assert 0.88 <= ((found.lower <= truth) & (truth <= found.upper)).mean() <= 0.99


def test_weeks_that_depend_on_one_another_widen_the_interval() -> None:
    steps = np.random.default_rng(4).normal(0, 10, (100, WEEKS))
    tied = np.zeros_like(steps)
    for week in range(1, WEEKS):
        tied[:, week] = 0.6 * tied[:, week - 1] + steps[:, week]
    tied *= NOISE.std() / tied.std()
    free, bound = strengths(200 + NOISE, YEAR), strengths(200 + tied, YEAR)
    assert (bound.upper - bound.lower).mean() > 1.3 * (free.upper - free.lower).mean()


def test_the_standard_error_is_newey_and_west_s_by_the_long_way() -> None:
    y = (200 + WAVE + NOISE)[0]
    angles = [2 * np.pi * wave * TIME / YEAR for wave in range(1, WAVES + 1)]
    columns = [np.ones(WEEKS), TIME - TIME.mean(), *map(np.sin, angles), *map(np.cos, angles)]
    x = np.stack(columns, axis=1)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    lags = int(4 * (WEEKS / 100) ** (2 / 9))
    middle = np.zeros((x.shape[1], x.shape[1]))
    for one in range(WEEKS):
        for other in range(WEEKS):
            if abs(one - other) <= lags:
                weight = 1 - abs(one - other) / (lags + 1)
                middle += weight * residual[one] * residual[other] * np.outer(x[one], x[other])
    inverse = np.linalg.inv(x.T @ x)
    variance = (inverse @ middle @ inverse)[1, 1] * WEEKS / (WEEKS - x.shape[1])
    found = strengths(y[None, :], YEAR)
    half = 1.959964 * np.sqrt(variance) * YEAR / y.mean()
    assert found.upper[0] - found.growth[0] == pytest.approx(half, rel=1e-6)


@given(st.just(0.0) | st.floats(0.001, 1e6))
def test_what_never_changes_has_neither_season_nor_trend(level: float) -> None:
    found = strengths(np.full((1, 104), level), YEAR)
    assert (found.season[0], found.trend[0]) == (0, 0)
    assert found.growth[0] == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 51), st.floats(1.5, 5))
def test_a_week_that_sells_more_each_year_is_the_peak_of_the_index(week: int, times: float) -> None:
    y = np.full((1, 104), 50.0)
    y[:, TIME[:104] % YEAR == week] *= times
    index = season_index(y, YEAR)[0]
    assert index.argmax() == week
    assert len(index) == YEAR
