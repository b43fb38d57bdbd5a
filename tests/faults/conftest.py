import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from chain import SETTINGS, write_chain
from faults.lakes import Undisturbed
from shelfcast import config
from shelfcast.runner import Runner
from submitted import CONFIG, STARTED


@pytest.fixture(autouse=True)
def _nothing_goes_on() -> Iterator[None]:
    """What a test has started ends with it, though it failed."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small chain."""
    return write_chain(tmp_path_factory.mktemp("source") / "chain")


@pytest.fixture(scope="session")
def make_runner(spark: SparkSession, chain: Path) -> Callable[..., Runner]:
    def make(lake: Path, *changes: str) -> Runner:
        return Runner(spark, config.load(CONFIG, [*SETTINGS, f"source.path={chain}", f"lake={lake}", *changes]))

    return make


@pytest.fixture(scope="session")
def undisturbed(make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"), make_runner)
