import os
import re
import sys
from functools import partial
from threading import Barrier, Event
from time import sleep
from unittest.mock import Mock

import pytest
from py4j.protocol import Py4JNetworkError
from pyspark import SparkConf
from pyspark.sql import SparkSession

from shelfcast import session
from shelfcast.errors import LakeError
from shelfcast.resources import resource_folder
from shelfcast.session import default_options, open_session, side_by_side

SETTINGS = (resource_folder("conf") / "spark-defaults.conf").read_text()


def test_each_group_of_settings_stands_under_its_reason() -> None:
    groups = SETTINGS.strip().split("\n\n")[1:]
    assert all(group.startswith("# ") for group in groups)


def test_the_defaults_are_the_lines_of_the_file() -> None:
    options = default_options()
    assert len(options) == len([line for line in SETTINGS.splitlines() if re.match("spark", line)])
    assert options["spark.sql.session.timeZone"] == "UTC"
    assert options["spark.driver.extraJavaOptions"].startswith("-XX:")


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        pytest.param("spark.hadoop.fs.s3a.secret.key", False, id="secret-key-of-s3"),
        pytest.param("spark.hadoop.fs.azure.account.key.SHOPS.dfs.core.windows.net", False, id="account-key-of-azure"),
        pytest.param("spark.io.encryption.keySizeBits", True, id="no-key-but-its-size"),
    ],
)
def test_what_spark_shows_of_its_settings_is_no_key_of_a_store(name: str, is_shown: bool) -> None:
    conf = SparkConf(loadDefaults=False).setAll([*default_options().items(), (name, "canary")])
    assert is_shown == ("canary" in conf.toDebugString())


def test_a_session_opened_twice_is_one(spark: SparkSession) -> None:
    assert open_session("again").sparkContext is spark.sparkContext


@pytest.mark.usefixtures("spark")
def test_the_jvm_of_a_session_is_there_until_it_answers_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not session.is_jvm_gone()
    for error in (Py4JNetworkError("Answer from Java side is empty"), ConnectionRefusedError(111, "refused")):
        gone = Mock(**{"jvm.java.lang.System.nanoTime.side_effect": error})
        monkeypatch.setattr(session.SparkContext, "_gateway", gone)
        assert session.is_jvm_gone()
        monkeypatch.undo()


def test_options_win_over_the_defaults(spark: SparkSession) -> None:
    assert default_options()["spark.sql.shuffle.partitions"] != "2"
    assert spark.conf.get("spark.sql.shuffle.partitions") == "2"
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"


def test_a_setting_of_the_command_line_wins_over_options_and_defaults(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = session._submitted_conf().set("spark.sql.shuffle.partitions", "5")
    monkeypatch.setattr(session, "_submitted_conf", lambda: conf)
    open_session("submitted", {"spark.sql.shuffle.partitions": "7"})
    assert spark.conf.get("spark.sql.shuffle.partitions") == "5"


@pytest.mark.parametrize(
    ("set_outside", "expected"),
    [
        pytest.param({}, sys.executable, id="a notebook's workers run its own Python"),
        pytest.param({"PYSPARK_PYTHON": "/opt/python"}, "/opt/python", id="who names a Python gets that one"),
    ],
)
def test_workers_run_the_python_of_a_session_without_spark_submit(
    set_outside: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", set_outside)
    session._submitted_conf()
    assert set_outside["PYSPARK_PYTHON"] == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({"AWS_REGION": "eu-west-1"}, {}, id="Amazon's own buckets are found wherever they are"),
        pytest.param(
            {"AWS_ENDPOINT_URL": "http://store.corner.example:9000"},
            {"path.style.access": "true", "endpoint.region": "us-east-1"},
            id="a server of its own has the region that most have",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL": "http://store.corner.example:9000", "AWS_REGION": "eu-west-1"},
            {"path.style.access": "true", "endpoint.region": "eu-west-1"},
            id="or that which is named",
        ),
    ],
)
def test_spark_finds_a_store_by_the_variables_by_which_arrow_does(
    variables: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert session._of_stores() == {f"spark.hadoop.fs.s3a.{name}": value for name, value in expected.items()}


def test_tasks_run_at_the_same_time_and_answer_in_their_order(spark: SparkSession) -> None:
    both_run = Barrier(2, timeout=60)

    def after_the_other(name: str, rows: int) -> tuple[str, int]:
        both_run.wait()
        return name, spark.range(rows).count()

    assert side_by_side(spark, partial(after_the_other, "a", 3), partial(after_the_other, "b", 2)) == [
        ("a", 3),
        ("b", 2),
    ]


def test_tasks_carry_the_name_of_the_job_each_in_a_pool_of_its_own(spark: SparkSession) -> None:
    context = spark.sparkContext
    context.setJobDescription("clean")

    def told() -> tuple[str | None, str | None]:
        return context.getLocalProperty("spark.job.description"), context.getLocalProperty("spark.scheduler.pool")

    assert side_by_side(spark, told, told) == [("clean", "side 0"), ("clean", "side 1")]
    assert context.getLocalProperty("spark.scheduler.pool") is None


def test_tasks_of_a_task_share_no_pool_with_its_neighbours(spark: SparkSession) -> None:
    def pool() -> str | None:
        return spark.sparkContext.getLocalProperty("spark.scheduler.pool")

    inner = side_by_side(spark, partial(side_by_side, spark, pool, pool), partial(side_by_side, spark, pool, pool))
    assert inner == [["side 0 0", "side 0 1"], ["side 1 0", "side 1 1"]]


def test_the_error_of_a_task_is_raised_when_the_others_are_done(spark: SparkSession) -> None:
    done = Event()

    def fail() -> None:
        raise LakeError("gone")

    with pytest.raises(LakeError, match="gone"):
        side_by_side(spark, fail, lambda: sleep(0.2) or done.set())
    assert done.is_set()


@pytest.mark.parametrize("key", ["a.b", "spark.sql.shuffle.partitions"])
def test_a_test_may_change_a_setting(spark: SparkSession, key: str) -> None:
    spark.conf.set(key, "11")
    spark.range(1).createOrReplaceTempView("numbers")
    assert spark.conf.get(key) == "11"


def test_the_next_test_does_not_see_it(spark: SparkSession) -> None:
    assert spark.conf.get("a.b", None) is None
    assert spark.conf.get("spark.sql.shuffle.partitions") == "2"
    assert not spark.sql("show views").collect()
