"""The network of one company, made that of another by the job: here both are the small chain."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.errors import ConfigError, LakeError
from shelfcast.networks.tables import TRANSFER_BACKTESTS, TRANSFER_REGISTRY
from shelfcast.runner import Runner
from shelfcast.steps import evaluate, transfer

REGION = "complete_journey"
KEY = ["panel", "cutoff", "store_id", "item_id", "step"]
SMALL = ("networks.panels=[reference]", "networks.held_back_weeks=3", "networks.windows=300")
SHORT = ("transfer.epochs=1", "transfer.tuning_epochs=1")


@pytest.fixture(scope="module")
def transferred(trained: Runner, make_runner: Callable[..., Runner], tmp_path_factory) -> Runner:
    """A copy of the lake with networks, and what was made of them."""
    lake = tmp_path_factory.mktemp("transferred") / "lake"
    shutil.copytree(trained.lake.root, lake)
    base = (f"transfer.lake={trained.lake.root}", f"transfer.region={REGION}")
    runner = make_runner(lake, *SMALL, *SHORT, *base)
    assert runner.run(transfer.job(runner.config))
    assert runner.run(evaluate.job(runner.config))
    return runner


def test_it_stands_on_the_leaderboard_beside_what_was_trained_from_scratch(transferred: Runner) -> None:
    board = transferred.lake.read(schemas.LEADERBOARD, REGION).where("family = 'Keras' and panel = 'reference'")
    found = {row.model: row for row in board.collect()}
    assert set(found) == {"mlp", "mlp_median", "mlp_transferred", "mlp_transferred_median"}
    assert all(row.wape > 0 and row.status == "fitted" for row in found.values())


def test_it_forecasts_every_series_that_the_baselines_do(transferred: Runner) -> None:
    naive = transferred.lake.read(schemas.BACKTESTS, REGION).where("model = 'naive' and panel = 'reference'")
    scored = transferred.lake.read(TRANSFER_BACKTESTS, REGION).where("model = 'mlp_transferred'")
    assert scored.select(*KEY, "y").exceptAll(naive.select(*KEY, "y")).isEmpty()
    assert scored.count() == naive.count() > 0


def test_the_registry_tells_of_both_passes(transferred: Runner) -> None:
    rows = transferred.lake.read(TRANSFER_REGISTRY, REGION).where("model = 'mlp_transferred'").collect()
    assert [len(row.losses) for row in rows] == [2, 2, 2, 2]
    assert all(row.artefact.startswith("models/_networks/transfer/") for row in rows)
    base = transferred.lake.read(schemas.NETWORK_REGISTRY, REGION).agg(F.max("version")).first()[0]
    for row in rows:
        assert row.hyperparameters["base"].startswith(f"{REGION}/{base}/reference-mlp-")
        assert {"epochs", "tuning_epochs", "adapters"} <= row.hyperparameters.keys()
        assert row.training_tables.keys() >= {"features/transfer_windows", "features/panel_demand"}


def test_a_second_run_does_nothing_and_leaves_what_was_trained_from_scratch_alone(transferred: Runner) -> None:
    assert not transferred.run(transfer.job(transferred.config))
    assert not transferred.run(evaluate.job(transferred.config))
    networks = transferred.lake.read(schemas.NETWORK_REGISTRY, REGION)
    assert {row.model for row in networks.collect()} == {"mlp", "mlp_median"}


BASES = {
    "no section": ((), ConfigError, "transfer: missing section"),
    "two bases": (("transfer.region=a", "transfer.artefact=b.zip"), ConfigError, "either the region whose network"),
    "no such network": (
        (f"transfer.region={REGION}", "transfer.model=lstm"),
        LakeError,
        "has no network lstm of panel",
    ),
    "no such file": (("transfer.artefact=nowhere.zip",), LakeError, "nowhere.zip is not there; wanted"),
}


@pytest.mark.parametrize(("changes", "kind", "message"), BASES.values(), ids=BASES)
def test_a_base_that_is_not_there_is_named(
    trained: Runner, make_runner: Callable[..., Runner], changes: tuple[str, ...], kind: type[Exception], message: str
) -> None:
    def run() -> None:
        runner = make_runner(Path(trained.lake.root), *changes)
        runner.run(transfer.job(runner.config))

    with pytest.raises(kind, match=message):
        run()
