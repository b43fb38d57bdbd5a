"""Rows that came twice: a day that is another day's copy, one whose rows are all there twice, one that cleaning has
freed of its duplicates; and a day most of whose rows were refused."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pandas as pd

from shelfcast.monitoring.alerts import CRITICAL, WARNING, Finding, subject_of
from shelfcast.settings.monitoring import Monitoring

Day = Mapping[Any, Any]
REPEATS, COPY, REFUSED = "repeats", "copy", "refused"
# Rows of one day may be alike by chance; those of a day that is half again as large as usual are not.
_LARGER = 1.4


def repeats(days: pd.DataFrame, settings: Monitoring) -> Iterator[Finding]:
    """days: of one store, as store_days has them, with `ratio`, what it sold against the usual, NaN where that is not
    known."""
    for day in days.to_dict("records"):
        if max(day["rows"], day["raw"]) >= settings.min_rows:
            yield from _of_day(day, settings)
    yield from _copies(days[days["rows"] >= settings.min_rows], settings)


def _of_day(day: Day, settings: Monitoring) -> Iterator[Finding]:
    rows, raw, duplicates, refused = (day[name] for name in ("rows", "raw", "duplicates", "quarantined"))
    if day["twice"] and not day["ratio"] < _LARGER:
        yield _finding(CRITICAL, REPEATS, day, f"each of its {rows:,.0f} rows is there twice", rows, rows / 2)
    if duplicates and duplicates >= settings.repeated_share * raw:
        said = f"{duplicates:,.0f} of its {raw:,.0f} rows came before, and are left out"
        yield _finding(WARNING, REPEATS, day, said, duplicates / raw, settings.repeated_share)
    if refused and refused >= settings.refused_share * raw:
        said = f"{refused:,.0f} of its {raw:,.0f} rows are refused (see clean/quarantine)"
        yield _finding(CRITICAL, REFUSED, day, said, refused / raw, settings.refused_share)


def _copies(days: pd.DataFrame, settings: Monitoring) -> Iterator[Finding]:
    """Days with the rows of another not long before: the same products in the same quantities at the same prices."""
    seen: dict[tuple[int, float], date] = {}
    for day in days.sort_values("day").to_dict("records"):
        other = seen.get((day["content"], day["rows"]))
        if other and (day["day"] - other).days <= settings.window_days:
            yield _finding(CRITICAL, COPY, day, f"its {day['rows']:,.0f} rows are those of {other}", day["rows"], 0.0)
        seen[day["content"], day["rows"]] = day["day"]


def _finding(severity: str, check: str, day: Day, said: str, found: float, wanted: float) -> Finding:
    subject, held = subject_of(day["day"], day["store_id"]), severity == CRITICAL
    return Finding(severity, check, subject, day["store_id"], day["day"], found, wanted, held, f"{subject}: {said}")
