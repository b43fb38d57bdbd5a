import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from builders import frame
from chain import NETWORKS, SETTINGS, write_chain
from shelfcast import config
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.steps import evaluate, train_mlp
from shelfcast.system import InventorySystem
from shop import lake_of

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "conf" / "complete_journey.yaml"
# What the shop sells a week of each product, and what was counted.
SHOP = {("1", "fast"): 70.0, ("1", "slow"): 7.0, ("1", "full"): 14.0}
SHELVES = {("1", "fast"): 30.0, ("1", "full"): 900.0}


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small chain."""
    return write_chain(tmp_path_factory.mktemp("source") / "chain")


@pytest.fixture(scope="session")
def make_runner(spark: SparkSession, chain: Path) -> Callable[..., Runner]:
    def make(lake: Path, *changes: str, source: Path = chain, **named: object) -> Runner:
        return Runner(
            spark, config.load(CONFIG, [*SETTINGS, f"source.path={source}", f"lake={lake}", *changes]), **named
        )

    return make


@pytest.fixture(scope="session")
def ran(make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The runner of a lake that the whole pipeline has made."""
    runner = make_runner(tmp_path_factory.mktemp("lake") / "lake")
    InventorySystem(runner).run()
    return runner


@pytest.fixture(scope="session")
def trained(ran: Runner, make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The runner of a copy of that lake, with networks."""
    lake = tmp_path_factory.mktemp("networks") / "lake"
    shutil.copytree(ran.lake.root, lake)
    runner = make_runner(lake, *NETWORKS)
    assert runner.run(train_mlp.job(runner.config))
    assert runner.run(evaluate.job(runner.config))
    return runner


@pytest.fixture(scope="session")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with all that a plan reads, and no plan."""
    root = tmp_path_factory.mktemp("shop")
    for table, rows in lake_of(SHOP, SHELVES):
        note = {"run_key": "given", "job": table.name}
        Lake(spark, str(root)).replace(table, frame(spark, table, *rows), {"region": "tiny"}, note)
    return root


@pytest.fixture
def submit(chain: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a job in a process of its own, as spark-submit would."""

    def start(job: str, lake: Path, *flags: str, master: str = "local[2]") -> subprocess.Popen[str]:
        changes = [flag for change in (*SETTINGS, f"source.path={chain}", f"lake={lake}") for flag in ("--set", change)]
        command = [
            str(Path(sys.executable).parent / "spark-submit"),
            *("--master", master, "--properties-file", str(ROOT / "conf" / "spark-defaults.conf")),
            *("--conf", "spark.driver.host=localhost", "--conf", "spark.driver.bindAddress=127.0.0.1"),
            *(str(ROOT / "jobs" / f"{job}.py"), "--config", str(CONFIG), *changes, *flags),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "PYSPARK_PYTHON": sys.executable}
        return subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )

    return start
