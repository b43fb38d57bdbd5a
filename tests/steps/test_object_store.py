"""A lake and a source in a real S3 store on the loopback."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession

import servers
from servers import PASSWORD, Store
from shelfcast import storage
from shelfcast.lake import Lake
from shelfcast.runner import Runner
from shelfcast.schemas import PUBLICATIONS
from shelfcast.system import PIPELINE

pytestmark = pytest.mark.slow
REGION = "complete_journey"
LAKE = "s3a://lake/of/shops"


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with servers.s3() as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        yield store


@pytest.fixture(scope="module")
def reader(spark: SparkSession, store: Store) -> Lake:
    """The lake in the store, for a session that began before it."""
    settings = spark.sparkContext._jsc.hadoopConfiguration()
    settings.set("fs.s3a.endpoint", store.environment["AWS_ENDPOINT_URL"])
    settings.set("fs.s3a.access.key", store.environment["AWS_ACCESS_KEY_ID"])
    settings.set("fs.s3a.secret.key", store.environment["AWS_SECRET_ACCESS_KEY"])
    settings.set("fs.s3a.path.style.access", "true")
    return Lake(spark, LAKE)


def run(process: subprocess.Popen[str]) -> tuple[int, str]:
    told, _ = process.communicate(timeout=900)
    return process.returncode, told


def test_a_lake_in_a_store_that_went_away_equals_the_one_on_a_disk(
    ran: Runner, reader: Lake, store: Store, submit: Callable[..., subprocess.Popen[str]]
) -> None:
    first = submit("pipeline", LAKE)
    told = _until(first, "aggregate: started")
    store.process.stop()
    try:
        status, rest = run(first)
    finally:
        store.process.start()
    assert status == 75, told + rest
    (line,) = [line for line in rest.splitlines() if line.startswith("error: ")]
    assert line.endswith("wanted it to answer")
    status, told = run(submit("pipeline", LAKE))
    assert status == 0, told
    assert "ingest: up to date" in told
    tables = {table for step in PIPELINE for table in step.job(ran.config).writes} - {PUBLICATIONS}
    for table in tables:
        assert reader.content_hash(table, REGION) == ran.lake.content_hash(table, REGION), table.name
    assert reader.read(PUBLICATIONS, REGION).count() == 1
    assert "<html" in reader.read_text(f"reports/{REGION}/index.html")
    assert not reader.names("_leases/*/*")
    assert PASSWORD not in told
    again, told = run(submit("pipeline", LAKE))
    assert (again, told.count("up to date")) == (0, len(PIPELINE)), told


def _until(process: subprocess.Popen[str], words: str) -> str:
    """Reads what the process tells until it says `words`."""
    told = ""
    assert process.stdout is not None
    for line in process.stdout:
        told += line
        if words in line:
            return told
    raise AssertionError(told)


@pytest.mark.usefixtures("store")
def test_files_of_a_store_are_found_and_read_as_those_of_a_disk() -> None:
    storage.write_bytes(b"a;b\n1;2\n", "s3a://lake/in/sales-1 b%.csv")
    storage.write_bytes(b"whole", "s3a://lake/in/2017/sales-2.csv")
    assert storage.find("s3a://lake/in", "sales-*.csv") == ["s3a://lake/in/sales-1 b%.csv"]
    assert storage.find("s3a://lake/in/", "*/sales-?.csv") == ["s3a://lake/in/2017/sales-2.csv"]
    assert storage.find("s3a://lake/nowhere", "*") == []
    assert storage.read_head("s3a://lake/in/sales-1 b%.csv", 3) == b"a;b"
    assert not storage.is_file("s3a://lake/in")
    before = storage.content_hash("s3a://lake/in/2017/sales-2.csv")
    storage.write_bytes(b"other", "s3a://lake/in/2017/sales-2.csv")
    assert storage.content_hash("s3a://lake/in/2017/sales-2.csv") != before
    with pytest.raises(FileNotFoundError):
        storage.read_bytes("s3a://lake/in/nothing.csv")
