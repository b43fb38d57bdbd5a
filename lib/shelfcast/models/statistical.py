"""The statistical models: one series each, computed for all `n` series of a panel at once.

Every function: a panel in, the forecasts of the next `horizon` periods out, shape (n, horizon), in units. NaN in the
history is demand that is not known and is passed over; a series without any known period is forecast 0.
"""

import numpy as np

from shelfcast.history import (
    fill,
    grown_season,
    known_mean,
    last_known,
    pooled_season,
    recent_mean,
    recent_median,
    season_ago,
    sum_by_group,
)
from shelfcast.panel import FloatArray, Panel

SMOOTHING = (0.05, 0.1, 0.2, 0.3, 0.5)
START_PERIODS = 13


def zero(panel: Panel, horizon: int) -> FloatArray:
    """Nothing sells: what every model must beat, and the median of a thin series."""
    return np.zeros((len(panel), horizon))


def naive(panel: Panel, horizon: int) -> FloatArray:
    """The last known demand, over and over."""
    return _repeat(last_known(panel.y), horizon)


def seasonal_naive(panel: Panel, horizon: int) -> FloatArray:
    """The demand of the same period one season ago (the last whole season, where the horizon is longer than one)."""
    return fill(season_ago(panel.y, panel.season, horizon), moving_average(panel, horizon))


def moving_average(panel: Panel, horizon: int, window: int = 13) -> FloatArray:
    """The mean of the last `window` periods, as far as they are known."""
    return _repeat(recent_mean(panel.y, window), horizon)


def moving_median(panel: Panel, horizon: int, window: int = 13) -> FloatArray:
    """The median of the last `window` periods: what minimises the absolute error of a level that stays."""
    return _repeat(recent_median(panel.y, window), horizon)


def seasonal_growth(panel: Panel, horizon: int) -> FloatArray:
    """Last season's same period, scaled by how the last weeks compare with the same weeks a season ago."""
    return fill(grown_season(panel.y, panel.season, horizon), moving_average(panel, horizon))


def seasonal_pool(panel: Panel, horizon: int) -> FloatArray:
    """The series' recent level x the seasonal profile of its item over all stores of the panel."""
    items = np.unique(panel.ids["item_id"].to_numpy(dtype=str), return_inverse=True)[1]
    return fill(
        pooled_season(panel.y, panel.season, horizon, sum_by_group(panel.y, items), items),
        moving_average(panel, horizon),
    )


def seasonal_blend(panel: Panel, horizon: int) -> FloatArray:
    """The average of seasonal_growth and seasonal_pool: own noise against what the stores have in common."""
    return (seasonal_growth(panel, horizon) + seasonal_pool(panel, horizon)) / 2


def exponential_smoothing(panel: Panel, horizon: int) -> FloatArray:
    """Simple exponential smoothing, each series with the constant of SMOOTHING that had the least squared error."""
    level = _start(panel.y)
    loss = np.zeros_like(level)
    for column in panel.y.T:
        known = ~np.isnan(column)[:, None]
        error = np.where(known, column[:, None] - level, 0.0)
        loss += error**2
        level = level + np.array(SMOOTHING) * error
    return _repeat(_of_least(loss, level), horizon)


def croston(panel: Panel, horizon: int) -> FloatArray:
    """Croston (1972): smoothed size of a sale / smoothed periods between sales, with the best constant of SMOOTHING."""
    size, interval, waited = _start(panel.y), np.ones((len(panel), len(SMOOTHING))), np.ones((len(panel), 1))
    seen = np.zeros((len(panel), 1), dtype=bool)
    loss = np.zeros_like(size)
    for column in panel.y.T[:, :, None]:
        known = ~np.isnan(column)
        value = np.where(known, column, 0.0)
        sold = value != 0
        loss += np.where(known & seen, (value - size / interval) ** 2, 0.0)
        constant = np.where(seen, np.array(SMOOTHING), 1.0)
        size = np.where(sold, size + constant * (value - size), size)
        interval = np.where(sold, interval + constant * (waited - interval), interval)
        waited = np.where(sold, 1.0, waited + known)
        seen |= sold
    return _repeat(np.where(seen[:, 0], _of_least(loss, size / interval), 0.0), horizon)


def tsb(panel: Panel, horizon: int) -> FloatArray:
    """Teunter, Syntetos and Babai (2011): smoothed size x smoothed probability of a sale, which decays while none
    sells."""
    constants = np.array([(size, chance) for size in SMOOTHING for chance in SMOOTHING[:3]])
    sold_first = recent_mean(np.where(np.isnan(panel.y), np.nan, panel.y != 0), panel.y.shape[1])
    size = np.repeat(_size_of_a_sale(panel.y)[:, None], len(constants), axis=1)
    chance = np.repeat(sold_first[:, None], len(constants), axis=1)
    loss, level = smoothed_sales(panel.y, size, chance, constants)
    return _repeat(_of_least(loss, level), horizon)


def smoothed_sales(
    y: FloatArray, size: FloatArray, chance: FloatArray, constants: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """TSB's recursion: its squared error over the history and the level it ends at, both of shape (n, k).

    size, chance: where they start, shape (n, k). constants: k pairs, of the size and of the chance.
    """
    loss, (of_size, of_chance) = np.zeros_like(size), constants.T
    for column in y.T[:, :, None]:
        known = ~np.isnan(column)
        value = np.where(known, column, 0.0)
        sold = value != 0
        loss += known * (value - size * chance) ** 2
        size = size + sold * of_size * (value - size)
        chance = chance + known * of_chance * (sold - chance)
    return loss, size * chance


def _size_of_a_sale(y: FloatArray) -> FloatArray:
    return recent_mean(np.where(y == 0, np.nan, y), y.shape[1])


def _start(y: FloatArray) -> FloatArray:
    """Where smoothing begins, a column a constant: the mean of START_PERIODS periods from the first known one."""
    first = np.argmax(~np.isnan(y), axis=1)
    columns = first[:, None] + np.arange(START_PERIODS)
    inside = np.take_along_axis(y, np.minimum(columns, y.shape[1] - 1), axis=1)
    begun = fill(known_mean(np.where(columns < y.shape[1], inside, np.nan)), np.zeros(len(y)))
    return np.repeat(begun[:, None], len(SMOOTHING), axis=1)


def _of_least(loss: FloatArray, values: FloatArray) -> FloatArray:
    return np.asarray(values[np.arange(len(values)), loss.argmin(axis=1)])


def _repeat(level: FloatArray, horizon: int) -> FloatArray:
    return np.repeat(level[:, None], horizon, axis=1)
