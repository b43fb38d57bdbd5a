"""A lake and a source in a real S3 store on the loopback."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import stores
from servers import PASSWORD, stranger
from shelfcast import storage
from shelfcast.lake import Lake
from shelfcast.options import read_options
from shelfcast.runner import Runner
from shelfcast.schemas import PUBLICATIONS
from shelfcast.system import PIPELINE
from stores import Store
from submitted import ROOT, chain_flags, start

pytestmark = pytest.mark.slow
REGION = "complete_journey"
LAKE = "s3a://lake/of/shops"


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with stores.s3("lake") as store, stores.in_environment(store.environment):
        yield store


@pytest.fixture(scope="module")
def reader(spark: SparkSession, store: Store) -> Lake:
    """The lake in the store."""
    store.open_to(spark)
    return Lake(spark, LAKE)


@pytest.fixture(scope="module")
def secure(store: Store) -> Iterator[Store]:
    """The store by way of TLS."""
    with stores.behind_tls(store) as secure:
        yield secure


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
    tables = {table.name: table for step in PIPELINE for table in step.job(ran.config).writes if table != PUBLICATIONS}
    for table in tables.values():
        assert reader.content_hash(table, REGION) == ran.lake.content_hash(table, REGION), table.name
    assert reader.read(PUBLICATIONS, REGION).count() == 1
    assert "<html" in reader.read_text(f"reports/{REGION}/index.html")
    assert reader.names("_leases/*/*~*") + reader.names("_leases/*/*/*/*~*") == []
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


def test_models_files_go_by_tls_to_a_store_whose_authority_is_named_and_to_no_other(secure: Store) -> None:
    model = "s3a://lake/models/a.skops"
    with stores.in_environment(secure.environment):
        storage.write_bytes(b"fitted", model)
        assert storage.read_bytes(model) == b"fitted"
    with stranger() as other, stores.in_environment({**secure.environment, "AWS_CA_BUNDLE": str(other)}):
        with pytest.raises(OSError, match="SSL peer certificate"):
            storage.read_bytes(model)
        with pytest.raises(OSError, match="SSL peer certificate"):
            storage.write_bytes(b"told to a stranger", model)


def test_a_job_goes_by_tls_to_a_store_whose_authority_spark_s_settings_name(
    secure: Store, chain: Path, tmp_path: Path
) -> None:
    lake, known = "s3a://lake/by/tls", tmp_path / "corner.jks"
    made = ("keytool", "-importcert", "-noprompt", "-alias", "corner", "-storetype", "JKS", "-storepass", "changeit")
    authority = secure.environment["AWS_CA_BUNDLE"]
    subprocess.run([*made, "-file", authority, "-keystore", known], check=True, capture_output=True)
    settings = read_options((ROOT / "conf" / "stores" / "s3.conf").read_text(encoding="utf-8"))
    options = {key: value.replace("/etc/shelfcast/corner.jks", str(known)) for key, value in settings.items()}
    job = (ROOT / "jobs" / "ingest.py", *chain_flags(chain, lake))
    status, told = run(start(*job, options=options, **secure.environment))
    assert status == 0, told
    status, told = run(start(*job, **secure.environment))
    assert (status, "unable to find valid certification path" in told) == (75, True), told
