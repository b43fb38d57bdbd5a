import re

import pytest
from pyspark.sql import SparkSession

from shelfcast import session
from shelfcast.resources import resource_folder
from shelfcast.session import default_options, open_session

SETTINGS = (resource_folder("conf") / "spark-defaults.conf").read_text()


def test_each_group_of_settings_stands_under_its_reason() -> None:
    groups = SETTINGS.strip().split("\n\n")[1:]
    assert all(group.startswith("# ") for group in groups)


def test_the_defaults_are_the_lines_of_the_file() -> None:
    options = default_options()
    assert len(options) == len([line for line in SETTINGS.splitlines() if re.match("spark", line)])
    assert options["spark.sql.session.timeZone"] == "UTC"
    assert options["spark.driver.extraJavaOptions"].startswith("-XX:")


def test_a_session_opened_twice_is_one(spark: SparkSession) -> None:
    assert open_session("again").sparkContext is spark.sparkContext


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


@pytest.mark.parametrize("key", ["a.b", "spark.sql.shuffle.partitions"])
def test_a_test_may_change_a_setting(spark: SparkSession, key: str) -> None:
    spark.conf.set(key, "11")
    spark.range(1).createOrReplaceTempView("numbers")


def test_the_next_test_does_not_see_it(spark: SparkSession) -> None:
    assert spark.conf.get("a.b", None) is None
    assert spark.conf.get("spark.sql.shuffle.partitions") == "2"
    assert not spark.catalog.listTables()
