"""Jobs on a standalone cluster of two workers, whose executors are processes of their own: the whole pipeline where the
workers have neither the code nor its packages nor the source's files, and the training of networks."""

import importlib.util
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks import event_log
from benchmarks.standalone import BIN, ENVIRONMENT, can_hide, cluster
from chain import NETWORKS, SETTINGS
from made_tables import EXACT, REGION, hashes
from shelfcast import schemas
from shelfcast.lake import Lake
from shelfcast.networks.tables import STORE_BACKTESTS, STORE_HEADS
from shelfcast.portable_python import write_environment
from shelfcast.runner import Runner
from shelfcast.tuning.trials import TRIALS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "conf" / "complete_journey.yaml"
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
# What a worker of the tests' machine would find beside Spark; without it nothing runs but what came with the job.
PACKAGES = ("numpy", "pandas", "pyarrow", "sklearn", "scipy")
# Anything that runs longer than most of its like is done twice, at once.
SPECULATING = (
    "spark.speculation=true",
    "spark.speculation.interval=100ms",
    "spark.speculation.multiplier=1.01",
    "spark.speculation.quantile=0.25",
    "spark.speculation.minTaskRuntime=500ms",
)
# An executor that has been idle for a second goes, and comes again.
COMING_AND_GOING = (
    "spark.dynamicAllocation.enabled=true",
    "spark.dynamicAllocation.shuffleTracking.enabled=true",
    "spark.dynamicAllocation.shuffleTracking.timeout=5s",
    "spark.dynamicAllocation.executorIdleTimeout=1s",
    "spark.dynamicAllocation.minExecutors=0",
    "spark.dynamicAllocation.maxExecutors=2",
)


def submit(address: str, lake: Path, source: Path | str, settings: Sequence[str], job: str = "pipeline") -> None:
    changes = [flag for change in (*SETTINGS, f"source.path={source}", f"lake={lake}") for flag in ("--set", change)]
    conf = [flag for setting in ("spark.driver.memory=1g", *settings) for flag in ("--spark-conf", setting)]
    command = [BIN / "shelfcast", "submit", job, "--master", address, *conf, "--config", CONFIG, *changes]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "lib")}
    ended = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]


@contextmanager
def standing_still(executors: Path, number: str) -> Iterator[None]:
    """Python of that executor, as of a machine that is overloaded, stands still for two seconds of three."""
    over = threading.Event()

    def disturb() -> None:
        while not over.wait(1):
            found = [each for each in psutil.process_iter() if _works_for(each, executors, number)]
            for process in found:
                with suppress(psutil.Error):
                    process.suspend()
            over.wait(2)
            for process in found:
                with suppress(psutil.Error):
                    process.resume()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _works_for(process: psutil.Process, executors: Path, number: str) -> bool:
    try:
        return "pyspark.daemon" in process.cmdline() and Path(process.cwd()).match(f"{executors}/*/{number}")
    except psutil.Error:
        return False


@pytest.fixture(scope="module")
def apart(chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the whole pipeline on workers that have Spark and nothing else, the Python of one of them
    much slower than the other's: its lake, log and executors."""
    if not can_hide():
        pytest.skip("no folders of a process's own on this system (unshare)")
    folder = tmp_path_factory.mktemp("apart")
    archive = write_environment(folder / "environment.tar.gz", ["spark"])
    source = shutil.copytree(chain, folder / "source")
    here = [Path(str(importlib.util.find_spec(name).origin)).parent for name in PACKAGES]  # type: ignore[union-attr]
    settings = (
        f"spark.archives={archive}#environment",
        "spark.pyspark.python=./environment/bin/python",
        f"spark.pyspark.driver.python={sys.executable}",
        *SPECULATING,
        *event_log.logging_to(folder / "log"),
    )
    hidden = [source, ROOT / "lib", *here]
    with cluster("1g", folder / "executors", hidden=hidden) as address, standing_still(folder / "executors", "0"):
        submit(address, folder / "lake", source, settings)
    return folder


def test_the_whole_pipeline_on_workers_with_spark_alone_makes_the_lake_of_one_machine(
    apart: Path, ran: Runner, spark: SparkSession
) -> None:
    assert hashes(Lake(spark, str(apart / "lake")), EXACT) == hashes(ran.lake, EXACT)


def test_its_tasks_ran_in_two_executors_and_the_slow_ones_twice(apart: Path) -> None:
    (log,) = (apart / "log").glob("app-*")
    tasks = event_log.read(log).tasks
    assert {task.executor for task in tasks} == {"0", "1"}
    assert [task for task in tasks if task.is_copy]
    assert [task for task in tasks if task.was_killed]


def test_the_source_s_files_are_gone_from_the_lake_s_inbox(apart: Path) -> None:
    assert not [*(apart / "lake").rglob("inbox")]


def test_executors_that_come_and_go_make_the_lake_of_one_machine(
    chain: Path, ran: Runner, spark: SparkSession, tmp_path: Path
) -> None:
    with cluster("1g", tmp_path / "executors") as address:
        # Named as on a disk that all machines share, the source's files are read where they are.
        submit(address, tmp_path / "lake", f"file://{chain}", COMING_AND_GOING)
    (application,) = (tmp_path / "executors").iterdir()
    assert len([*application.iterdir()]) > 2
    assert hashes(Lake(spark, str(tmp_path / "lake")), EXACT) == hashes(ran.lake, EXACT)


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


def test_every_store_tried_a_head_at_every_cutoff_and_for_the_weeks_ahead(clustered: Runner) -> None:
    stores = ["cutoff", "store_id"]
    networks = clustered.lake.read(schemas.NETWORK_BACKTESTS, REGION).where("model = 'mlp'")
    tried = networks.select(stores).distinct()
    heads = clustered.lake.read(STORE_HEADS, REGION)
    ahead = heads.join(networks.select("cutoff").distinct(), "cutoff", "anti")
    assert heads.select(stores).exceptAll(ahead.select(stores)).exceptAll(tried).isEmpty()
    assert heads.count() - ahead.count() == tried.count() > 0
    assert ahead.select("store_id").exceptAll(tried.select("store_id").distinct()).isEmpty()
    assert ahead.select("cutoff").distinct().count() == 1
    own = clustered.lake.read(STORE_BACKTESTS, REGION).where(F.col("model") == "mlp_stores")
    assert own.count() == networks.count()
