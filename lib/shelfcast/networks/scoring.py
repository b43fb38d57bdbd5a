"""Forecasts of networks at several cutoffs, bucket by bucket in Spark's tasks: a row per model, cutoff, series and
step."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast import artefacts
from shelfcast.history import selling_weeks
from shelfcast.models import forecast
from shelfcast.models.mlp import HEADS_SUFFIX, MEDIAN_SUFFIX
from shelfcast.panel import Axis, FloatArray, Panel, densify
from shelfcast.panels import by_bucket
from shelfcast.scoring import SCORED_COLUMNS, empty_frame, file_of, rows_at
from shelfcast.table import column_names

QUANTILE_COLUMNS = ("p10", "p50", "p90", "p98")
_COLUMNS = f"{SCORED_COLUMNS}, " + ", ".join(f"{name} double" for name in QUANTILE_COLUMNS)
# A worker scores bucket after bucket with the networks of a few cutoffs.
_LOADED_AT_ONCE = 8
FALLBACK = "moving_average"
_NOT_FINITE = "the network's numbers are not finite"


@dataclass(frozen=True)
class NetworkScorer:
    """artefacts: (model, weeks known) -> where the network fitted then lies. min_selling_weeks: a series is forecast at
    a cutoff by which it had sold in so many weeks. wanted: the means and medians to forecast, all where None. finished:
    a folder; a bucket that lies there, of a run that was killed, is not scored again."""

    axis: Axis
    artefacts: Mapping[tuple[str, int], str]
    min_selling_weeks: int
    wanted: Collection[str] | None = None
    finished: str | None = None

    def score(self, panel: DataFrame, buckets: int) -> DataFrame:
        """panel: rows of one panel of features/panel_demand, in so many buckets. Columns: SCORED_COLUMNS and
        QUANTILE_COLUMNS."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return artefacts.once(file_of(self.finished, rows), lambda: self.score_bucket(rows))

        return by_bucket(panel, buckets).applyInPandas(of_bucket, _COLUMNS)

    def score_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        parts = list(self._parts(densify(rows, self.axis)))
        if not parts:
            return empty_frame(column_names(_COLUMNS))
        return pd.concat(parts, ignore_index=True).assign(panel=rows["panel"].iloc[0])[column_names(_COLUMNS)]

    def _parts(self, panel: Panel) -> Iterator[pd.DataFrame]:
        for (model, cutoff), uri in self.artefacts.items():
            eligible = np.flatnonzero(selling_weeks(panel.y[:, :cutoff])[:, -1] >= self.min_selling_weeks)
            if len(eligible):
                said, fallback = _forecast(uri, panel, cutoff, eligible)
                frame = rows_at(panel, cutoff, self.axis, eligible).assign(fallback=fallback)
                yield from self._named(model, frame, said)

    def _named(self, model: str, frame: pd.DataFrame, said: FloatArray) -> Iterator[pd.DataFrame]:
        quantiles = dict(zip(QUANTILE_COLUMNS, said.T, strict=False))
        for name, y_hat in ((model, said[:, -1]), (f"{model}{MEDIAN_SUFFIX}", quantiles["p50"])):
            if self.wanted is None or name in self.wanted:
                yield frame.assign(model=name, y_hat=y_hat, **quantiles)


def _forecast(uri: str, panel: Panel, cutoff: int, rows: NDArray[np.int64]) -> tuple[FloatArray, NDArray[np.object_]]:
    """The forecasts of the series at `rows`, a row for each step, and why one is the fallback's, else None. The other
    series tell of their items too."""
    said = _load(uri)(panel, cutoff)[rows]
    failed = np.asarray(~np.isfinite(said).all(axis=(1, 2)))
    if failed.any():
        known = panel.until(cutoff).take(rows[failed])
        said[failed] = forecast(FALLBACK, known, said.shape[1]).values[..., None]
    why = np.array([_NOT_FINITE if one else None for one in failed], dtype=np.object_)
    return said.reshape(-1, said.shape[-1]), np.repeat(why, said.shape[1])


@lru_cache(maxsize=_LOADED_AT_ONCE)
def _load(uri: str) -> Callable[[Panel, int], FloatArray]:
    # Keras takes seconds to load, and the driver needs none of it.
    from shelfcast.models.mlp.forecaster import loads

    return loads(artefacts.read_bytes(uri), uri).predict


def base_of(model: str) -> str:
    """The mean or median of the network itself, of one with heads of its own for some stores.

    >>> base_of("mlp_stores_median"), base_of("mlp")
    ('mlp_median', 'mlp')
    """
    return model.replace(HEADS_SUFFIX, "", 1)


def kind_of(model: str) -> Column:
    """The kind of the network that a contestant of the leaderboard is the mean or the median of."""
    return F.regexp_replace(model, f"{MEDIAN_SUFFIX}$", "")


def with_heads(model: str) -> Column:
    """The name of a network's mean or median, with heads of its own for some stores."""
    return F.regexp_replace(model, f"^(.*?)({MEDIAN_SUFFIX})?$", f"$1{HEADS_SUFFIX}$2")
