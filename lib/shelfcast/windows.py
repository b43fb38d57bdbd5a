"""Training windows of the networks from panels, bucket by bucket on the executors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.examples import count_examples
from shelfcast.features import hash_ids, is_drawn, share_of
from shelfcast.history import selling_weeks
from shelfcast.models.mlp.windows import Windows, make_windows
from shelfcast.panel import Axis, Panel, densify
from shelfcast.panels import by_bucket
from shelfcast.table import Table

_ARRAYS = ("history", "level", "ahead", "base", "y")
WINDOWS = Table(
    "features/windows",
    # What a network reads of a series at an origin, as shelfcast.models.mlp.windows makes it, each matrix row by row.
    # y: the weeks ahead, multiples of the scale, NaN where not known yet.
    "region string, panel string, store_id string, item_id string, category_id string, origin int, scale float, "
    + ", ".join(f"{name} array<float>" for name in _ARRAYS),
    key=("region", "panel", "store_id", "item_id", "origin"),
    checks={"scale_is_positive": "scale > 0"},
    partitions=("region", "panel"),
    # Processes that train together deal them out: a file is a row group of about 20 MB.
    rows_per_file=16_000,
)
# Those that the tuning learns from and is judged on, all of them before the first cutoff of the backtest.
TUNING_WINDOWS = replace(WINDOWS, name="features/tuning_windows")


def sample_training_windows(
    panel: DataFrame,
    axis: Axis,
    origins: range,
    least_weeks: int,
    most: int,
    buckets: int,
    seed: int,
    country: str,
) -> DataFrame:
    """About `most` windows of one panel, as features/windows keeps them.

    panel: rows of one panel of features/panel_demand. origins: weeks known at the origins to draw from. Of a series
    only the origins by which it had sold in `least_weeks` weeks.
    """
    share = share_of(most, count_examples(panel, axis, origins, least_weeks) // axis.horizon)

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        dense = densify(rows, axis)
        drawn = [_windows_at(dense, origin, axis.horizon, least_weeks, share, seed, country) for origin in origins]
        named = pd.concat(drawn, ignore_index=True)
        return named.assign(region=rows["region"].iloc[0], panel=rows["panel"].iloc[0])[WINDOWS.names]

    return by_bucket(panel, buckets).applyInPandas(of_bucket, WINDOWS.columns)


def _windows_at(
    panel: Panel, origin: int, horizon: int, least_weeks: int, share: float, seed: int, country: str
) -> pd.DataFrame:
    windows = make_windows(panel, origin, horizon, country)
    ids = panel.ids.iloc[windows.series]
    sold = selling_weeks(panel.y[windows.series, :origin])[:, -1]
    drawn = is_drawn(hash_ids(ids), windows.origin, np.zeros_like(windows.origin), seed, share)
    known = ~np.isnan(windows.y).all(axis=1)
    return as_rows(ids, windows, np.flatnonzero(drawn & known & (sold >= least_weeks)))


def sample_by_store(windows: DataFrame, most: int, seed: int) -> DataFrame:
    """About `most` windows of each store, drawn by hash; of a store that has no more, all."""
    of_store = windows.groupBy("store_id").agg((most / F.count(F.lit(1))).alias("_share"))
    drawn = F.pmod(F.xxhash64("store_id", "item_id", "origin", F.lit(seed)), F.lit(1_000_000))
    joined = windows.join(F.broadcast(of_store), "store_id")
    return joined.where(drawn < F.col("_share") * 1_000_000).select(*windows.columns)


def windows_at(
    panel: DataFrame, axis: Axis, cutoffs: Sequence[int], least_weeks: int, buckets: int, country: str
) -> DataFrame:
    """The window of each series of one panel at each cutoff by which it had sold in `least_weeks` weeks: the columns of
    features/windows, and whether the series has sold in whole units alone (`counted`)."""

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        dense = densify(rows, axis)
        parts = [_all_at(dense, cutoff, axis.horizon, least_weeks, country) for cutoff in cutoffs]
        named = pd.concat(parts, ignore_index=True)
        return named.assign(region=rows["region"].iloc[0], panel=rows["panel"].iloc[0])[[*WINDOWS.names, "counted"]]

    return by_bucket(panel, buckets).applyInPandas(of_bucket, f"{WINDOWS.columns}, counted boolean")


def _all_at(panel: Panel, origin: int, horizon: int, least_weeks: int, country: str) -> pd.DataFrame:
    windows = make_windows(panel, origin, horizon, country)
    sold = selling_weeks(panel.y[windows.series, :origin])[:, -1]
    chosen = np.flatnonzero(sold >= least_weeks)
    return as_rows(panel.ids.iloc[windows.series], windows, chosen).assign(counted=windows.counted[chosen])


def as_rows(ids: pd.DataFrame, windows: Windows, rows: NDArray[np.int64]) -> pd.DataFrame:
    """The windows at `rows`, as features/windows keeps them, less region and panel. ids: of each window's series."""
    columns = {name: getattr(windows, name)[rows] for name in ("scale", *_ARRAYS)}
    arrays = {name: list(columns[name].reshape(len(rows), -1)) if len(rows) else [] for name in _ARRAYS}
    named = ids.iloc[rows].reset_index(drop=True)
    return named.assign(origin=windows.origin[rows].astype("int32"), scale=columns["scale"], **arrays)
