"""Heads of single stores on Spark: trained a bucket of stores at a time, tried on the weeks behind the cutoff that they
know, and put in the network's place where they are kept."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import artefacts
from shelfcast.models.mlp.head import Parts
from shelfcast.models.mlp.loss import cell_losses
from shelfcast.models.mlp.network import MIDDLE
from shelfcast.models.mlp.windows import Float32
from shelfcast.networks.scoring import QUANTILE_COLUMNS, kind_of, with_heads
from shelfcast.panel import Axis, FloatArray
from shelfcast.panels import bucket_of, by_bucket
from shelfcast.scoring import empty_frame
from shelfcast.table import column_names
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.fine_tuning import activate, load_parts, load_trainer, read_windows
from shelfcast.training.loop import Recipe

HEAD_COLUMNS = (
    "panel string, model string, cutoff date, store_id string, weights array<float>, windows bigint, seconds double"
)
# The loss and the absolute error of the median, in units, of the network itself and with the store's own head.
SUMS = ("base_loss", "head_loss", "base_error", "head_error")
# Of a cell behind the cutoff what came true, what the store's own head says, and SUMS.
TRIAL_COLUMNS = (
    "panel string, model string, cutoff date, store_id string, item_id string, step int, week date, y double, "
    + ", ".join(f"{name} double" for name in ("mean", *QUANTILE_COLUMNS, *SUMS))
)
_HEAD = ("panel", "model", "cutoff", "store_id")


@dataclass(frozen=True)
class HeadScorer:
    """What the heads of one panel's stores say. artefacts: (model, weeks known) -> where the network fitted then
    lies."""

    panel: str
    axis: Axis
    artefacts: Mapping[tuple[str, int], str]

    def forecast(self, windows: DataFrame, heads: DataFrame, buckets: int) -> DataFrame:
        """What each store's head says at its cutoff beside the network's own. windows: as `windows_at` makes them.
        heads: HEAD_COLUMNS. Columns: TRIAL_COLUMNS."""

        def of_bucket(rows: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
            return self.forecast_bucket(rows, own)

        both = [in_store_buckets(frame, buckets).groupBy("bucket") for frame in (windows, heads)]
        return both[0].cogroup(both[1]).applyInPandas(of_bucket, TRIAL_COLUMNS)

    def forecast_bucket(self, rows: pd.DataFrame, heads: pd.DataFrame) -> pd.DataFrame:
        parts = list(self._forecasts(rows, heads))
        return pd.concat(parts, ignore_index=True) if parts else empty_frame(column_names(TRIAL_COLUMNS))

    def _forecasts(self, rows: pd.DataFrame, heads: pd.DataFrame) -> Iterator[pd.DataFrame]:
        weights = {tuple(key): head for *key, head in heads[[*_HEAD[1:], "weights"]].to_numpy()}
        for (model, cutoff), uri in self.artefacts.items():
            parts, at_cutoff = load_parts(uri), rows[rows["origin"] == cutoff]
            for store, windows in _by_store(at_cutoff, parts, cutoff + self.axis.horizon):
                head = weights.get((model, self._last_week(cutoff), store))
                if head is not None:
                    own = at_cutoff[at_cutoff["store_id"] == store].sort_values("item_id")
                    said = _try(parts, windows, own["counted"].to_numpy(dtype=bool), head)
                    yield self._named(own, cutoff).assign(model=model, **said)[column_names(TRIAL_COLUMNS)]

    def _named(self, rows: pd.DataFrame, cutoff: int) -> pd.DataFrame:
        """The cells of the windows, series after series, step after step."""
        steps = np.arange(self.axis.horizon)
        weeks = self.axis.periods[0] + (cutoff + steps) * np.timedelta64(7, "D")
        cells = rows[["store_id", "item_id"]].iloc[np.repeat(np.arange(len(rows)), len(steps))]
        return cells.reset_index(drop=True).assign(
            panel=self.panel,
            cutoff=self._last_week(cutoff),
            step=np.tile(steps + 1, len(rows)).astype("int32"),
            week=np.tile(weeks.astype("datetime64[D]").astype(object), len(rows)),
        )

    def _last_week(self, cutoff: int) -> date:
        return self.axis.weeks[cutoff - 1]


@dataclass(frozen=True)
class StoreHeads(HeadScorer):
    """The heads themselves. staging: what lies there, of a run that was interrupted, is not done again."""

    recipe: Recipe
    batch_size: int
    staging: str

    def fit(self, windows: DataFrame, buckets: int) -> DataFrame:
        """A head of each store at each cutoff by which it has windows. windows: rows of features/windows. Columns:
        HEAD_COLUMNS."""

        def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
            place = f"{self.staging}-{rows['bucket'].iloc[0]}.parquet"
            return artefacts.once(place, lambda: self.fit_bucket(rows))

        return by_bucket(in_store_buckets(windows, buckets), buckets).applyInPandas(of_bucket, HEAD_COLUMNS)

    def fit_bucket(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = [head for model, cutoff in self.artefacts for head in self._fit_at(rows, model, cutoff)]
        return pd.DataFrame(found, columns=column_names(HEAD_COLUMNS))

    def _fit_at(self, rows: pd.DataFrame, model: str, cutoff: int) -> Iterator[tuple[object, ...]]:
        uri = self.artefacts[model, cutoff]
        parts, trainer = load_parts(uri), load_trainer(uri, self.recipe, self.batch_size)
        for store, windows in _by_store(rows[rows["origin"] < cutoff], parts, cutoff):
            started = time.monotonic()
            weights = trainer.fit(activate(windows, parts))
            key = (self.panel, model, self._last_week(cutoff), store)
            yield *key, weights, len(windows.weight), time.monotonic() - started


def _by_store(rows: pd.DataFrame, parts: Parts, known: int) -> Iterator[tuple[str, Batch]]:
    """The windows of each store, series after series: a fit depends on their order, and that of files is chance."""
    if rows.empty:
        return
    ordered = rows.sort_values(["store_id", "item_id", "origin"], ignore_index=True)
    windows = read_windows(ordered, parts.forecaster, known)
    for store, own in ordered.groupby("store_id").indices.items():
        yield str(store), map_batch(lambda values, own=own: values[own], windows)


def _try(parts: Parts, windows: Batch, counted: NDArray[np.bool_], head: Float32) -> dict[str, FloatArray]:
    """The values of TRIAL_COLUMNS, one for each cell: the network's own head beside this one."""
    hidden, simple = parts.hidden(windows.inputs), windows.inputs["base"]
    scale: Float32 = windows.weight
    y: FloatArray = windows.y.astype(np.float64) * scale[:, None]
    base, own = (
        parts.forecaster.in_units(parts.say(weights, hidden, simple), scale, counted)
        for weights in (parts.weights, parts.unflatten(head))
    )
    found = {name: own[..., place] for place, name in enumerate((*QUANTILE_COLUMNS, "mean"))}
    found |= {"y": y, "base_loss": _losses(y, base, scale), "head_loss": _losses(y, own, scale)}
    found |= {f"{name}_error": np.abs(units[..., MIDDLE] - y) for name, units in (("base", base), ("head", own))}
    return {name: values.ravel() for name, values in found.items()}


def _losses(y: FloatArray, units: FloatArray, scale: Float32) -> FloatArray:
    """The loss that the network minimises, in units, of what is published."""
    level = scale[:, None].astype(np.float64)
    cells = cell_losses((y / level).astype(np.float32), (units / level[..., None]).astype(np.float32))
    return np.asarray(keras.ops.convert_to_numpy(cells), dtype=np.float64) * level


def with_kept_heads(base: DataFrame, trials: DataFrame, verdicts: DataFrame) -> DataFrame:
    """The forecasts of networks whose stores have heads of their own where these are kept; the others' rows stay as
    they are, all under the contestant's name. base: rows of forecasts/network_backtests."""
    kept = verdicts.where("kept").select(*_HEAD)
    cell = ("panel", "kind", "cutoff", "store_id", "item_id", "step")
    renamed = [F.col(name).alias(f"own_{name}") for name in ("mean", *QUANTILE_COLUMNS)]
    own = trials.join(F.broadcast(kept), [*_HEAD], how="semi").withColumnRenamed("model", "kind")
    joined = base.withColumn("kind", kind_of("model")).join(own.select(*cell, *renamed), [*cell], how="left")
    y_hat = F.when(F.col("model") == F.col("kind"), F.col("own_mean")).otherwise(F.col("own_p50"))
    said = {"y_hat": F.coalesce(y_hat, "y_hat")} | {name: F.coalesce(f"own_{name}", name) for name in QUANTILE_COLUMNS}
    return joined.withColumns(said).withColumn("model", with_heads("model")).select(*base.columns)


def in_store_buckets(rows: DataFrame, buckets: int) -> DataFrame:
    return rows.withColumn("bucket", bucket_of(buckets, "store_id"))
