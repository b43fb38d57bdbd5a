import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

import servers
from shelfcast.session import open_session

ROOT = Path(__file__).parents[1]
# Python workers run the tests' own interpreter, whatever python3 the PATH leads to.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
# A run started in the background may be deaf to interrupts and hang-ups, and so would be all that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# Two processes of tests on two cores: threads that wait for one another in a loop would take both.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A machine whose own name has no address runs them too.
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
# No property fails because the machine is busy; of the same code the suite says the same each time, and `make slowtest`
# looks for examples that nobody has seen.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same_examples", _UNTIMED, derandomize=True)
settings.register_profile("new_examples", _UNTIMED)
settings.load_profile("same_examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The flows first: of two processes none is left with a long module when the other has ended."""
    items.sort(key=lambda item: "steps" not in item.path.parts)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One session for all tests: starting one costs seconds."""
    scratch = tmp_path_factory.mktemp("spark")
    session = open_session(
        "tests",
        {
            "spark.master": "local[2]",
            # inline tables have a handful of rows
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.adaptive.coalescePartitions.enabled": "false",
            # and interpreting a plan costs less than generating its code, as jobs in processes of their own do
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            # nor does a hash table of them want the 64 MB that it takes at once
            "spark.buffer.pageSize": "1m",
            # each test's lake is a new one, and Delta would keep the plans of a thousand
            "spark.databricks.delta.delta.log.cacheSize": "100",
            "spark.local.dir": str(scratch / "local"),
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        },
    )
    yield session
    session.stop()


def _told(session: SparkSession) -> str:
    """All settings in one answer: hundreds, asked for one by one, take as long as many a test."""
    return str(session.conf._jconf.getAllAsJava().toString())


@pytest.fixture(scope="session")
def _given(spark: SparkSession) -> tuple[str, dict[str, str]]:
    """The settings before any test."""
    return _told(spark), dict(spark.conf.getAll)


@pytest.fixture(autouse=True)
def _reset_session(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test's settings, cached frames and views are its own: what a module keeps for its tests is a checkpoint."""
    if "spark" not in request.fixturenames:
        yield
        return
    session: SparkSession = request.getfixturevalue("spark")
    told, before = request.getfixturevalue("_given")
    yield
    if _told(session) != told:
        after = dict(session.conf.getAll)
        for key in after.keys() - before.keys():
            session.conf.unset(key)
        for key in (key for key, value in before.items() if after.get(key) != value):
            session.conf.set(key, before[key])
    session.catalog.clearCache()
    # A query of them takes as long as many a test, which makes none.
    if not session._jsparkSession.sessionState().catalog().getTempViewNames().isEmpty():
        for view in session.sql("show views").where("isTemporary").collect():
            session.catalog.dropTempView(view["viewName"])


@pytest.fixture
def lake_root(tmp_path: Path) -> Path:
    """The root of an empty lake."""
    return tmp_path / "lake"


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of the data sets that are not part of the project; the test is skipped where there is none."""
    folder = Path(os.environ.get("SHELFCAST_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets: SHELFCAST_TEST_DATA names {folder}, which is not there")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.Sql]:
    """A PostgreSQL of the tests' own, its password in the environment."""
    with servers.password_in_environment(), servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mysql() -> Iterator[servers.Sql]:
    """A MariaDB of the tests' own, its password in the environment."""
    with servers.password_in_environment(), servers.mariadb() as server:
        yield server


@pytest.fixture(params=["postgresql", pytest.param("mysql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest) -> servers.Sql:
    """One database after the other."""
    found: servers.Sql = request.getfixturevalue(request.param)
    return found
