from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import Row, frame
from shelfcast import tracking
from shelfcast.errors import ConfigError
from shelfcast.schemas import LEADERBOARD, METRICS, REGISTRY

EARLY, LATE = date(2017, 9, 11), date(2017, 11, 6)
TOLD = {
    "family": "scikit-learn",
    "vocabulary": "artefact",
    "training_tables": {"features/training_frame": 4},
    "code_version": "c0de",
    "git_commit": "4392fc4",
    "libraries": {"numpy": "2.4.6"},
    "hyperparameters": {"alpha": "100.0"},
}
needs_mlflow = pytest.mark.skipif(not find_spec("mlflow"), reason="mlflow-skinny is not installed")


def scored(cutoff: date | None, wape: float, **changes: Any) -> Row:
    row = {"panel": "product", "model": "ridge", "cutoff": cutoff, "slice": "all", "value": "all", "version": "v1"}
    return {**row, "wape": wape, "rmse": 2.0, "rmsse": None, "bias": 0.1, **changes}


@pytest.fixture(scope="module")
def versions(spark: SparkSession) -> DataFrame:
    rows = [{"panel": "product", "model": "ridge", "cutoff": at, "version": "v1", **TOLD} for at in (EARLY, LATE)]
    metrics = [
        scored(LATE, 0.3),
        scored(EARLY, 0.4),
        # of a version that is no longer registered, of a part of the series, and of no single cutoff
        scored(LATE, 9.0, version="v0"),
        scored(LATE, 9.0, slice="store", value="s1"),
        scored(None, 9.0),
    ]
    board = {"panel": "product", "model": "ridge", "challenger": "mean"}
    tables = frame(spark, REGISTRY, *rows), frame(spark, METRICS, *metrics), frame(spark, LEADERBOARD, board)
    told = tracking.with_scores(*tables)
    return spark.createDataFrame(told.collect(), told.schema)


def test_a_version_has_its_lineage_its_titles_and_its_scores_at_each_cutoff(versions: DataFrame) -> None:
    (row,) = versions.collect()
    assert {name: row[name] for name in TOLD} == TOLD
    assert (row.panel, row.model, row.version, row.champion, row.challenger) == ("product", "ridge", "v1", None, "mean")
    assert [(at.cutoff, at.wape) for at in row.scores] == [(EARLY, 0.4), (LATE, 0.3)]


@pytest.mark.parametrize("uri", ["postgresql://me:hush@db/runs", "http://me:hush@server", "runs", "sqlite://"])
def test_a_place_that_is_none_is_refused_and_its_password_not_repeated(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"^tracking\.uri: found neither") as refused:
        tracking.check(uri)
    assert "hush" not in str(refused.value)


def test_the_package_is_asked_for_where_a_place_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    tracking.check(None)
    for uri in ("sqlite:////lake/runs.db", "https://mlflow.example.org/prefix"):
        with pytest.raises(ConfigError, match="mlflow-skinny is not installed"):
            tracking.check(uri)


@needs_mlflow
def test_each_version_is_told_once_and_its_titles_are_those_of_now(versions: DataFrame, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path}/runs.db"
    tracking.check(uri)
    assert tracking.tell(uri, "here", versions) == "MLflow was told of 1 new model versions"
    promoted = versions.selectExpr("* except (champion, challenger)", "'mean' as champion", "null as challenger")
    assert tracking.tell(uri, "here", promoted) == "MLflow was told of 0 new model versions"
    client = MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("shelfcast/here").experiment_id])
    assert run.data.params == {"alpha": "100.0"}
    assert run.data.metrics == {"wape": 0.3, "rmse": 2.0, "bias": 0.1}
    assert [at.value for at in client.get_metric_history(run.info.run_id, "wape")] == [0.4, 0.3]
    assert (run.data.tags["champion"], run.data.tags["challenger"]) == ("mean", "none")
    assert run.data.tags["training_tables"] == '{"features/training_frame": 4}'
    assert (run.data.tags["mlflow.source.git.commit"], run.info.status) == ("4392fc4", "FINISHED")


@needs_mlflow
def test_a_server_that_is_away_stops_nothing(versions: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert tracking.tell("http://127.0.0.1:9", "here", versions).startswith("MLflow was not told: ")
