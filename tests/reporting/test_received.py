"""The page's history of what was received."""

from datetime import date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from builders import frame
from report_builders import Page, report
from report_builders import frame as of_report
from shelfcast.judging.contracts import RESULTS
from shelfcast.reporting.page import render
from shelfcast.reporting.received import contracts
from shelfcast.table import Table

DAY = date(2017, 12, 31)


def found(rule: str, violations: int, age: int) -> dict[str, Any]:
    at = datetime(2017, 12, 31, 7) - timedelta(days=age)
    row = {"source_table": "sales", "check": "range", "severity": "quarantine", "rows": 100, "known_on": at.date()}
    return {"run_id": f"{age}", "rule": rule, "violations": violations, "checked_at": at, **row}


def test_of_each_contract_the_last_ten_runs_are_told_the_newest_first(spark: SparkSession) -> None:
    results = frame(spark, RESULTS, *(found(rule, age, age) for rule in ("b", "a") for age in range(12)))

    def read(table: Table) -> DataFrame:
        assert table == RESULTS
        return results

    told = contracts(read)
    assert told is not None
    assert [(row.rule, row.age, row.violations) for row in told.collect()] == [
        (rule, place + 1, place) for rule in ("a", "b") for place in range(10)
    ]


def test_a_lake_without_contracts_has_no_history_of_them() -> None:
    assert contracts(lambda _: None) is None


def test_each_contract_tells_what_came_last_and_the_runs_before_it() -> None:
    rows = [
        ("no_wholesale", "sales", "range", "quarantine", 2, DAY, 1100, 0),
        ("no_wholesale", "sales", "range", "quarantine", 1, DAY, 1200, 31),
        ("no_wholesale", "sales", "range", "quarantine", 3, DAY, 1000, 1007),
        ("one_line_an_order", "purchases", "unique", "count", 1, DAY, 90, 0),
        ("whole_day", "sales", "volume", "fatal", 1, DAY, 1, 1),
    ]
    text = Page(render(report(contracts=of_report("contracts", *rows)))).text
    assert "1 of 3 rules were kept by what came last." in text
    assert "no wholesale sales range quarantined 1,200 31 0, 1,007" in text
    assert "one line an order purchases unique counted 90 0 none" in text
    assert "whole day sales volume ends the job 1 1 none" in text


def test_that_nothing_was_promised_is_said_in_a_sentence() -> None:
    assert "No contract is set down" in Page(render(report())).text
