"""Examples for the global models: one row per (series, origin, step), direct multi-horizon.

An origin is the number of periods known when the forecast is made. The row of origin `c` and step `k` describes period
`c + k - 1` (from 0) and is made of `y[:, :c]`, the calendar and what is planned ahead (`panel.covariates`) alone.
Demand enters as multiples of the series' own recent `scale`, so that one model serves series of any size.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast.events import CALENDAR_FEATURES, calendar_features
from shelfcast.history import (
    grown_season,
    known_mean,
    pooled_season,
    recent_mean,
    recent_median,
    season_ago,
    season_near,
    sum_by_group,
)
from shelfcast.panel import PLANNED, RECENT, FloatArray, Panel

LAGS = (1, 2, 3, 4, 6, 8)
WINDOWS = (2, 4, 8, 13, 26, 52)
SCALE_WINDOW = 13
# Weeks of the whole history that steady the scale: a series silent for a quarter keeps a small one.
SCALE_PRIOR = 1.0
# A series' age tells of its launch; beyond a quarter it only tells the origins apart.
AGE_LIMIT = 13.0
CATEGORICAL_FEATURES = ("store_id", "item_id", "category_id")
LEVEL_FEATURES = (
    "log_scale",
    *(f"lag_{lag}" for lag in LAGS),
    *(f"mean_{window}" for window in WINDOWS),
    *("median_13", "deviation_13", "zero_share_13", "zero_share", "weeks_since_first_sale", "weeks_since_sale"),
)
SEASON_FEATURES = ("season_ago", "season_near", "grown_season", "pooled_season")
NUMERIC_FEATURES = (*LEVEL_FEATURES, *SEASON_FEATURES, "step", *CALENDAR_FEATURES)

_LARGEST_HASH = 2.0**64
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


def make_examples(
    panel: Panel,
    origins: Sequence[int],
    horizon: int,
    share: float | None = None,
    seed: int = 0,
    country: str = "US",
) -> pd.DataFrame:
    """The examples of every series at `origins` (ascending, each in 1..T), in the order (origin, series, step).

    Columns: series (row number in the panel), the columns of `panel.ids`, origin, step (1..horizon), period
    (datetime64 of the target), y (units; NaN where beyond the panel or not known), scale (units), counted (whether the
    series has sold in whole units alone), NUMERIC_FEATURES (NaN where there is no such past), `planned_<covariate>`
    (NaN beyond what is planned) and `recent_<name>` of what is known of the past alone. With `share`: for training,
    about that share of the rows whose y is known, drawn by the hash of (ids, origin, step): the same ones whatever
    other series the panel holds.
    """
    origin, series, step = (
        axis.ravel() for axis in np.meshgrid(origins, np.arange(len(panel)), np.arange(horizon), indexing="ij")
    )
    y = _at(panel.y, series, origin + step)
    kept = np.arange(len(y))
    if share is not None:
        drawn = is_drawn(hash_ids(panel.ids)[series], origin, step + 1, seed, share)
        kept = np.flatnonzero(~np.isnan(y) & drawn)
    origin, series, step = origin[kept], series[kept], step[kept]
    keys = panel.ids.iloc[series].reset_index(drop=True)
    period = panel.periods[0] + (origin + step) * np.timedelta64(period_days(panel), "D")
    keys = keys.assign(series=series, origin=origin, step=step + 1.0, period=period, y=y[kept])
    demand = _demand_features(panel, origins, horizon, origin, series, step)
    planned = {f"{PLANNED}{name}": _at(values, series, origin + step) for name, values in panel.covariates.items()}
    planned |= {f"{RECENT}{name}": _at(values, series, origin - 1) for name, values in panel.past.items()}
    return pd.concat([keys, demand, _calendar(period, period_days(panel), country), pd.DataFrame(planned)], axis=1)


def known_targets(periods: int, origins: Iterable[int], horizon: int) -> int:
    """How many targets of a series of `periods` periods are known from `origins`."""
    return sum(min(horizon, periods - origin) for origin in origins)


def share_of(most: int, known: int) -> float:
    """The share of `known` examples that leaves about `most` of them."""
    return min(1.0, most / known) if known else 1.0


def sample_examples(examples: pd.DataFrame, max_rows: int, seed: int) -> pd.DataFrame:
    """At most `max_rows` rows, those of least hash of (ids, origin, step): whatever order they come in."""
    if len(examples) <= max_rows:
        return examples
    hashes = _hash(hash_ids(examples), examples["origin"].to_numpy(), examples["step"].to_numpy(), seed)
    return examples.iloc[np.sort(np.argpartition(hashes, max_rows)[:max_rows])]


def series_scale(y: FloatArray) -> FloatArray:
    """The level of each row in units: mean |y| of the last SCALE_WINDOW periods, steadied by that of the whole
    history."""
    size, recent = np.abs(y), np.abs(y[:, -SCALE_WINDOW:])
    known = (~np.isnan(recent)).sum(axis=1)
    overall = recent_mean(size, size.shape[1])
    scale: FloatArray = (np.nansum(recent, axis=1) + SCALE_PRIOR * overall) / (known + SCALE_PRIOR)
    return scale


def period_days(panel: Panel) -> int:
    """Days of a period; a panel of one period is taken to be of weeks."""
    return int((panel.periods[1] - panel.periods[0]).astype(int)) if len(panel.periods) > 1 else 7


def is_drawn(
    ids: NDArray[np.uint64], origin: NDArray[np.int64], step: NDArray[np.int64], seed: int, share: float
) -> NDArray[np.bool_]:
    """Which rows of (hashed ids, origin, step) belong to the share that the seed draws."""
    drawn: NDArray[np.bool_] = _hash(ids, origin, step, seed) <= share * _LARGEST_HASH
    return drawn


def hash_ids(ids: pd.DataFrame) -> NDArray[np.uint64]:
    named = ids[[name for name in CATEGORICAL_FEATURES if name in ids]]
    return np.asarray(pd.util.hash_pandas_object(named, index=False), dtype=np.uint64)


def _hash(ids: NDArray[np.uint64], origin: NDArray[np.int64], step: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    # Products wrap round at 64 bits, as arrays do in silence.
    parts = (origin, step, np.full(1, seed))
    mixed = sum((part.astype(np.uint64) * mixer for part, mixer in zip(parts, _MIXERS, strict=True)), ids)
    return pd.util.hash_array(mixed)


def _demand_features(
    panel: Panel,
    origins: Sequence[int],
    horizon: int,
    origin: NDArray[np.int64],
    series: NDArray[np.int64],
    step: NDArray[np.int64],
) -> pd.DataFrame:
    """scale, counted, LEVEL_FEATURES and SEASON_FEATURES of the rows (origin, series, step), ordered by origin."""
    items = np.unique(panel.ids["item_id"].to_numpy(dtype=str), return_inverse=True)[1]
    totals = sum_by_group(panel.y, items)
    bounds = np.searchsorted(origin, [*origins, np.inf])
    parts = []
    for number, known_periods in enumerate(origins):
        rows = slice(bounds[number], bounds[number + 1])
        drawn, which = np.unique(series[rows], return_inverse=True)
        known = panel.y[drawn, :known_periods]
        scale = series_scale(known)
        unit = np.where(scale > 0, scale, 1.0)
        seasons = (
            season_ago(known, panel.season, horizon),
            season_near(known, panel.season, horizon),
            grown_season(known, panel.season, horizon),
            pooled_season(known, panel.season, horizon, totals[:, :known_periods], items[drawn]),
        )
        columns = {
            name: part[which, step[rows]] / unit[which] for name, part in zip(SEASON_FEATURES, seasons, strict=True)
        }
        levels = {name: values[which] for name, values in level_features(known, unit).items()}
        counted = (np.nan_to_num(known) % 1 == 0).all(axis=1)
        parts.append(pd.DataFrame({"scale": scale[which], "counted": counted[which]} | levels | columns))
    return pd.concat(parts, ignore_index=True)


def level_features(y: FloatArray, scale: FloatArray) -> dict[str, FloatArray]:
    """LEVEL_FEATURES, each of shape (n,)."""
    periods, nothing = y.shape[1], np.full(len(y), np.nan)
    sold = np.where(np.isnan(y), np.nan, np.nan_to_num(y) != 0)
    ever, first, last = (sold == 1).any(axis=1), (sold == 1).argmax(axis=1), (sold == 1)[:, ::-1].argmax(axis=1)
    return {
        "log_scale": np.log(scale),
        **{f"lag_{lag}": y[:, -lag] / scale if lag <= periods else nothing for lag in LAGS},
        **{f"mean_{window}": recent_mean(y, window) / scale for window in WINDOWS},
        "median_13": recent_median(y, 13) / scale,
        "deviation_13": _deviation(y[:, -13:]) / scale,
        "zero_share_13": 1 - recent_mean(sold, 13),
        "zero_share": 1 - recent_mean(sold, periods),
        "weeks_since_first_sale": np.where(ever, np.minimum(periods - first, AGE_LIMIT), 0.0),
        "weeks_since_sale": np.where(ever, last, periods).astype(np.float64),
    }


def _deviation(y: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(known_mean(y**2) - known_mean(y) ** 2, 0.0))


def _calendar(period: NDArray[np.datetime64], days: int, country: str) -> pd.DataFrame:
    starts, position = np.unique(period, return_inverse=True)
    return calendar_features(starts, days, country).iloc[position].reset_index(drop=True)


def _at(values: FloatArray, series: NDArray[np.int64], period: NDArray[np.int64]) -> FloatArray:
    """values[series, period]; NaN beyond the last period."""
    return np.where(period < values.shape[1], values[series, np.minimum(period, values.shape[1] - 1)], np.nan)
