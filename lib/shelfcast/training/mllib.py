"""Spark MLlib's regressors, fitted on the training frame: sparse one-hot vectors beside standardized numbers."""

import time
from collections.abc import Sequence
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.encoding import encode, one_hot, standardize, vocabulary_sizes
from shelfcast.events import CALENDAR_FEATURES
from shelfcast.examples import FEATURES
from shelfcast.features import CATEGORICAL_FEATURES, make_examples
from shelfcast.history import selling_weeks
from shelfcast.models import mllib
from shelfcast.panel import Axis, densify
from shelfcast.panels import by_bucket
from shelfcast.scoring import SCORED_COLUMNS, empty_frame, naive_mse
from shelfcast.session import side_by_side
from shelfcast.table import column_names

# As scikit-learn's models: the calendar repeats by the year, and in a shorter history tells single weeks apart.
_NUMBERS = tuple(name for name in FEATURES if name not in CALENDAR_FEATURES)
_KEYS = "panel string, cutoff date, store_id string, item_id string, category_id string, step int, week date, y double"
_EXAMPLE_COLUMNS = f"{_KEYS}, naive_mse double, scale double, " + ", ".join(f"{name} float" for name in FEATURES)
# The examples are few: a fit is tens of short stages, and each task more costs them all its start.
_TASKS = 2
Outcome = tuple[str, str, date, None, int, float, str | None]


def examples_at(panel: DataFrame, axis: Axis, cutoff: int, least_weeks: int, buckets: int, country: str) -> DataFrame:
    """The examples to score at one cutoff, of series that had sold in `least_weeks` weeks by then. Columns:
    _EXAMPLE_COLUMNS."""
    names = column_names(_EXAMPLE_COLUMNS)

    def of_bucket(rows: pd.DataFrame) -> pd.DataFrame:
        dense = densify(rows, axis)
        known = dense.y[:, :cutoff]
        eligible = np.flatnonzero(selling_weeks(known)[:, -1] >= least_weeks)
        if not len(eligible):
            return empty_frame(names)
        made = make_examples(dense.take(eligible), [cutoff], axis.horizon, country=country)
        scale = naive_mse(known[eligible])[made["series"]]
        named = made.assign(
            panel=rows["panel"].iloc[0], cutoff=axis.weeks[cutoff - 1], week=made["period"].dt.date, naive_mse=scale
        )
        return named[names].astype({"step": "int32", **dict.fromkeys(FEATURES, "float32")})

    return by_bucket(panel, buckets).applyInPandas(of_bucket, _EXAMPLE_COLUMNS)


def assemble(examples: DataFrame, vocabulary: DataFrame, scaler: DataFrame) -> DataFrame:
    """Adds `features` (sparse: one-hot store, item and category, standardized numbers, 0 where unknown) and `target` =
    y / scale."""
    encoded = one_hot(encode(examples, vocabulary, CATEGORICAL_FEATURES), vocabulary_sizes(vocabulary))
    scaled = [f"{name}_scaled" for name in _NUMBERS]
    # Arrow hands what is not a number over as null or as NaN.
    numbers = standardize(encoded, scaler.where(F.col("column").isin(*_NUMBERS)))
    numbers = numbers.na.fill(0.0, scaled).replace(float("nan"), 0.0, scaled)
    inputs = [*[f"{name}_one_hot" for name in CATEGORICAL_FEATURES], *scaled, "step"]
    assembler = VectorAssembler(inputCols=inputs, outputCol=mllib.FEATURES)
    return assembler.transform(numbers).withColumn(mllib.TARGET, F.col("y") / F.col("scale"))


def fit_and_score(
    models: Sequence[str], training: DataFrame, scoring: DataFrame, panel: str, cutoff: date, seed: int
) -> tuple[list[DataFrame], list[Outcome]]:
    """Fits each model on `training` and scores `scoring`, both assembled, side by side.

    Returns a frame of SCORED_COLUMNS per fitted model, and per model what FIT_COLUMNS holds: one that fails says why.
    """
    known = training.where(F.col("scale") > 0).coalesce(_TASKS).persist(StorageLevel.MEMORY_AND_DISK)
    rows = known.count()

    def fit(model: str) -> tuple[DataFrame | None, Outcome]:
        started = time.monotonic()
        try:
            fitted = mllib.REGRESSORS[model](seed).fit(known)
        except PySparkException as problem:
            error = f"{type(problem).__name__}: {problem}".splitlines()[0]
            return None, (panel, model, cutoff, None, rows, time.monotonic() - started, error)
        return _scored(fitted.transform(scoring.coalesce(_TASKS)), model), (
            panel,
            model,
            cutoff,
            None,
            rows,
            time.monotonic() - started,
            None,
        )

    outcomes = side_by_side(training.sparkSession, *[partial(fit, model) for model in models])
    known.unpersist()
    return [frame for frame, _ in outcomes if frame is not None], [outcome for _, outcome in outcomes]


def _scored(predicted: DataFrame, model: str) -> DataFrame:
    """Not below zero: demand is not."""
    y_hat = F.greatest(F.col(mllib.PREDICTION) * F.col("scale"), F.lit(0.0))
    named = (
        predicted.withColumn("model", F.lit(model))
        .withColumn("y_hat", y_hat)
        .withColumn("fallback", F.lit(None).cast("string"))
    )
    return named.select(*column_names(SCORED_COLUMNS))
