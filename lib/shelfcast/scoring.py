"""Forecasts of many series at several cutoffs: a bucket of a panel in, a row per model, cutoff, series and step out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from shelfcast import artefacts, stored
from shelfcast.features import make_examples
from shelfcast.history import known_mean, selling_weeks
from shelfcast.models import forecast, sklearn_models, spec
from shelfcast.panel import Axis, FloatArray, Panel, densify
from shelfcast.panels import by_bucket
from shelfcast.table import column_names

SCORED_COLUMNS = (
    "panel string, model string, cutoff date, store_id string, item_id string, category_id string, "
    "step int, week date, "
    "y double, y_hat double, naive_mse double, fallback string"
)


@dataclass(frozen=True)
class Scorer:
    """What to forecast, and with what.

    cutoffs: weeks known at each. models: names of the baselines; the statistical ones run here, at each cutoff by
    which they have history enough, `sampled` of them on the largest n series alone. artefacts: (model, cutoff) ->
    where the fitted global model lies. min_selling_weeks: a series is forecast at a cutoff by which it had sold in so
    many weeks. finished: a folder; a bucket that lies there, of a run that was killed, is not scored again.
    """

    axis: Axis
    cutoffs: tuple[int, ...]
    models: tuple[str, ...]
    sampled: Mapping[str, int]
    artefacts: Mapping[tuple[str, int], str]
    min_selling_weeks: int
    country: str
    finished: str | None = None

    def score(self, panel: DataFrame, buckets: int) -> DataFrame:
        """panel: rows of one panel of features/panel_demand, in so many buckets. Columns: SCORED_COLUMNS."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            return artefacts.once(file_of(self.finished, rows), lambda: self.score_bucket(rows))

        return by_bucket(panel, buckets).applyInPandas(of_bucket, SCORED_COLUMNS)

    def score_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        panel, ranks = densify(rows, self.axis), _ranks(rows)
        parts = [part for cutoff in self.cutoffs for part in self._score_at(panel, ranks, cutoff)]
        if not parts:
            return empty_frame(column_names(SCORED_COLUMNS))
        return pd.concat(parts, ignore_index=True).assign(panel=rows["panel"].iloc[0])[column_names(SCORED_COLUMNS)]

    def _score_at(self, panel: Panel, ranks: FloatArray, cutoff: int) -> Iterator[pd.DataFrame]:
        eligible = np.flatnonzero(selling_weeks(panel.y[:, :cutoff])[:, -1] >= self.min_selling_weeks)
        known = panel.until(cutoff)
        frame = rows_at(panel, cutoff, self.axis, eligible)
        able = [
            m
            for m in self.models
            if spec(m).family == "statistical" and spec(m).minimum_history(panel.season) <= cutoff
        ]
        for model in able:
            chosen = eligible[ranks[eligible] <= self.sampled.get(model, np.inf)]
            if len(chosen):
                y_hat, errors = forecast(model, known.take(chosen), self.axis.horizon)
                yield _filled(frame, np.isin(eligible, chosen), self.axis.horizon, model, y_hat, errors)
        yield from self._score_fitted(known.take(eligible), frame, cutoff)

    def _score_fitted(self, known: Panel, frame: pd.DataFrame, cutoff: int) -> Iterator[pd.DataFrame]:
        fitted = {model: uri for (model, at), uri in self.artefacts.items() if at == cutoff}
        if not fitted or not len(known):
            return
        examples = make_examples(known, [cutoff], self.axis.horizon, country=self.country)
        for model, uri in fitted.items():
            y_hat = sklearn_models.predict(stored.load(uri), examples)
            yield frame.assign(model=model, y_hat=y_hat, fallback=None)


def file_of(finished: str | None, rows: pd.DataFrame) -> str | None:
    """Where the finished bucket of these rows lies."""
    return f"{finished}/{rows['bucket'].iloc[0]}.parquet" if finished else None


def empty_frame(columns: Iterable[str]) -> pd.DataFrame:
    """No rows, of no type yet: Arrow makes a date of an object that is not there, and not of a float."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


def rows_at(panel: Panel, cutoff: int, axis: Axis, series: NDArray[np.int64]) -> pd.DataFrame:
    """The rows of one cutoff, series after series, step after step, with what came true (NaN where not known yet)."""
    steps = np.arange(axis.horizon)
    target = cutoff + steps
    ahead = np.full((len(series), axis.horizon), np.nan)
    known = target[target < panel.y.shape[1]]
    ahead[:, : len(known)] = panel.y[np.ix_(series, known)]
    weeks = axis.periods[0] + target * np.timedelta64(7, "D")
    ids = panel.ids.iloc[np.repeat(series, axis.horizon)].reset_index(drop=True)
    return ids.assign(
        cutoff=axis.weeks[cutoff - 1],
        step=np.tile(steps + 1, len(series)).astype("int32"),
        week=np.tile(weeks.astype("datetime64[D]").astype(object), len(series)),
        y=ahead.ravel(),
        naive_mse=np.repeat(naive_mse(panel.y[series, :cutoff]), axis.horizon),
    )


def naive_mse(y: FloatArray) -> FloatArray:
    """Per series the mean squared change from one known period to the next, the scale of RMSSE; NaN where there is
    none."""
    return known_mean(np.diff(y, axis=1) ** 2)


def _filled(
    frame: pd.DataFrame, chosen: NDArray[np.bool_], horizon: int, model: str, y_hat: FloatArray, errors: Iterable[str]
) -> pd.DataFrame:
    rows = frame[np.repeat(chosen, horizon)]
    fallback = np.repeat([error or None for error in errors], horizon)
    return rows.assign(model=model, y_hat=y_hat.ravel(), fallback=fallback)


def _ranks(rows: pd.DataFrame) -> FloatArray:
    """The size rank of each series, in the panel's order; infinite where it is not among the ranked."""
    keys = ["store_id", "item_id", "category_id"]
    ranks: FloatArray = (
        rows.drop_duplicates(keys).sort_values(keys)["size_rank"].to_numpy(dtype=np.float64, na_value=np.nan)
    )
    return np.where(np.isnan(ranks), np.inf, ranks)
