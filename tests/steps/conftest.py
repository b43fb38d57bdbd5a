import fcntl
import os
import shutil
import subprocess
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
from submitted import CONFIG, ROOT, chain_flags, start

# What the shop sells a week of each product, and what was counted.
SHOP = {("1", "fast"): 70.0, ("1", "slow"): 7.0, ("1", "full"): 14.0}
SHELVES = {("1", "fast"): 30.0, ("1", "full"): 900.0}


Make = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a folder once for all processes of the tests: none changes what lies there."""
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def give(name: str, make: Callable[[Path], object]) -> Path:
        folder, finished = root / name, root / f"{name}.finished"
        with open(root / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not finished.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                finished.touch()
        return folder

    return give


@pytest.fixture(scope="session")
def chain(make_once: Make) -> Path:
    """The files of a small chain."""
    return make_once("chain", write_chain)


@pytest.fixture(scope="session")
def make_runner(spark: SparkSession, chain: Path) -> Callable[..., Runner]:
    def make(lake: Path, *changes: str, source: Path = chain, **named: object) -> Runner:
        return Runner(
            spark, config.load(CONFIG, [*SETTINGS, f"source.path={source}", f"lake={lake}", *changes]), **named
        )

    return make


@pytest.fixture(scope="session")
def made(make_once: Make, make_runner: Callable[..., Runner]) -> Path:
    """A lake that the whole pipeline has made, for copies."""
    return make_once("lake", lambda lake: InventorySystem(make_runner(lake)).run())


@pytest.fixture(scope="session")
def ran(made: Path, make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The runner of a copy of that lake."""
    return make_runner(shutil.copytree(made, tmp_path_factory.mktemp("ran") / "lake"))


def train(lake: Path, make_runner: Callable[..., Runner]) -> None:
    runner = make_runner(lake, *NETWORKS)
    assert runner.run(train_mlp.job(runner.config))
    assert runner.run(evaluate.job(runner.config))


@pytest.fixture(scope="session")
def trained(
    made: Path, make_once: Make, make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory
) -> Runner:
    """The runner of a copy of that lake, with networks."""
    lake = make_once("lake_with_networks", lambda lake: train(shutil.copytree(made, lake), make_runner))
    return make_runner(shutil.copytree(lake, tmp_path_factory.mktemp("trained") / "lake"), *NETWORKS)


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

    def begin(job: str, lake: Path, *flags: str, master: str = "local[2]") -> subprocess.Popen[str]:
        return start(ROOT / "jobs" / f"{job}.py", *chain_flags(chain, lake), *flags, master=master)

    return begin
