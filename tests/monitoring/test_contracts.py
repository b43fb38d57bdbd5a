"""Contracts that a source has broken, on their way to those who are told."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import frame
from corner import REGION, line
from promised import KEPT, shop
from shelfcast.judging.contracts import RESULTS
from shelfcast.monitoring.contracts import judge, newest_broken
from shelfcast.monitoring.tables import INPUT_ALERTS
from shelfcast.steps import check_inputs

AS_OF = date(2017, 1, 8)


def found(rule: str, violations: int, day: int, **told: Any) -> dict[str, Any]:
    """What a run of that day of January found."""
    row = {"source_table": "sales", "rule": rule, "check": "range", "severity": "quarantine", "rows": 1200}
    at = {"checked_at": datetime(2017, 1, day, 7), "known_on": date(2017, 1, day)}
    return {**row, **at, "violations": violations, **told}


def test_what_came_last_tells_whether_a_contract_is_broken(spark: SparkSession) -> None:
    rows = [
        found("no_wholesale", 0, 7),
        found("no_wholesale", 1100, 8),
        found("mended", 5, 7),
        found("mended", 0, 8),
        found("of_tomorrow", 5, 9),
        found("asked_no_more", 5, 8),
        found("counted", 1, 8, severity="count", check="required", source_table="products"),
        found("whole_day", 1, 8, severity="fatal", check="volume", rows=1),
    ]
    rules = ["no_wholesale", "mended", "of_tomorrow", "counted", "whole_day"]
    told = judge(newest_broken(frame(spark, RESULTS, *rows), rules, AS_OF).collect())
    assert [(each.severity, each.reason) for each in told] == [
        ("info", "contract counted: 1 of 1,200 rows of products break it (required)"),
        ("warning", "contract no_wholesale: 1,100 of 1,200 rows of sales break it (range)"),
        ("critical", "contract whole_day: sales breaks it (volume)"),
    ]
    assert {(each.check, each.held, each.wanted) for each in told} == {("contract", False, 0.0)}


@pytest.mark.slow
def test_a_broken_contract_is_an_alert_until_what_comes_keeps_it(spark: SparkSession, tmp_path: Path) -> None:
    rule = {**KEPT, "severity": "quarantine", "range": {"column": "source_quantity", "at_most": 50}}
    corner = shop(spark, tmp_path, {"no_wholesale": rule})

    def alerts() -> list[str]:
        corner.take_in()
        runner = corner.runner
        runner.run(check_inputs.job(runner.config))
        told = runner.lake.read(INPUT_ALERTS, REGION).where(f"check = 'contract' and forecast_date = '{runner.as_of}'")
        return [row.reason for row in told.collect()]

    corner.deliver("sales-1.csv", line("a", "2017-01-02", 1), line("b", "2017-01-02", 60))
    assert alerts() == ["contract no_wholesale: 1 of 2 rows of sales break it (range)"]
    corner.deliver("sales-2.csv", line("c", "2017-01-03", 1))
    assert alerts() == []
