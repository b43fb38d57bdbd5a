"""Training, tuning and fine-tuning on a standalone cluster of two workers: executors in processes of their own."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from benchmarks.standalone import BIN, ENVIRONMENT, cluster
from chain import NETWORKS, SETTINGS
from shelfcast import schemas
from shelfcast.networks.tables import STORE_BACKTESTS, STORE_HEADS
from shelfcast.runner import Runner
from shelfcast.tuning.trials import TRIALS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "conf" / "complete_journey.yaml"
REGION = "complete_journey"
KEY = ["cutoff", "store_id", "item_id", "step"]
JOBS = ("train_mlp", "tune_mlp", "fine_tune_stores")
SPARK = ("--spark-conf", "spark.task.maxFailures=1", "--spark-conf", "spark.driver.memory=1g")
CHANGES = (
    *NETWORKS,
    "networks.processes=2",
    "networks.panels=[reference]",
    "tuning.method=grid",
    "tuning.grid={learning_rate: [0.002], units: [4, 8], blocks: [1], dropout: [0], batch_size: [64]}",
)


@pytest.fixture(scope="module")
def executors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the executors of each application leave their files."""
    return tmp_path_factory.mktemp("executors")


@pytest.fixture(scope="module")
def clustered(
    ran: Runner, make_runner: Callable[..., Runner], chain: Path, executors: Path, tmp_path_factory
) -> Runner:
    """The runner of a copy of the pipeline's lake, after the jobs were submitted to the cluster one after the other."""
    lake = tmp_path_factory.mktemp("clustered") / "lake"
    shutil.copytree(ran.lake.root, lake)
    changes = (*SETTINGS, *CHANGES, f"source.path={chain}", f"lake={lake}")
    flags = [flag for change in changes for flag in ("--set", change)]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "lib")}
    with cluster("1g", executors) as address:
        for job in JOBS:
            command = [BIN / "shelfcast", "submit", job, "--master", address, *SPARK, "--config", CONFIG, *flags]
            ended = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
            assert ended.returncode == 0, ended.stderr[-4000:]
    return make_runner(lake)


@pytest.mark.usefixtures("clustered")
def test_each_job_ran_in_two_executors(executors: Path) -> None:
    applications = [sorted(executor.name for executor in folder.iterdir()) for folder in executors.glob("app-*")]
    assert applications == [["0", "1"]] * len(JOBS)


def test_two_executors_trained_networks_that_forecast_every_series(clustered: Runner) -> None:
    registered = clustered.lake.read(schemas.NETWORK_REGISTRY, REGION).collect()
    assert {(row.model, row.status, row.hyperparameters["processes"]) for row in registered} == {
        ("mlp", "fitted", "2"),
        ("mlp_median", "fitted", "2"),
    }
    assert all(len(row.losses) == 2 and row.examples > 0 for row in registered)
    naive = clustered.lake.read(schemas.BACKTESTS, REGION).where("model = 'naive' and panel = 'reference'")
    scored = clustered.lake.read(schemas.NETWORK_BACKTESTS, REGION).where("model = 'mlp'")
    assert scored.select(*KEY, "y").exceptAll(naive.select(*KEY, "y")).isEmpty()
    assert scored.count() == naive.count() > 0


def test_every_trial_of_the_tuning_is_a_row(clustered: Runner) -> None:
    rows = clustered.lake.read(TRIALS, REGION).orderBy("trial").collect()
    assert [(row.trial, row.status, row.parameters["units"]) for row in rows] == [
        (0, "finished", 4.0),
        (1, "finished", 8.0),
    ]
    assert all(row.loss > 0 for row in rows)


def test_every_store_tried_a_head_at_every_cutoff(clustered: Runner) -> None:
    stores = ["cutoff", "store_id"]
    networks = clustered.lake.read(schemas.NETWORK_BACKTESTS, REGION).where("model = 'mlp'")
    heads = clustered.lake.read(STORE_HEADS, REGION)
    assert heads.select(stores).exceptAll(networks.select(stores).distinct()).isEmpty()
    assert heads.count() == networks.select(stores).distinct().count() > 0
    own = clustered.lake.read(STORE_BACKTESTS, REGION).where(F.col("model") == "mlp_stores")
    assert own.count() == networks.count()
