from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from shelfcast.settings.networks import Networks
from shelfcast.settings.tuning import PARAMETERS, Grid, Space
from shelfcast.tuning.trials import TRIALS, Best, best_trials, parameters_of, with_parameters

NOW = "run-2"


def rows(spark: SparkSession, *trials: dict[str, Any]) -> DataFrame:
    """Finished trials of the mlp on products that saw the panel of now, but for what is said."""
    usual = {"panel": "product", "model": "mlp", "status": "finished", "panel_run": NOW, "parameters": {"units": 8.0}}
    full = [{**dict.fromkeys(TRIALS.names), **usual, **trial} for trial in trials]
    return spark.createDataFrame([tuple(trial[name] for name in TRIALS.names) for trial in full], TRIALS.schema)


def test_the_best_is_the_finished_trial_of_the_least_loss_on_the_data_of_now(spark: SparkSession) -> None:
    found = best_trials(
        rows(
            spark,
            {"trial": 0, "loss": 0.7},
            {"trial": 1, "status": "failed"},
            {"trial": 2, "loss": 0.5, "parameters": {"units": 32.0, "dropout": 0.2}},
            {"trial": 3, "loss": 0.5},
            {"trial": 4, "loss": 0.1, "panel_run": "run-1"},
            {"trial": 5, "loss": 0.9, "model": "lstm"},
            {"trial": 6, "status": "failed", "panel": "category"},
        ),
        NOW,
    )
    assert found == {
        ("product", "mlp"): Best(2, 0.5, {"units": 32.0, "dropout": 0.2}),
        ("product", "lstm"): Best(5, 0.9, {"units": 8.0}),
    }


def test_what_can_be_tuned_are_settings_of_the_networks() -> None:
    assert PARAMETERS == tuple(Space.model_fields) == tuple(Grid.model_fields)
    assert set(PARAMETERS) <= set(Networks.model_fields)


def test_settings_with_parameters_are_those_but_for_these() -> None:
    tuned = {"learning_rate": 0.01, "batch_size": 64.0, "item_embedding": 3.0}
    found = with_parameters(Networks(epochs=9, units=5), tuned)
    assert found == Networks(epochs=9, units=5, learning_rate=0.01, batch_size=64, item_embedding=3)
    assert parameters_of(found) == {**parameters_of(Networks(units=5)), **tuned}


def test_parameters_that_are_no_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="dropout"):
        with_parameters(Networks(), {"dropout": 2.0})
