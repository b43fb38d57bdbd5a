from dataclasses import replace

import numpy as np
import pytest

from mlp_builders import WEEKS, poisson_panel
from shelfcast.features import LEVEL_FEATURES, series_scale
from shelfcast.models.mlp.windows import AHEAD, BASES, HISTORY, Windows, make_windows, window_scale
from shelfcast.panel import Panel

N = np.nan


def ahead(windows: Windows, name: str) -> np.ndarray:
    return windows.ahead[..., AHEAD.index(name)]


def test_a_window_has_the_shapes_that_the_networks_read() -> None:
    windows = make_windows(poisson_panel(), 20, 4)
    shapes = [part.shape for part in (windows.history, windows.level, windows.ahead, windows.base, windows.y)]
    assert shapes == [(6, HISTORY), (6, len(LEVEL_FEATURES)), (6, 4, len(AHEAD)), (6, 4, len(BASES)), (6, 4)]


def test_demand_enters_as_multiples_of_the_level() -> None:
    """Of a few units a level is steadied, and a season no more than chance: what sells a hundred times has neither."""
    counts = poisson_panel()
    panel, large = (replace(counts, y=counts.y * size) for size in (100, 10_000))
    one, other = make_windows(panel, 20, 4), make_windows(large, 20, 4)
    for name in ("history", "ahead", "base", "y"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-5)
    np.testing.assert_allclose(one.y[:, 0] * one.scale, panel.y[:, 20], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one.history[:, -1], panel.y[:, 19] / series_scale(panel.y[:, :20]) - 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("y", "wanted"),
    [
        pytest.param([4.0] * 40, 4.0, id="steady"),
        pytest.param([4.0] * 27 + [0.0] * 13, 2.7 / 14, id="a-large-series-that-stands-still"),
        pytest.param([0.5] * 27 + [0.0] * 13, 2 / (13 + 2 / (13.5 / 40)), id="a-thin-one-rests-on-two-units"),
        pytest.param([N] * 30 + [2.0] * 10, 2.0, id="what-is-not-known-is-passed-over"),
        pytest.param([0.0] * 40, 0.0, id="nothing-sold"),
    ],
)
def test_the_level_of_a_thin_series_is_steadied_by_its_whole_history(y: list[float], wanted: float) -> None:
    np.testing.assert_allclose(window_scale(np.array([y])), [wanted])


def test_levels_less_their_season_are_simple_forecasts() -> None:
    """Two stores of an item sell at 3 to 1, in the second half of each season double."""
    season = np.tile(np.repeat([100.0, 200.0], 13), 4)
    panel = replace(poisson_panel(weeks=104, season=26), y=np.outer([3.0, 9.0, 9.0, 1.0, 9.0, 9.0], season))
    windows = make_windows(panel, 97, 7)
    for name in ("own_26", "own_104", "shared_8", "shared_26"):
        said = windows.base[..., BASES.index(name)] * windows.scale[:, None]
        np.testing.assert_allclose(said[[0, 3]], np.outer([600.0, 200.0], np.ones(7)), rtol=0.08)
    now = ahead(windows, "profile")
    np.testing.assert_allclose(now[0], 200 / season[97 - 13 : 97].mean() - 1, atol=0.1)


def test_the_future_leaves_a_window_unchanged() -> None:
    panel = poisson_panel()
    changed = np.where(np.arange(WEEKS) < 20, panel.y, 999.0)
    one, other = make_windows(panel, 20, 4), make_windows(replace(panel, y=changed), 20, 4)
    for name in ("scale", "counted", "history", "level", "ahead", "base"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_series_that_has_not_sold_has_no_window() -> None:
    panel = poisson_panel()
    y = panel.y.copy()
    y[2, :20] = 0
    assert make_windows(replace(panel, y=y), 20, 4).series.tolist() == [0, 1, 3, 4, 5]


def test_what_is_not_known_stands_at_the_level_and_has_no_target() -> None:
    panel = poisson_panel()
    y = np.where(np.arange(WEEKS) < 10, np.nan, panel.y)
    windows = make_windows(replace(panel, y=y), 20, 12)
    assert (windows.history[:, :-10] == 0).all()
    assert np.isnan(windows.y[:, 10:]).all()
    assert not np.isnan(windows.y[:, :10]).any()
    assert (ahead(windows, "season_is_known") == [0] * 3 + [1] * 9).all()


def test_a_planned_promotion_is_known_ahead() -> None:
    windows = make_windows(poisson_panel(), 20, 6)
    np.testing.assert_allclose(ahead(windows, "promoted")[0], [0.8, -0.2, -0.2, -0.2, -0.2, 0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("planned", "wanted"),
    [([np.nan] * 4, [np.log(1.5)] * 4), ([2.0, 4.0, np.nan, 0.0], [0, np.log(2), np.log(1.5), 0])],
)
def test_a_price_ahead_is_the_planned_or_the_last_one_over_the_usual(planned: list[float], wanted: list[float]) -> None:
    panel = poisson_panel()
    prices = np.full((6, WEEKS + 8), np.nan)
    prices[:, [3, 18]], prices[:, 20:24] = [1.0, 3.0], planned
    windows = make_windows(replace(panel, covariates={"price": prices}), 20, 4)
    np.testing.assert_allclose(ahead(windows, "price")[0], wanted, rtol=1e-6)


def test_without_a_price_or_promotion_nothing_is_said_of_them() -> None:
    windows = make_windows(replace(poisson_panel(), covariates={}), 20, 4)
    assert not ahead(windows, "price").any()
    assert not ahead(windows, "promoted").any()


@pytest.mark.parametrize(
    ("season", "alike"),
    [
        pytest.param(4, BASES[:6], id="but-for-the-profile-once-seasons-repeat"),
        pytest.param(26, BASES, id="all-before"),
    ],
)
def test_windows_of_a_panel_are_those_of_its_parts_that_hold_whole_items(season: int, alike: tuple[str, ...]) -> None:
    panel = poisson_panel(season=season)
    whole, part = make_windows(panel, 20, 4), _of_item(panel, "i1")
    rows, places = np.flatnonzero(panel.ids["item_id"] == "i1"), [BASES.index(name) for name in alike]
    np.testing.assert_array_equal(make_windows(part, 20, 4).base[..., places], whole.base[rows][..., places])


def _of_item(panel: Panel, item: str) -> Panel:
    return panel.take(np.flatnonzero(panel.ids["item_id"] == item))
