"""The command line that every job shares: flags in, exit status out.

0 done, 1 permanent failure (one line on stderr), 2 wrong usage, 3 done, with alerts at or above --fail-on, 75
transient (safe to retry), 130 interrupted, 143 ended by SIGTERM.
"""

import argparse
from collections.abc import Callable, Collection, Sequence
from datetime import date

from py4j.protocol import Py4JError
from pyspark.sql import functions as F

from shelfcast import config, logs
from shelfcast.config import Config
from shelfcast.errors import ShelfcastError, TransientError
from shelfcast.failures import told_as_ours
from shelfcast.flags import parser
from shelfcast.job import Job
from shelfcast.monitoring.alerts import at_or_above, rank
from shelfcast.runner import Runner
from shelfcast.session import is_jvm_gone, open_session
from shelfcast.table import Table

# What a command does. Returns the days that it made; None where that is the as-of date alone.
Work = Callable[[Runner], Collection[date] | None]

ALERTED, INTERRUPTED = 3, 130
_NO_JVM = "Spark's JVM has ended or was killed; wanted it to live until the job was done"
_INTERRUPTED = "the lake is as the last finished commit left it; the same command goes on from there"


def run_job(description: str, make_job: Callable[[Config], Job], argv: Sequence[str]) -> int:
    """Run one job of the flow. Returns the exit status."""

    def work(runner: Runner) -> None:
        runner.run(make_job(runner.config))

    return run(description, work, argv)


def run_jobs(
    description: str, make_jobs: Sequence[Callable[[Config], Job]], argv: Sequence[str], alerts: Table | None = None
) -> int:
    """Run jobs one after the other under one lease. alerts: as in `run`. Returns the exit status."""

    def work(runner: Runner) -> None:
        with runner.lease:
            for make_job in make_jobs:
                runner.run(make_job(runner.config))

    return run(description, work, argv, alerts)


def run(description: str, work: Work, argv: Sequence[str], alerts: Table | None = None) -> int:
    """Parse the flags, open the session, do the work. Returns the exit status.

    alerts: the table of alerts that the work of a job with a flag --fail-on writes.
    """
    return carry_out(parser(description).parse_args(argv), work, alerts)


def carry_out(flags: argparse.Namespace, work: Work, alerts: Table | None = None) -> int:
    """Open the session of parsed flags, do the work. alerts: as in `run`. Returns the exit status."""
    logs.configure(flags.log)
    changes = [*flags.set, *([f"region={flags.region}"] if flags.region else [])]
    try:
        with told_as_ours():
            settings = config.load(flags.config, changes)
            runner = Runner(open_session(f"shelfcast {settings.region}"), settings, flags.as_of)
            days = work(runner)
            if alerts is not None and flags.fail_on and (worst := worst_alert(runner, alerts, flags.fail_on, days)):
                return _ended("alerts", worst, ALERTED)
    except ShelfcastError as error:
        return _ended("error", str(error), error.exit_status)
    except (Py4JError, ConnectionError):
        if not is_jvm_gone():
            raise
        return _ended("error", _NO_JVM, TransientError.exit_status)
    except KeyboardInterrupt:
        return _ended("interrupted", _INTERRUPTED, INTERRUPTED)
    return 0


def _ended(kind: str, message: str, status: int) -> int:
    logs.end(kind, message, status)
    return status


def worst_alert(runner: Runner, table: Table, fail_on: str, days: Collection[date] | None) -> str:
    """How many alerts of the days, or with None of the as-of date, are at or above `fail_on`, and what the worst says;
    "" where none is. One that stands on several days is one."""
    made = [runner.as_of] if days is None else days
    alerts = runner.lake.read(table, runner.config.region).where(F.col("forecast_date").isin(*made))
    chosen = at_or_above(alerts, fail_on)
    worst = F.max_by("reason", F.struct(rank(F.col("severity")), "day", "reason"))
    found = chosen.agg(F.count_distinct("alert_id"), worst).first()
    return f"{found[0]} of severity {fail_on} or above, such as {found[1]}" if found and found[0] else ""
