import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlp_builders import design
from panel_builders import axis, poisson_series, week, write_windows
from shelfcast.settings.networks import Networks
from shelfcast.training.loop import Recipe
from shelfcast.training.networks import NetworkPlan
from shelfcast.training.stream import Source
from shelfcast.tuning.trial import TrialTask, run_trial
from shelfcast.tuning.trials import TRIALS

AXIS = axis(weeks=24)
ROWS = poisson_series(4, weeks=24)
SETTINGS = Networks(epochs=3, warmup_epochs=0.5, batch_size=16, units=8, patience=1)
PARAMETERS = {"learning_rate": 0.01, "units": 4.0, "item_embedding": 2.0}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> TrialTask:
    """The windows that end by week 20, of which those from week 18 on validate."""
    folder = tmp_path_factory.mktemp("trials")
    words = [("store_id", "s1"), ("item_id", "p0"), ("category_id", "c1")]
    vocabulary = pd.DataFrame([("product", week(19), *word, 1) for word in words])
    vocabulary.set_axis(["panel", "cutoff", "column", "value", "index"], axis=1).to_parquet(folder / "words.parquet")
    plan = NetworkPlan(
        panel="product",
        model="mlp",
        cutoff=week(19),
        source=Source(write_windows(ROWS, AXIS, range(10, 19), folder / "windows"), {}, 2, 18, 20),
        vocabulary=(str(folder / "words.parquet"),),
        design=design(horizon=2, sizes=()),
        recipe=Recipe("adam", 1, 0.1, 0.0, 0.0, 1, seed=3),
        batch_size=1,
        country="US",
    )
    return TrialTask(plan, SETTINGS, "grid", f"{folder}/rows")


def test_a_finished_trial_tells_its_loss_in_each_epoch(task: TrialTask) -> None:
    loss = run_trial(task, 7, PARAMETERS)
    row = json.loads(Path(task.path(7)).read_text())
    assert {*row} == {*TRIALS.names} - {"region", "panel_run"}
    assert (row["panel"], row["model"], row["trial"], row["method"]) == ("product", "mlp", 7, "grid")
    assert (row["status"], row["error"], row["parameters"]) == ("finished", None, PARAMETERS)
    assert row["seconds"] > 0
    assert len(row["losses"]) == 3
    # train_mlp keeps the weights of the last epoch, where it holds no weeks back.
    assert row["loss"] == loss == row["losses"][-1][1]


def test_where_the_best_epoch_is_kept_its_loss_counts_and_patience_ends_the_trial(task: TrialTask) -> None:
    steep = {"learning_rate": 3.0}
    patient = replace(task, settings=SETTINGS.model_copy(update={"held_back_weeks": 2, "epochs": 9}))
    loss = run_trial(patient, 8, steep)
    losses = json.loads(Path(task.path(8)).read_text())["losses"]
    assert loss == min(held for _, held in losses)
    assert len(losses) < 9


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param(
            {"learning_rate": 1e30},
            "ShelfcastError: training: the loss of epoch 1 is nan; wanted a number",
            id="no-number",
        ),
        pytest.param(
            {"dropout": 2.0},
            "ValidationError: 1 validation error for Networks dropout Input should be less than 1",
            id="no-setting",
        ),
    ],
)
def test_a_failed_trial_tells_why_in_a_line(task: TrialTask, parameters: dict[str, float], said: str) -> None:
    assert run_trial(task, 9, parameters) is None
    row = json.loads(Path(task.path(9)).read_text())
    assert (row["status"], row["loss"], row["losses"]) == ("failed", None, [])
    assert row["error"].startswith(said)
    assert "\n" not in row["error"]


def test_the_parameters_make_the_network_and_the_training(task: TrialTask) -> None:
    settings = SETTINGS.model_copy(update={"units": 4, "item_embedding": 2, "batch_size": 5, "learning_rate": 0.5})
    planned = task.plan.with_settings(settings)
    assert (planned.design.units, planned.design.embeddings, planned.batch_size) == (4, (0, 2, 0), 5)
    assert (planned.recipe.learning_rate, planned.recipe.epochs, planned.recipe.seed) == (0.5, 3, 3)
    assert (planned.source, planned.design.kind, planned.design.horizon) == (task.plan.source, "mlp", 2)
