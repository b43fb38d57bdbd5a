import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F

from shelfcast import artefacts, schemas
from shelfcast.errors import NotEnoughHistoryError, ShelfcastError
from shelfcast.lease import Holder
from shelfcast.models.mlp.forecaster import loads
from shelfcast.runner import Runner
from shelfcast.steps import report, train_mlp, tune_mlp
from shelfcast.tuning.search import Dimension, Tpe
from shelfcast.tuning.trials import TRIALS
from shelfcast.windows import TUNING_WINDOWS

REGION = "complete_journey"
# Four trials, of which those of the second learning rate cannot be finished.
SMALL = (
    "networks.panels=[reference]",
    "networks.epochs=2",
    "networks.batch_size=64",
    "networks.windows=300",
    "tuning.method=grid",
    "tuning.grid={learning_rate: [0.002, 1.0e+30], units: [4, 8], blocks: [1], dropout: [0], batch_size: [64], "
    "item_embedding: [3]}",
    "tuning.max_failed=0.5",
)
UNITS = {0: 4.0, 1: 8.0, 2: 4.0, 3: 8.0}


@pytest.fixture(scope="module")
def make_tuner(ran: Runner, make_runner: Callable[..., Runner], tmp_path_factory) -> Callable[..., Runner]:
    """Runners, with further changes, on a copy of the pipeline's lake."""
    lake = tmp_path_factory.mktemp("tuning") / "lake"
    shutil.copytree(ran.lake.root, lake)
    return lambda *changes: make_runner(lake, *SMALL, *changes)


@pytest.fixture(scope="module")
def tuned(make_tuner: Callable[..., Runner]) -> Runner:
    runner = make_tuner()
    assert runner.run(tune_mlp.job(runner.config))
    return runner


def _rows(runner: Runner) -> list[Row]:
    return runner.lake.read(TRIALS, REGION).orderBy("trial").collect()


def _files(runner: Runner) -> dict[str, int]:
    """The rows that trials have left, with the time at which each was written."""
    found = Path(runner.lake.root).glob(f"models/_trials/{REGION}/*/reference-mlp/*.json")
    return {path.name: path.stat().st_mtime_ns for path in found}


def test_every_trial_is_a_row_and_one_that_fails_ends_no_other(tuned: Runner) -> None:
    rows = _rows(tuned)
    assert [(row.panel, row.model, row.trial, row.method) for row in rows] == [
        ("reference", "mlp", number, "grid") for number in range(4)
    ]
    assert [row.parameters["units"] for row in rows] == [*UNITS.values()]
    assert [row.status for row in rows] == ["finished", "finished", "failed", "failed"]
    for row in rows[:2]:
        assert row.error is None
        assert [epoch.validation for epoch in row.losses][-1] == row.loss > 0
        assert len(row.losses) == 2
    for row in rows[2:]:
        assert row.loss is None
        assert row.error.startswith("ShelfcastError: training: the loss of epoch ")
    assert all(row.seconds > 0 and row.panel_run for row in rows)


def test_a_second_run_tries_nothing(tuned: Runner) -> None:
    assert not tuned.run(tune_mlp.job(tuned.config))


def test_no_trial_sees_a_week_after_the_first_cutoff(tuned: Runner) -> None:
    """The backtest's first cutoff is after 24 weeks: with a horizon of 3 no origin is after the 21st."""
    windows = tuned.lake.read(TUNING_WINDOWS, REGION)
    assert windows.agg(F.max("origin")).first()[0] == 24 - 3
    assert windows.where("exists(y, value -> isnan(value))").count() == 0


def test_a_search_that_was_killed_goes_on_with_what_is_missing(tuned: Runner, make_tuner) -> None:
    before, (folder,) = _files(tuned), Path(tuned.lake.root).glob(f"models/_trials/{REGION}/*/reference-mlp")
    (folder / "00001.json").unlink()
    wider = make_tuner("tuning.parallelism=1")
    assert wider.run(tune_mlp.job(wider.config))
    after = _files(wider)
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == ["00001.json"]
    assert [row.parameters["units"] for row in _rows(wider)] == [*UNITS.values()]


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill"])
def test_a_search_interrupted_by_force_goes_on_with_what_is_missing(
    ran: Runner, make_runner, submit, blow: signal.Signals, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(ran.lake.root, lake)
    flags = [flag for change in (*SMALL, "tuning.parallelism=1") for flag in ("--set", change)]
    process, runner = submit("tune_mlp", lake, *flags), make_runner(lake, *SMALL)
    deadline = time.monotonic() + 300
    while len(_files(runner)) < 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, blow)
    process.communicate(timeout=120)
    # Python outlives the JVM that started it by a moment, and its lease with it.
    while any(Holder.of(name).is_alive for name in runner.lake.names(f"_leases/{REGION}/*~*")):
        time.sleep(0.1)
    before = _files(runner)
    assert 1 <= len(before) < 4
    assert runner.run(tune_mlp.job(runner.config))
    after = _files(runner)
    assert len(after) == len(_rows(runner)) == 4
    assert {name: after[name] for name in before} == before


def test_above_the_threshold_the_job_fails_and_tries_no_trial_again(tuned: Runner, make_tuner) -> None:
    before, strict = _files(tuned), make_tuner("tuning.max_failed=0.25")
    said = r"tune_mlp: reference, mlp: found 2 of 4 trials failed, wanted at most 25% .*; trial 2: ShelfcastError"
    for _ in range(2):
        with pytest.raises(ShelfcastError, match=said):
            strict.run(tune_mlp.job(strict.config))
    assert len(_rows(strict)) == 4
    assert _files(strict) == before


@pytest.mark.slow
def test_train_mlp_takes_the_parameters_of_the_best_trial(tuned: Runner, make_tuner) -> None:
    best = min((row for row in _rows(tuned) if row.loss is not None), key=lambda row: row.loss)
    runner = make_tuner("networks.tuned=true")
    assert runner.run(train_mlp.job(runner.config))
    assert not runner.run(train_mlp.job(runner.config))
    for row in runner.lake.read(schemas.NETWORK_REGISTRY, REGION).collect():
        assert row.detail == f"settings of trial {best.trial}"
        assert row.parameters == best.parameters
        design = loads(artefacts.read_bytes(runner.lake.address(row.artefact))).design
        assert (design.units, design.embeddings) == (best.parameters["units"], [0, 3, 0])


def test_where_nobody_asks_for_it_train_mlp_takes_what_is_configured(tuned: Runner) -> None:
    assert TRIALS not in train_mlp.job(tuned.config).optional


def test_the_report_shows_the_trials(tuned: Runner) -> None:
    assert tuned.run(report.job(tuned.config))
    page = (Path(tuned.lake.root) / "reports" / REGION / "index.html").read_text()
    assert '<section id="tuning"' in page
    assert "2 failed" in page


def test_a_history_too_short_to_validate_before_the_backtest_is_refused(make_tuner) -> None:
    runner = make_tuner("training.min_history=21")
    with pytest.raises(NotEnoughHistoryError, match=r"first cutoff is after 24 weeks, wanted 25 or more"):
        runner.run(tune_mlp.job(runner.config))


def test_tpe_draws_from_the_space_of_the_configuration(make_tuner) -> None:
    changes = ("tuning.method=tpe", "tuning.trials=9", "tuning.space.units={low: 4, high: 64}", "runtime.seed=5")
    strategy = tune_mlp.make_strategy(make_tuner(*changes).config)
    assert isinstance(strategy, Tpe)
    assert (strategy.trials, strategy.random_trials, strategy.seed) == (9, 8, 5)
    assert strategy.dimensions["units"] == Dimension(4, 64, is_log=True, is_whole=True)
    assert strategy.dimensions["dropout"] == Dimension(0.0, 0.4, is_log=False, is_whole=False)
    assert strategy.dimensions["blocks"] == Dimension(0, 3, is_log=False, is_whole=True)
    assert strategy.dimensions["learning_rate"] == Dimension(0.0003, 0.01, is_log=True, is_whole=False)
