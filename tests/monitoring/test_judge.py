"""The days of one store, judged without Spark."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shelfcast.monitoring.alerts import Finding
from shelfcast.monitoring.judge import Judge
from shelfcast.settings.monitoring import Monitoring

MONDAY, DAYS = date(2016, 9, 26), 86
TUESDAY = MONDAY + timedelta(days=DAYS - 1)
SETTINGS = Monitoring()


def days(store: str = "7", usual: float = 80.0, **last: Any) -> pd.DataFrame:
    """Twelve weeks of a store, to a Tuesday; `last`: what is different on it."""
    rows = usual + 4.0 * (np.arange(DAYS) // 7 % 3 - 1)
    frame = pd.DataFrame(
        {
            "store_id": store,
            "day": [MONDAY + timedelta(days=n) for n in range(DAYS)],
            "rows": rows,
            "units": 5 * rows,
            "content": np.arange(DAYS) + 1,
            "twice": False,
            "raw": rows,
            "duplicates": 0.0,
            "quarantined": 0.0,
        }
    )
    for name, value in last.items():
        frame.loc[DAYS - 1, name] = value
    return frame


def judged(frame: pd.DataFrame, newest: date = TUESDAY, closed: frozenset[date] = frozenset()) -> list[Finding]:
    return [*Judge(SETTINGS, newest, closed).of_store(frame)]


def test_an_ordinary_store_has_nothing_to_tell() -> None:
    assert judged(days()) == []


@pytest.mark.parametrize(
    ("last", "severity", "said"),
    [
        pytest.param(
            {"rows": 800.0, "units": 4000.0},
            "critical",
            "10.0 times its usual Tuesday (800 rows, 4,000 units; usually 80 and 400)",
            id="ten-times-the-rows",
        ),
        pytest.param(
            {"units": 4000.0},
            "critical",
            "times its usual Tuesday",
            id="ten-times-the-units-of-each-row",
        ),
        pytest.param({"rows": 8.0, "units": 40.0}, "critical", "0.1 times its usual Tuesday", id="a-tenth"),
        pytest.param({"rows": 170.0, "units": 800.0}, "warning", "2.1 times its usual Tuesday", id="twice-as-much"),
        pytest.param(
            {"rows": 160.0, "units": 800.0, "twice": True},
            "critical",
            "each of its 160 rows is there twice",
            id="each-row-twice",
        ),
        pytest.param(
            {"duplicates": 80.0, "raw": 160.0},
            "warning",
            "80 of its 160 rows came before, and are left out",
            id="duplicates-that-cleaning-left-out",
        ),
        pytest.param(
            {"quarantined": 90.0, "raw": 100.0, "rows": 10.0, "units": 50.0},
            "critical",
            "90 of its 100 rows are refused",
            id="rows-that-cleaning-refused",
        ),
        pytest.param(
            {"content": DAYS - 1, "rows": 76.0},
            "critical",
            "its 76 rows are those of 2016-12-19",
            id="the-rows-of-the-day-before",
        ),
    ],
)
def test_what_is_odd_about_a_day_is_named(last: dict[str, Any], severity: str, said: str) -> None:
    frame = days(**last)
    if "content" in last:
        frame.loc[DAYS - 2, "rows"] = last["rows"]
    found = judged(frame)
    assert said in " ".join(each.reason for each in found)
    assert all(each.reason.startswith("2016-12-20, store 7: ") for each in found)
    assert {each.severity for each in found} <= {severity, "warning"}
    assert any(each.held for each in found) == (severity == "critical")


def without(frame: pd.DataFrame, *numbers: int) -> pd.DataFrame:
    return frame.drop(index=[DAYS - 1 - number for number in numbers])


def test_a_day_that_is_missing_between_others_is_named() -> None:
    (found,) = judged(without(days(), 1))
    assert (found.check, found.severity, found.held, found.found) == ("volume", "critical", True, 0.0)
    assert found.reason.startswith("2016-12-19, store 7: nothing sold; its usual Monday has ")


def test_a_store_whose_last_days_did_not_come_is_late_and_held_from_the_first_of_them() -> None:
    (found,) = judged(without(days(), 0, 1))
    assert (found.check, found.severity, found.day, found.held) == ("freshness", "critical", date(2016, 12, 19), True)
    assert "nothing delivered since 2016-12-18, while other stores sold until 2016-12-20" in found.reason


def test_a_store_that_sold_nothing_for_two_weeks_is_gone_and_holds_nothing() -> None:
    (found,) = judged(without(days(), *range(14)))
    assert (found.check, found.severity, found.held) == ("stores", "warning", False)
    assert found.reason == "store 7: nothing sold for 14 days, since 2016-12-06"


def test_a_holiday_without_sales_is_no_more_than_information() -> None:
    day = TUESDAY - timedelta(days=1)
    (found,) = judged(without(days(), 1), closed=frozenset({day}))
    assert (found.severity, found.held) == ("info", False)


def test_what_is_long_ago_is_told_where_it_is_critical_alone() -> None:
    frame = days()
    frame.loc[DAYS - 40, ["rows", "units"]] = [800.0, 4000.0]
    frame.loc[DAYS - 41, ["rows", "units"]] = [160.0, 800.0]
    assert [(each.day, each.severity) for each in judged(frame)] == [(TUESDAY - timedelta(days=39), "critical")]


def test_a_first_week_is_compared_with_nothing() -> None:
    assert judged(days().iloc[:7].assign(rows=[1.0, 900.0] * 3 + [1.0]), MONDAY + timedelta(days=6)) == []


def test_a_refused_row_of_long_before_changes_nothing() -> None:
    stray = days().iloc[:1].assign(day=date(1900, 1, 1), rows=0.0, units=0.0, raw=1.0, quarantined=1.0)
    frame = pd.concat([stray, days(rows=800.0, units=4000.0)], ignore_index=True)
    assert judged(frame) == judged(days(rows=800.0, units=4000.0)) != []


def test_a_store_all_of_whose_rows_were_refused_is_named() -> None:
    refused = days().iloc[-1:].assign(rows=0.0, units=0.0, raw=90.0, quarantined=90.0)
    assert [(found.check, found.held) for found in judged(refused)] == [("refused", True)]
