"""Opens the Spark session of a job or a test, the only place that does: settings from conf/spark-defaults.conf."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession
from pyspark.util import inheritable_thread_target

from shelfcast import storage
from shelfcast.options import read_options
from shelfcast.resources import resource_folder


def default_options() -> dict[str, str]:
    """Key and value of each line of conf/spark-defaults.conf."""
    return read_options((resource_folder("conf") / "spark-defaults.conf").read_text(encoding="utf-8"))


def open_session(app_name: str, options: Mapping[str, str] | None = None) -> SparkSession:
    """The session of this process, opened where there is none yet.

    What the command line of spark-submit set wins over `options`, and these over the defaults.
    """
    conf = _submitted_conf()
    for key, value in {**default_options(), **_of_stores(), **(options or {})}.items():
        conf.setIfMissing(key, value)
    return SparkSession.builder.config(conf=conf).appName(app_name).getOrCreate()


def is_jvm_gone() -> bool:
    """Whether the JVM that this process had answers no more."""
    gateway = SparkContext._gateway
    if gateway is None:
        return False
    try:
        gateway.jvm.java.lang.System.nanoTime()
    except (Py4JError, ConnectionError):
        return True
    return False


T = TypeVar("T")
_POOL = "spark.scheduler.pool"


def side_by_side(spark: SparkSession, *tasks: Callable[[], T]) -> list[T]:
    """What the tasks return, in their order. They run at the same time: where one leaves a core idle, another works.

    Each runs in a scheduler pool of its own and inherits the job's name in Spark's page. The first error is raised when
    all have ended.
    """
    outer = spark.sparkContext.getLocalProperty(_POOL) or "side"

    def in_pool(number: int, task: Callable[[], T]) -> T:
        spark.sparkContext.setLocalProperty(_POOL, f"{outer} {number}")
        return task()

    with ThreadPoolExecutor(max(len(tasks), 1)) as threads:
        # Decorated for each anew: what is decorated once shares one set of properties.
        running = [
            threads.submit(inheritable_thread_target(spark)(in_pool), number, task) for number, task in enumerate(tasks)
        ]
    return [future.result() for future in running]


@contextmanager
def named_in_spark(spark: SparkSession, name: str) -> Iterator[None]:
    """Name the job's stages in Spark's own page."""
    spark.sparkContext.setJobDescription(name)
    try:
        yield
    finally:
        spark.sparkContext.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type]


@contextmanager
def settings(spark: SparkSession, wanted: Mapping[str, str]) -> Iterator[None]:
    """Settings of the session that no option of a statement stands for."""
    before = {key: spark.conf.get(key, None) for key in wanted}
    for key, value in wanted.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, held in before.items():
            if held is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, held)


def _of_stores() -> dict[str, str]:
    """Of a server that speaks as S3 does, named by AWS_ENDPOINT_URL, buckets are folders, and no names of hosts. Its
    region Hadoop's connector does not take from the environment: it would sign for us-east-2."""
    region = storage.s3_region() if os.environ.get("AWS_ENDPOINT_URL") else None
    s3a = {"path.style.access": "true", "endpoint.region": region} if region else {}
    return {f"spark.hadoop.fs.s3a.{name}": value for name, value in s3a.items()}


def _submitted_conf() -> SparkConf:
    """Under spark-submit its JVM holds what the command line set, and is asked; else there is nothing set yet."""
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        SparkContext._ensure_initialized()
    else:
        # A notebook's Python need not be the python3 of the path, which may lack every package.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return SparkConf()
