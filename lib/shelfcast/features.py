"""Examples for the global models: one row per (series, origin, step), direct multi-horizon.

An origin is the number of periods known when the forecast is made. The row of origin `c` and step `k` describes period
`c + k - 1` (from 0) and is made of `y[:, :c]`, the calendar and what is planned ahead (`panel.covariates`) alone. Demand
enters as multiples of the series' own recent `scale`, so that one model serves series of any size.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shelfcast.events import CALENDAR_FEATURES, calendar_features
from shelfcast.history import known_mean, recent_growth, recent_mean, recent_median
from shelfcast.panel import FloatArray, Panel

LAGS = (1, 2, 3, 4, 6, 8)
WINDOWS = (2, 4, 8, 13, 26, 52)
SCALE_WINDOW = 13
# Weeks of the whole history that steady the scale: a series silent for a quarter keeps a small one.
SCALE_PRIOR = 1.0
PLANNED = "planned_"
CATEGORICAL_FEATURES = ("store_id", "item_id", "category_id")
ORIGIN_FEATURES = (
    "log_scale",
    *(f"lag_{lag}" for lag in LAGS),
    *(f"mean_{window}" for window in WINDOWS),
    *("median_13", "deviation_13", "zero_share_13", "zero_share", "weeks_known", "weeks_since_sale", "season_growth"),
)
STEP_FEATURES = ("step", "last_season", "last_season_grown", "last_season_near", *CALENDAR_FEATURES)
NUMERIC_FEATURES = ORIGIN_FEATURES + STEP_FEATURES


def make_examples(
    panel: Panel,
    origins: Sequence[int],
    horizon: int,
    max_rows: int | None = None,
    seed: int = 0,
    country: str = "US",
) -> pd.DataFrame:
    """The examples of every series at `origins` (each in 1..T), steps 1..horizon.

    Columns: series (row number in the panel), the columns of `panel.ids`, origin, step, period (datetime64 of the target),
    y (units; NaN where beyond the panel or not known), scale (units), NUMERIC_FEATURES (floats; NaN where there is no such
    past) and `planned_<covariate>`. With `max_rows`, a sample by `sample_examples` of those whose y is known (for training).
    """
    keys = _keys(panel, origins, horizon)
    if max_rows is not None:
        keys = sample_examples(keys[keys["y"].notna()], max_rows, seed)
    scale, per_origin = _origin_features(panel, origins)
    which = np.searchsorted(np.asarray(origins), keys["origin"]) * len(panel) + keys["series"].to_numpy()
    per_step = _step_features(panel, keys, scale[which], per_origin["season_growth"].to_numpy()[which], country)
    numeric = per_origin.iloc[which].reset_index(drop=True)
    keys = keys.reset_index(drop=True).assign(scale=scale[which])
    return pd.concat([keys, numeric, per_step], axis=1)


def sample_examples(examples: pd.DataFrame, max_rows: int, seed: int) -> pd.DataFrame:
    """At most `max_rows` rows, those of least hash of (ids, origin, step): the same ones in whatever order or partition
    they come, so that a sample of a union is a sample of its parts' samples."""
    if len(examples) <= max_rows:
        return examples
    named = [column for column in CATEGORICAL_FEATURES if column in examples]
    hashed = examples[[*named, "origin", "step"]].assign(seed=seed)
    hashes = pd.util.hash_pandas_object(hashed, index=False).to_numpy()
    return examples.iloc[np.sort(np.argpartition(hashes, max_rows)[:max_rows])]


def _keys(panel: Panel, origins: Sequence[int], horizon: int) -> pd.DataFrame:
    """Every (origin, series, step) in that order, with the target's period and demand."""
    n, steps = len(panel), np.arange(horizon)
    origin = np.repeat(np.asarray(origins), n * horizon)
    series = np.tile(np.repeat(np.arange(n), horizon), len(origins))
    step = np.tile(steps, len(origins) * n)
    target = origin + step
    length = period_days(panel)
    ids = panel.ids.iloc[series].reset_index(drop=True)
    return ids.assign(
        series=series,
        origin=origin,
        step=step + 1.0,
        period=panel.periods[0] + target * np.timedelta64(length, "D"),
        y=np.where(target < panel.y.shape[1], panel.y[series, np.minimum(target, panel.y.shape[1] - 1)], np.nan),
    )


def period_days(panel: Panel) -> int:
    """Days of a period; a panel of one period is taken to be of weeks."""
    return int((panel.periods[1] - panel.periods[0]).astype(int)) if len(panel.periods) > 1 else 7


def series_scale(y: FloatArray) -> FloatArray:
    """The level of each row in units: mean |y| of the last SCALE_WINDOW periods, steadied by that of the whole history."""
    size, recent = np.abs(y), np.abs(y[:, -SCALE_WINDOW:])
    known = (~np.isnan(recent)).sum(axis=1)
    overall = recent_mean(size, size.shape[1])
    return (np.nansum(recent, axis=1) + SCALE_PRIOR * overall) / (known + SCALE_PRIOR)


def _origin_features(panel: Panel, origins: Sequence[int]) -> tuple[FloatArray, pd.DataFrame]:
    """Scale and ORIGIN_FEATURES of every series at every origin, origin after origin."""
    scales, parts = [], []
    for origin in origins:
        known = panel.y[:, :origin]
        scale = series_scale(known)
        scales.append(scale)
        parts.append(_levels(known, np.where(scale > 0, scale, 1.0)).assign(season_growth=recent_growth(known, panel.season)))
    return np.concatenate(scales), pd.concat(parts, ignore_index=True)


def _levels(y: FloatArray, scale: FloatArray) -> pd.DataFrame:
    periods, known = y.shape[1], ~np.isnan(y)
    sold = np.where(known, (np.nan_to_num(y) != 0).astype(float), np.nan)
    features = {"log_scale": np.log(scale)}
    features |= {f"lag_{lag}": y[:, -lag] / scale if lag <= periods else np.full(len(y), np.nan) for lag in LAGS}
    features |= {f"mean_{window}": recent_mean(y, window) / scale for window in WINDOWS}
    return pd.DataFrame(
        features
        | {
            "median_13": recent_median(y, 13) / scale,
            "deviation_13": _deviation(y[:, -13:]) / scale,
            "zero_share_13": 1 - recent_mean(sold, 13),
            "zero_share": 1 - recent_mean(sold, periods),
            "weeks_known": known.sum(axis=1).astype(float),
            "weeks_since_sale": np.where((sold == 1).any(axis=1), (sold == 1)[:, ::-1].argmax(axis=1), periods),
        }
    )


def _deviation(y: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(known_mean(y**2) - known_mean(y) ** 2, 0.0))


def _step_features(
    panel: Panel, keys: pd.DataFrame, scale: FloatArray, growth: FloatArray, country: str
) -> pd.DataFrame:
    """STEP_FEATURES but `step`, which is a key, and the planned covariates, in the order of `keys`."""
    series, origin = keys["series"].to_numpy(), keys["origin"].to_numpy()
    target = origin + keys["step"].to_numpy().astype(int) - 1
    per = np.where(scale > 0, scale, 1.0)
    source = target - panel.season * ((target - origin) // panel.season + 1)
    before, same, after = (_at(panel.y, series, source + shift, origin) / per for shift in (-1, 0, 1))
    near = known_mean(np.stack([before, same, after], axis=1))
    periods, position = np.unique(keys["period"].to_numpy(), return_inverse=True)
    calendar = calendar_features(periods, period_days(panel), country).iloc[position].reset_index(drop=True)
    planned = {
        f"{PLANNED}{name}": _at(values, series, target, np.full(len(target), values.shape[1]))
        for name, values in panel.covariates.items()
    }
    season = {"last_season": same, "last_season_grown": same * growth, "last_season_near": near}
    return pd.concat([pd.DataFrame(season | planned), calendar], axis=1)


def _at(y: FloatArray, series: NDArray[np.int64], period: NDArray[np.int64], origin: NDArray[np.int64]) -> FloatArray:
    """y[series, period] where that period is before the origin, else NaN."""
    there = (period >= 0) & (period < origin)
    return np.where(there, y[series, np.clip(period, 0, y.shape[1] - 1)], np.nan)
