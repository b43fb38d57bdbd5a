"""Opens the Spark session of a job or a test, the only place that does: settings from conf/spark-defaults.conf."""

import os
from collections.abc import Mapping

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from shelfcast.resources import resource_folder


def default_options() -> dict[str, str]:
    """Key and value of each line of conf/spark-defaults.conf, as spark-submit reads them."""
    text = (resource_folder("conf") / "spark-defaults.conf").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {key: value.strip() for key, value in pairs}


def open_session(app_name: str, options: Mapping[str, str] | None = None) -> SparkSession:
    """The session of this process, opened where there is none yet.

    What the command line of spark-submit set wins over `options`, and these over the defaults.
    """
    conf = _submitted_conf()
    for key, value in {**default_options(), **(options or {})}.items():
        conf.setIfMissing(key, value)
    return SparkSession.builder.config(conf=conf).appName(app_name).getOrCreate()


def _submitted_conf() -> SparkConf:
    """Under spark-submit its JVM holds what the command line set, and is asked; else there is nothing set yet."""
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        SparkContext._ensure_initialized()
    return SparkConf()
