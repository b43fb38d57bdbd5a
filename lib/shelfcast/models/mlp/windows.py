"""Windows: what the networks read of a series at an origin, and the demand of the periods ahead.

A window is one (series, origin): all that enters it is known after `origin` periods, or planned ahead. Demand enters as
a multiple of the series' own recent level (`scale`), so that one network serves series of any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfcast.events import CALENDAR_FEATURES, calendar_features
from shelfcast.features import LEVEL_FEATURES, SCALE_PRIOR, SCALE_WINDOW, level_features, period_days
from shelfcast.history import (
    fill,
    grown_season,
    known_mean,
    pooled_season,
    recent_mean,
    season_ago,
    season_near,
    sum_by_group,
)
from shelfcast.panel import FloatArray, Panel
from shelfcast.pooling import own_level, seasonal_profile, shared_levels

Float32 = NDArray[np.float32]

HISTORY = 52
# Weeks of the levels less their season: of the series alone, and of its item in all stores.
OWN_WINDOWS, SHARED_WINDOWS = (26, 104), (8, 26)
# Simple forecasts, which a network weighs and corrects.
BASES = (
    *("mean_4", "mean_13", "mean_52", "season_near", "grown_season", "pooled_season"),
    *(f"own_{window}" for window in OWN_WINDOWS),
    *(f"shared_{window}" for window in SHARED_WINDOWS),
)
SEASONS = ("season_ago", "season_near", "grown_season", "pooled_season", "two_seasons_ago")
PLANNED = ("promoted", "price")
AHEAD = (*SEASONS, "profile", "season_is_known", *PLANNED, *CALENDAR_FEATURES)
# Of a series that nearly stood still one ordinary week is a hundred times its level.
RATIO_LIMIT = 20.0
# Units that a level rests on: a series that sells a unit in a month and was silent for a quarter has not stood still.
LEAST_SOLD = 2.0
PRICE_LIMIT = 1.0


@dataclass(frozen=True)
class Windows:
    """`n` windows of horizon h.

    series: rows of the panel. origin: periods known. scale: units. counted: whether the series has sold in whole units
    alone. history: shape (n, HISTORY), the newest last; level: (n, LEVEL_FEATURES); ahead: (n, h, AHEAD); base:
    (n, h, BASES), multiples of the scale. What is not known stands at the level. y: (n, h), multiples of the scale,
    NaN where not known.
    """

    series: NDArray[np.int64]
    origin: NDArray[np.int64]
    scale: Float32
    counted: NDArray[np.bool_]
    history: Float32
    level: Float32
    ahead: Float32
    base: Float32
    y: Float32

    def __len__(self) -> int:
        return len(self.series)


def make_windows(panel: Panel, origin: int, horizon: int, country: str = "US") -> Windows:
    """The windows of every series of `panel` that had ever sold after `origin` (1..T) periods, in their order."""
    scale = window_scale(panel.y[:, :origin])
    series = np.flatnonzero(scale > 0)
    known, unit = panel.y[series, :origin], scale[series][:, None]
    seasons = _seasons(panel, series, origin, horizon, unit)
    levels = level_features(known, scale[series])
    return Windows(
        series=series,
        origin=np.full(len(series), origin),
        scale=scale[series].astype(np.float32),
        counted=(np.nan_to_num(known) % 1 == 0).all(axis=1),
        history=_from_level(_last(known, HISTORY) / unit),
        level=_numbers(np.stack([levels[name] for name in LEVEL_FEATURES], axis=1)),
        ahead=_ahead(panel, series, origin, horizon, seasons, country),
        base=_bases(levels, seasons, horizon),
        y=(_targets(panel, series, origin, horizon) / unit).astype(np.float32),
    )


def window_scale(y: FloatArray) -> FloatArray:
    """The level of each row in units: as `series_scale`, but steadied by as many weeks of the whole history as have
    LEAST_SOLD units on average, if that is more."""
    size, recent = np.abs(y), np.abs(y[:, -SCALE_WINDOW:])
    overall, known = recent_mean(size, size.shape[1]), (~np.isnan(recent)).sum(axis=1)
    prior = np.maximum(SCALE_PRIOR * overall, np.where(overall > 0, LEAST_SOLD, 0.0))
    weeks = np.divide(prior, overall, out=np.full(len(y), SCALE_PRIOR), where=overall > 0)
    scale: FloatArray = (np.nansum(recent, axis=1) + prior) / (known + weeks)
    return scale


def _seasons(
    panel: Panel, series: NDArray[np.int64], origin: int, horizon: int, unit: FloatArray
) -> dict[str, FloatArray]:
    """SEASONS and what `_profiled` gives, each of shape (series, h), multiples of `unit`; NaN where not known at the
    origin."""
    items = np.unique(panel.ids["item_id"].to_numpy(dtype=str), return_inverse=True)[1]
    known, season = panel.y[series, :origin], panel.season
    totals = sum_by_group(panel.y[:, :origin], items)
    levels, profile = _profiled(panel.y[:, :origin], season, horizon, totals, items, series)
    found = {
        "season_ago": season_ago(known, season, horizon),
        "season_near": season_near(known, season, horizon),
        "grown_season": grown_season(known, season, horizon),
        "pooled_season": pooled_season(known, season, horizon, totals, items[series]),
        "two_seasons_ago": season_ago(known, 2 * season, horizon),
        **levels,
    }
    return {name: values / unit for name, values in found.items()} | {"profile": profile}


def _profiled(
    y: FloatArray,
    season: int,
    horizon: int,
    totals: FloatArray,
    items: NDArray[np.int64],
    series: NDArray[np.int64],
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Levels x seasonal profile, `own_` of the series alone and `shared_` by all stores of its item, in units; and the
    profile ahead as multiples of that of the last weeks. Each of shape (series, h)."""
    profile = seasonal_profile(totals, season, horizon)[items]
    known, ahead = profile[:, : y.shape[1]], profile[series, y.shape[1] :]
    levels = {f"own_{window}": own_level(y[series], known[series], window) for window in OWN_WINDOWS}
    shared = shared_levels(y, known, items, SHARED_WINDOWS)
    levels |= {f"shared_{window}": level[series] for window, level in zip(SHARED_WINDOWS, shared, strict=True)}
    of_now = known_mean(known[series, -SCALE_WINDOW:])[:, None]
    return {name: level[:, None] * ahead for name, level in levels.items()}, ahead / of_now


def _bases(levels: Mapping[str, FloatArray], seasons: Mapping[str, FloatArray], horizon: int) -> Float32:
    named = {name: np.repeat(values[:, None], horizon, axis=1) for name, values in levels.items()}
    named |= seasons
    return _numbers(np.stack([named[name] for name in BASES], axis=2), unknown=1.0)


def _ahead(
    panel: Panel,
    series: NDArray[np.int64],
    origin: int,
    horizon: int,
    seasons: Mapping[str, FloatArray],
    country: str,
) -> Float32:
    days = period_days(panel)
    starts = panel.periods[0] + (origin + np.arange(horizon)) * np.timedelta64(days, "D")
    calendar = calendar_features(starts, days, country)[list(CALENDAR_FEATURES)].to_numpy()
    columns = [_from_level(seasons[name]) for name in (*SEASONS, "profile")]
    columns.append((~np.isnan(seasons["season_ago"])).astype(np.float32))
    columns += [_promoted(panel, series, origin, horizon), _price(panel, series, origin, horizon)]
    repeated = np.broadcast_to(calendar.astype(np.float32), (len(series), *calendar.shape))
    return np.concatenate([np.stack(columns, axis=2), repeated], axis=2, dtype=np.float32)


def _promoted(panel: Panel, series: NDArray[np.int64], origin: int, horizon: int) -> Float32:
    """Planned promotion less the usual one of the series, 0 where nothing is planned."""
    if "promoted" not in panel.covariates:
        return np.zeros((len(series), horizon), dtype=np.float32)
    promoted = panel.covariates["promoted"][series]
    usual = recent_mean(promoted[:, :origin], HISTORY)[:, None]
    return _numbers(_between(promoted, origin, horizon) - usual)


def _price(panel: Panel, series: NDArray[np.int64], origin: int, horizon: int) -> Float32:
    """The log of the price ahead, or the last known one, over the series' usual price; 0 where none is known."""
    if "price" not in panel.covariates:
        return np.zeros((len(series), horizon), dtype=np.float32)
    prices = panel.covariates["price"][series]
    usual = known_mean(prices[:, max(origin - HISTORY, 0) : origin])[:, None]
    last = np.where(np.isnan(usual), np.nan, _last_known(prices[:, :origin])[:, None])
    ratio = fill(_between(prices, origin, horizon), np.repeat(last, horizon, axis=1)) / usual
    return _numbers(np.log(np.where(ratio > 0, ratio, np.nan)), limit=PRICE_LIMIT)


def _last_known(values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    at = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.asarray(values[np.arange(len(values)), at])


def _targets(panel: Panel, series: NDArray[np.int64], origin: int, horizon: int) -> FloatArray:
    return _between(panel.y[series], origin, horizon)


def _between(values: FloatArray, start: int, horizon: int) -> FloatArray:
    """The columns from `start` on, shape (n, horizon), NaN beyond the last."""
    found = values[:, start : start + horizon]
    return np.pad(found, ((0, 0), (0, horizon - found.shape[1])), constant_values=np.nan)


def _last(values: FloatArray, window: int) -> FloatArray:
    found = values[:, -window:]
    return np.pad(found, ((0, 0), (window - found.shape[1], 0)), constant_values=np.nan)


def _from_level(ratio: FloatArray) -> Float32:
    """Multiples of the level, counted from it."""
    return _numbers(ratio - 1.0)


def _numbers(values: FloatArray, unknown: float = 0.0, limit: float = RATIO_LIMIT) -> Float32:
    return np.clip(np.nan_to_num(values, nan=unknown), -limit, limit).astype(np.float32)
