"""the source's files, the file of decisions -> monitoring/publications: the day's forecast, plan and report, and those
of the days missed before it"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from types import ModuleType

from shelfcast.config import Config
from shelfcast.errors import LakeError, ShelfcastError, TransientError
from shelfcast.failures import told_as_ours
from shelfcast.logs import say
from shelfcast.publications import DAY_RUNS, published_days
from shelfcast.runner import Runner
from shelfcast.steps import collect_decisions, detect_anomalies, forecast, plan_inventory, report, write_back
from shelfcast.steps.retrain import BEFORE, day_of, receive, with_models

_DAY = timedelta(days=1)


def daily(runner: Runner) -> list[date]:
    """Make and publish the as-of date, and before it the days missed since the last publication. Returns these days.

    Raises LakeError, naming them, where days could not be made; the others are.
    """
    with runner.lease:
        receive(runner)
        days = missed_days(published_days(runner.lake, runner.config.region), day_of(runner), runner.config)
        make_days(runner, days)
    return days


def missed_days(published: Iterable[date], day: date, config: Config) -> list[date]:
    """The days since the last publication up to `day`, as many as may be caught up on, and `day`."""
    last = max((each for each in published if each <= day), default=day - _DAY)
    missed = [last + n * _DAY for n in range(1, (day - last).days)]
    kept = missed[-config.daily.catch_up_days :] if config.daily.catch_up_days else []
    if len(kept) < len(missed):
        say(f"daily: {len(missed) - len(kept)} days from {missed[0]} on were missed; wanted a backfill")
    return [*kept, day]


def make_days(runner: Runner, days: list[date]) -> None:
    """Make each day in turn. A day that fails for good leaves the others to be made.

    Raises LakeError for these in the end; TransientError at once.
    """
    failed = {}
    for day in days:
        try:
            _make_day(runner, day)
        except TransientError:
            raise
        except ShelfcastError as error:
            failed[day] = str(error)
            say(f"daily: {day} failed: {error}")
    if failed:
        first, why = next(iter(failed.items()))
        raise LakeError(f"{len(failed)} of {len(days)} days could not be made, the first of them {first}: {why}")


def _make_day(runner: Runner, day: date) -> None:
    started = datetime.now(UTC)
    try:
        with told_as_ours():
            today = with_models(runner, day)
            for step in day_steps(runner.config):
                today.run(step.job(runner.config))
    except ShelfcastError as error:
        _record(runner, day, started, str(error))
        raise
    _record(runner, day, started, None)


def day_steps(config: Config) -> tuple[ModuleType, ...]:
    """The jobs of a day, in order; `report` publishes what the others made."""
    decided = (collect_decisions,) if config.inventory.decisions else ()
    planned = (*decided, plan_inventory) if config.source.tells_of_supply else ()
    # Alerts are told before the plan, which what is held may forbid.
    written = (write_back,) if config.write_back else ()
    return (*BEFORE, forecast, detect_anomalies, *planned, report, *written)


def _record(runner: Runner, day: date, started: datetime, error: str | None) -> None:
    seconds = (datetime.now(UTC) - started).total_seconds()
    row = (runner.config.region, day, started, seconds, error)
    runner.lake.append(DAY_RUNS, runner.spark.createDataFrame([row], DAY_RUNS.schema))
