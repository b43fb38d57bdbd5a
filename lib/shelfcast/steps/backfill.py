"""the source's files, the file of decisions -> monitoring/publications: each day of a range, as a daily run would have
made it"""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rich.console import Console
from rich.table import Table

from shelfcast.errors import ConfigError
from shelfcast.publications import failures, published_days
from shelfcast.retraining import training_of
from shelfcast.runner import Runner, require_come
from shelfcast.steps.daily import make_days
from shelfcast.steps.retrain import receive, trained_days

State = Literal["published", "failed", "missing"]
# Which states each choice makes anew; as Airflow's backfills call them.
REPROCESS: Mapping[str, frozenset[State]] = {
    "none": frozenset({"missing"}),
    "failed": frozenset({"missing", "failed"}),
    "all": frozenset({"missing", "failed", "published"}),
}


@dataclass(frozen=True)
class Planned:
    """A day of a backfill: whether it would run, why, and as of which day its models would be trained."""

    day: date
    state: State
    runs: bool
    reason: str
    trained_on: date


def backfill(runner: Runner, flags: argparse.Namespace) -> None:
    """Make the days of flags.first..flags.last, oldest first; with flags.dry_run only say what would be done.

    Raises ConfigError where the range is empty or yet to come, LakeError where days could not be made.
    """
    if flags.first > flags.last:
        raise ConfigError(f"backfill: found --from {flags.first} after --to {flags.last}; wanted it on or before")
    require_come(runner.config, flags.last, "backfill: --to")
    with runner.lease:
        planned = _plan(runner, flags)
        _show(planned)
        days = [each.day for each in planned if each.runs]
        if days and not flags.dry_run:
            receive(runner)
            make_days(runner, days)


def _plan(runner: Runner, flags: argparse.Namespace) -> list[Planned]:
    lake, region = runner.lake, runner.config.region
    days = [flags.first + timedelta(days=n) for n in range((flags.last - flags.first).days + 1)]
    every = runner.config.retraining.every_days
    return plan(
        days, published_days(lake, region), failures(lake, region), flags.reprocess, trained_days(runner), every
    )


def plan(
    days: Iterable[date],
    published: Iterable[date],
    failed: Mapping[date, str],
    reprocess: str,
    trained: Iterable[date],
    every_days: int,
) -> list[Planned]:
    """What becomes of each day. A day that was published and failed when it was made again is published."""
    done, trainings, planned = {*published}, {*trained}, []
    for day in days:
        state: State = "published" if day in done else "failed" if day in failed else "missing"
        runs = state in REPROCESS[reprocess]
        training = training_of(day, trainings, every_days)
        if runs:
            # A training that is due on a day that runs is there for the days after it.
            trainings.add(training.day)
        reason = {"published": "is published", "failed": failed.get(day, ""), "missing": "was never made"}[state]
        planned.append(Planned(day, state, runs, reason, training.day))
    return planned


def _show(planned: Iterable[Planned]) -> None:
    """On stdout, a row a day."""
    table = Table(title="Backfill", title_justify="left")
    for column in ("day", "state", "", "why", "models of"):
        table.add_column(column, no_wrap=column == "day")
    for each in planned:
        does = "run" if each.runs else "skip"
        table.add_row(str(each.day), each.state, does, each.reason, str(each.trained_on) if each.runs else "")
    Console(width=140).print(table)
