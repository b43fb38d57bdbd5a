"""A real S3 server on a free port of the loopback, as it is and behind TLS: started and stopped by the tests."""

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from servers import PASSWORD, Process, certify, free_port, hand_over, own_folder
from shelfcast import storage

REGION = "eu-west-1"
FRONT = Path(__file__).parent / "tls_front.py"


@dataclass
class Store:
    """An S3 server: its process, the folder whose folders are its buckets, and how clients find it."""

    process: Process
    root: Path
    environment: dict[str, str]

    def open_to(self, spark: SparkSession) -> None:
        """Have a session find it that began before it."""
        settings = spark.sparkContext._jsc.hadoopConfiguration()
        settings.set("fs.s3a.endpoint", self.environment["AWS_ENDPOINT_URL"])
        settings.set("fs.s3a.endpoint.region", self.environment["AWS_REGION"])
        settings.set("fs.s3a.access.key", self.environment["AWS_ACCESS_KEY_ID"])
        settings.set("fs.s3a.secret.key", self.environment["AWS_SECRET_ACCESS_KEY"])
        settings.set("fs.s3a.path.style.access", "true")


@contextmanager
def s3(bucket: str) -> Iterator[Store]:
    """An S3 server on a folder, with the bucket, and PASSWORD as its secret key."""
    server, home_of_jars = _versitygw(), Path(importlib.import_module("pyspark").__file__).parent / "jars"
    if not [*home_of_jars.glob("hadoop-aws-*.jar")]:
        pytest.skip("no connector to S3 beside Spark's jars; `make s3` puts it there")
    with own_folder() as home:
        (home / "buckets" / bucket).mkdir(parents=True)
        port, keys = free_port(), ("AKIATEST", PASSWORD)
        how = ("--quiet", "--port", f"127.0.0.1:{port}", "--access", keys[0], "--secret", keys[1], "--region", REGION)
        process = Process((server, *how, "posix", str(home / "buckets")), port, home / "log")
        process.start()
        try:
            # Another than those that clients take where they are told none.
            found = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_REGION": REGION}
            secret = {"AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1]}
            yield Store(process, home / "buckets", found | secret)
        finally:
            process.stop()


@contextmanager
def behind_tls(store: Store) -> Iterator[Store]:
    """The same store, whose clients come by TLS and know the authority of its certificate."""
    with own_folder() as home:
        hand_over(home)
        certify(home)
        port = free_port()
        certificate = (str(home / "server.pem"), str(home / "server.key"))
        front = Process(
            (sys.executable, str(FRONT), str(port), str(store.process.port), *certificate), port, home / "log"
        )
        front.start()
        try:
            found = {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}", "AWS_CA_BUNDLE": str(home / "authority.pem")}
            yield Store(front, store.root, store.environment | found)
        finally:
            front.stop()


@contextmanager
def in_environment(variables: dict[str, str]) -> Iterator[None]:
    """Clients in this process, and in those that it starts, find a store by the variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        storage._s3.cache_clear()
        yield
    storage._s3.cache_clear()


def _versitygw() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    # The newest of them: the others may be of the project's past.
    kept = sorted(map(str, (cache / "shelfcast").glob("versitygw-*")), reverse=True)
    found = shutil.which("versitygw", path=":".join([*kept, os.environ["PATH"]]))
    if found is None:
        pytest.skip("no S3 server: versitygw is not there; `make s3server` builds it")
    return found
