"""Model versions told to MLflow, for those who look at their experiments there: the only module that names it.

The registries are what counts: nothing is read back from MLflow, and a server that is away stops no job.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from shelfcast.errors import ConfigError

_SCORES = ("wape", "rmse", "rmsse", "bias")
_TITLES = ("champion", "challenger")
_VERSION = ("panel", "model", "version")
_STORE = re.compile(r"(https?://[^/@]+(/.*)?|sqlite:///.+)")


def check(uri: str | None) -> None:
    """Raise ConfigError where `uri` is no store that can be told, without its words: they may hold a password."""
    if uri is not None and not _STORE.fullmatch(uri):
        raise ConfigError(
            "tracking.uri: found neither sqlite:///FILE nor the http address of a server; wanted one of them, and "
            "credentials in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    if uri is not None and find_spec("mlflow") is None:
        raise ConfigError("tracking.uri: mlflow-skinny is not installed; wanted shelfcast[tracking]")


def with_scores(registry: DataFrame, metrics: DataFrame, board: DataFrame) -> DataFrame:
    """A row for each model version: panel, model, version, what the registry tells of it, its titles, and `scores`, of
    each cutoff, oldest first.

    registry: the rows of the registries. metrics: forecasts/metrics. board: models/leaderboard.
    """
    key = [*_VERSION, "cutoff"]
    scores = metrics.where("slice = 'all'").select(*key, *_SCORES)
    told = ("family", "hyperparameters", "vocabulary", "training_tables", "code_version", "git_commit", "libraries")
    versions = registry.join(scores, key).groupBy(*_VERSION).agg(
        F.array_sort(F.collect_list(F.struct("cutoff", *_SCORES))).alias("scores"),
        *[F.max_by(name, "cutoff").alias(name) for name in told],
    )  # fmt: skip
    titles = board.select("panel", "model", *_TITLES)
    return versions.join(F.broadcast(titles), ["panel", "model"], how="left")


def tell(uri: str, region: str, versions: DataFrame) -> str:
    """Make a run in the experiment shelfcast/{region} for each of `with_scores` that has none yet, and tag all with
    their titles of now; says what was done, or why nothing could be."""
    # It would report its use to its makers; and it takes seconds to load, which few ask for.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri=uri)
    try:
        experiment = _experiment(client, f"shelfcast/{region}")
        told = sum(_tell_version(client, experiment, row) for row in versions.toLocalIterator())
    except MlflowException as problem:
        return f"MLflow was not told: {str(problem).splitlines()[0]}"
    return f"MLflow was told of {told} new model versions"


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _tell_version(client: Any, experiment: str, row: Row) -> bool:
    """Whether it was new: one that a killed run left unfinished is told anew."""
    same = " and ".join([f"tags.{name} = '{row[name]}'" for name in _VERSION])
    found = client.search_runs([experiment], f"{same} and attributes.status = 'FINISHED'", max_results=1)
    run = found[0] if found else _make_run(client, experiment, row)
    for title in _TITLES:
        client.set_tag(run.info.run_id, title, row[title] or "none")
    return not found


def _make_run(client: Any, experiment: str, row: Row) -> Any:
    from mlflow.entities import Metric, Param

    run = client.create_run(experiment, run_name=f"{row['panel']} {row['model']}", tags=_tags(row))
    metrics = [
        Metric(name, score[name], _milliseconds(score["cutoff"]), step)
        for step, score in enumerate(row["scores"])
        for name in _SCORES
        if score[name] is not None
    ]
    params = [Param(name, value) for name, value in sorted((row["hyperparameters"] or {}).items())]
    client.log_batch(run.info.run_id, metrics, params)
    client.set_terminated(run.info.run_id)
    return run


def _tags(row: Row) -> dict[str, str]:
    """What is told of a version beside its scores, tables and libraries as JSON."""
    names = (*_VERSION, "family", "vocabulary", "training_tables", "code_version", "libraries")
    found = {name: row[name] for name in names} | {"mlflow.source.git.commit": row["git_commit"]}
    return {
        name: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else str(value)
        for name, value in found.items()
        if value is not None
    }


def _milliseconds(day: Any) -> int:
    """Of the beginning of the day, since 1970."""
    return int((datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)).total_seconds() * 1000)
