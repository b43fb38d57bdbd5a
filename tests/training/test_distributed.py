import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from regression_task import RECIPE, fit
from shelfcast.errors import ConfigError, ShelfcastError, TransientError
from shelfcast.training import distributed
from shelfcast.training.checkpoint import Checkpoint
from shelfcast.training.communicator import Alone

TESTS = str(Path(__file__).parents[1])
# Ten global batches an epoch: fifty steps.
SHARES = ((0.5, 0.5), (0.2, 0.8), (1.0, 0.0))
ADAM = replace(RECIPE, optimizer="adam", learning_rate=0.01)


def test_one_process_works_alone_in_a_task_of_its_own(spark: SparkSession) -> None:
    def work(communicator, word: str) -> tuple[str, int, int, bool]:
        return word, communicator.rank, communicator.size, os.getpid() == driver

    driver = os.getpid()
    assert distributed.run(spark, work, ("hello",), processes=1) == [("hello", 0, 1, False)]


@pytest.mark.parametrize(
    ("setting", "found", "wanted"),
    [
        ("spark.task.maxFailures", "4", "found 4, wanted 1"),
        ("spark.speculation", "true", "found true, wanted false"),
        ("spark.dynamicAllocation.enabled", "true", "found true, wanted false"),
    ],
)
def test_a_cluster_that_would_start_a_failed_process_again_is_refused(setting: str, found: str, wanted: str) -> None:
    fitting = {"spark.master": "spark://host:7077", "spark.task.maxFailures": "1"}
    with pytest.raises(ConfigError, match=f"{setting}: {wanted}"):
        distributed.require_settings({**fitting, setting: found})
    distributed.require_settings(fitting)
    distributed.require_settings({"spark.master": "local[2]"})


@pytest.mark.parametrize(("code", "kind"), [("-9", TransientError), ("137", TransientError), ("1", ShelfcastError)])
def test_a_killed_process_may_be_tried_again_and_one_that_failed_may_not(code: str, kind: type[Exception]) -> None:
    said = RuntimeError(f"The first process to do so was:\nProcess name: 3\nExit code: {code}\n")
    made = distributed._failure(said, 4)
    assert type(made) is kind
    assert str(made).startswith(f"training: process 3 of 4 ended with exit code {code}; wanted 0")


def test_an_error_that_names_no_process_stays_as_it_is() -> None:
    said = RuntimeError("no network")
    assert distributed._failure(said, 2) is said


@pytest.mark.slow
def test_two_processes_learn_what_one_does(spark: SparkSession, tmp_path: Path) -> None:
    """One ring carries many claims: to start one takes most of a minute."""
    tests = TESTS

    def work(communicator) -> dict[str, object]:
        sys.path.insert(0, tests)
        from regression_task import fit as fit_there

        by_shares = [fit_there(communicator, shares=shares)[0] for shares in SHARES]
        return {
            "rank": (communicator.rank, communicator.local_rank, communicator.size),
            "sgd": by_shares,
            "adam": fit_there(communicator, ADAM, shares=(0.3, 0.7), held=30)[1],
            "broadcast": communicator.broadcast([np.array([communicator.rank + 5])])[0].tolist(),
        }

    timeline = tmp_path / "timeline.json"
    results = distributed.run(spark, work, (), processes=2, timeline=str(timeline))
    assert [result["rank"] for result in results] == [(0, 0, 2), (1, 1, 2)]
    alone, _ = fit(Alone())
    _, history = fit(Alone(), ADAM, held=30)
    for result in results:
        for weights in result["sgd"]:
            for one, other in zip(weights, alone, strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result["adam"], history, rtol=0, atol=1e-4)
        assert result["broadcast"] == [5]
    assert "ALLREDUCE" in timeline.read_text()


@pytest.mark.slow
def test_a_training_with_a_killed_process_fails_at_once_and_goes_on_from_its_checkpoint(
    spark: SparkSession, tmp_path: Path
) -> None:
    tests, uri, killed_at = TESTS, str(tmp_path / "state.npz"), tmp_path / "killed"

    def work(communicator) -> None:
        sys.path.insert(0, tests)
        import regression_task

        class Fatal(regression_task.Task):
            def training(self, epoch: int):
                if communicator.rank == 1 and epoch == 3:
                    killed_at.write_text(json.dumps(time.time()))
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().training(epoch)

        regression_task.Task = Fatal
        regression_task.fit(communicator, ADAM, store=Checkpoint(uri))

    with pytest.raises(TransientError, match=r"process 1 of 2 ended with exit code \S+; wanted 0"):
        distributed.run(spark, work, (), processes=2)
    assert time.time() - json.loads(killed_at.read_text()) < 60
    undisturbed, left = fit(Alone(), ADAM)[1], Checkpoint(uri)
    state = left.read()
    assert state is not None
    assert int(state[0]) == 2
    resumed = fit(Alone(), ADAM, store=left)[1]
    np.testing.assert_allclose(resumed, undisturbed, rtol=0, atol=1e-4)
