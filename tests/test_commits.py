"""Which commit of a table was the last of some rows, and how far one has to look for it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shelfcast.commits import Commit, last_of, noted

DAYS = [f"2017-08-0{number}" for number in range(1, 10)]


class Log:
    """The commits of a table that is kept by date, and which of them were looked at."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.seen: list[int] = []

    def newest_first(self):
        for commit in reversed(self.commits):
            self.seen.append(commit.version)
            yield commit

    def add(self, note: dict[str, Any]) -> None:
        self.commits.append(Commit(len(self.commits), note, 1, datetime(2017, 8, 1, tzinfo=UTC)))

    def put(self, day: str, region: str = "north") -> None:
        scope = scope_of(day, region)
        self.add(json.loads(noted({"run_key": f"{region} {day}"}, scope, self.newest_first())))

    def find(self, day: str, region: str = "north") -> int | None:
        self.seen.clear()
        found = last_of(self.newest_first(), scope_of(day, region))
        return found.version if found else None


def scope_of(day: str, region: str = "north") -> dict[str, str]:
    return {"region": region, "forecast_date": day}


@pytest.fixture
def log() -> Log:
    return Log()


def test_the_search_for_a_new_date_ends_at_the_last_commit_of_the_region(log: Log) -> None:
    for day in DAYS[:5]:
        log.put(day)
        log.put(day, "south")
    assert log.find(DAYS[5]) is None
    assert log.seen == [9, 8]


@pytest.mark.parametrize("order", [DAYS[:5], DAYS[4::-1], [*DAYS[2:5], *DAYS[:2]]], ids=["days", "back", "backfilled"])
def test_every_date_is_found_in_whatever_order_they_were_made(log: Log, order: list[str]) -> None:
    for day in order:
        log.put(day)
        log.put(DAYS[8], "south")
    assert [log.find(day) for day in order] == [0, 2, 4, 6, 8]
    assert log.find(DAYS[5]) is None
    assert log.seen == [9, 8]


def test_commits_of_before_that_tell_of_no_newest_date_count(log: Log) -> None:
    log.put(DAYS[0])
    log.add({"run_key": "of older code", "scope": scope_of(DAYS[6])})
    log.put(DAYS[1])
    assert (log.find(DAYS[6]), log.find(DAYS[5]), log.find(DAYS[7])) == (1, None, None)
    assert log.seen == [2], "the date after all of them"


def test_a_commit_made_by_hand_may_have_changed_any_date(log: Log) -> None:
    log.put(DAYS[0])
    log.add({})
    log.put(DAYS[1])
    assert (log.find(DAYS[8]), log.find(DAYS[1])) == (1, 2)
