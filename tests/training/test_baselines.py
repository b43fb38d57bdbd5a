from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import Row, SparkSession

from panel_builders import PANEL, axis, poisson_series, training_frame, week, write_parts
from shelfcast import stored
from shelfcast.models import encoder, sklearn_models
from shelfcast.training.baselines import Fit, fit_in_tasks

CUTOFF = week(17)
# No target was known by then: nothing to learn from.
TOO_EARLY = week(3)
SEED = 11


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    return training_frame(poisson_series(6, weeks=20), axis(weeks=20), range(6, 20))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fits")


@pytest.fixture(scope="module")
def fitted(spark: SparkSession, examples: pd.DataFrame, folder: Path) -> dict[str, Row]:
    """Four fits in one go, of which the first cannot be."""
    files = write_parts(examples, folder / "frame")
    wanted = [("linear", TOO_EARLY), ("linear", CUTOFF), ("hist_gradient_boosting", CUTOFF), ("knn5", CUTOFF)]
    fits = [Fit(PANEL, model, last, files, str(folder / f"{model}-{last}"), SEED) for model, last in wanted]
    return {row["artefact"].rpartition("/")[2]: row for row in fit_in_tasks(spark, fits).collect()}


def test_a_fit_that_fails_says_why_and_the_others_go_on(fitted: dict[str, Row]) -> None:
    failed = fitted.pop(f"linear-{TOO_EARLY}")
    assert "Error: " in failed["error"]
    assert "\n" not in failed["error"]
    assert (failed["panel"], failed["model"], failed["cutoff"], failed["examples"]) == (PANEL, "linear", TOO_EARLY, 0)
    assert not Path(failed["artefact"]).exists()
    assert {name: row["error"] for name, row in fitted.items()} == dict.fromkeys(
        (f"linear-{CUTOFF}", f"hist_gradient_boosting-{CUTOFF}", f"knn5-{CUTOFF}")
    )


@pytest.mark.parametrize("model", ["linear", "hist_gradient_boosting", "knn5"])
def test_a_task_learns_what_one_process_learns_from_the_examples_known(
    model: str, fitted: dict[str, Row], examples: pd.DataFrame
) -> None:
    row = fitted[f"{model}-{CUTOFF}"]
    known = examples[examples["week"] <= CUTOFF].sort_values(
        ["store_id", "item_id", "origin", "step"], ignore_index=True
    )
    alone = sklearn_models.fit(model, known, encoder.fit_encoder(known), SEED)
    found, expected = (sklearn_models.predict(each, examples) for each in (stored.load(row["artefact"]), alone))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert row["examples"] == len(known) < len(examples)
    assert row["seconds"] > 0


def test_what_a_killed_run_has_fitted_is_not_fitted_again(
    spark: SparkSession, examples: pd.DataFrame, tmp_path: Path
) -> None:
    files = write_parts(examples, tmp_path / "frame")
    fits = [
        Fit(PANEL, "linear", last, files, str(tmp_path / f"{last}"), SEED, str(tmp_path / f"{last}.parquet"))
        for last in (TOO_EARLY, CUTOFF)
    ]
    before = {row["cutoff"]: row for row in fit_in_tasks(spark, fits).collect()}
    assert [before[last]["error"] is None for last in (TOO_EARLY, CUTOFF)] == [False, True]
    # To learn from these is an error of its own.
    gone = [replace(fit, files=(str(tmp_path / "gone.parquet"),)) for fit in fits]
    assert {row["cutoff"]: row for row in fit_in_tasks(spark, gone).collect()} == before


def test_nothing_to_fit_gives_no_row(spark: SparkSession) -> None:
    assert fit_in_tasks(spark, []).count() == 0
