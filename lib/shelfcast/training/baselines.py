"""scikit-learn's models, each fitted by a Spark task of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from shelfcast import artefacts, stored
from shelfcast.examples import FEATURES, unpack_conditions
from shelfcast.models import encoder, sklearn_models
from shelfcast.training import frames

FIT_COLUMNS = "panel string, model string, cutoff date, artefact string, examples bigint, seconds double, error string"
_COLUMNS = ("store_id", "item_id", "category_id", "origin", "step", "week", "y", "scale", "conditions", *FEATURES)


@dataclass(frozen=True)
class Fit:
    """One model to fit: on the examples of `panel` known at `cutoff` (the last week), into `artefact`.

    finished: the file that keeps what came of it, so that a run which was killed does not fit it again.
    """

    panel: str
    model: str
    cutoff: date
    files: tuple[str, ...]
    artefact: str
    seed: int
    finished: str | None = None


def fit_in_tasks(spark: SparkSession, fits: Sequence[Fit]) -> DataFrame:
    """Fits all, a task each. A fit that fails gives a row with its error: the others go on. Columns: FIT_COLUMNS."""
    tasks = spark.sparkContext.parallelize(fits, max(len(fits), 1)).map(_fit)
    return spark.createDataFrame(tasks, FIT_COLUMNS)


def _fit(task: Fit) -> tuple[str, str, date, str, int, float, str | None]:
    (made,) = artefacts.once(task.finished, lambda: _outcome(task)).to_dict("records")
    told = int(made["examples"]), float(made["seconds"]), made["error"]
    return task.panel, task.model, task.cutoff, task.artefact, *told


def _outcome(task: Fit) -> pd.DataFrame:
    """A row: examples, seconds, error."""
    started = time.monotonic()
    examples = unpack_conditions(frames.read_examples(task.files, _COLUMNS, task.cutoff))
    error = None
    try:
        fitted = sklearn_models.fit(task.model, examples, encoder.fit_encoder(examples), task.seed)
        stored.save(fitted, task.artefact)
    except (ArithmeticError, ValueError) as problem:
        error = f"{type(problem).__name__}: {problem}".splitlines()[0]
    seconds = time.monotonic() - started
    return pd.DataFrame({"examples": [len(examples)], "seconds": [seconds], "error": [error]})
