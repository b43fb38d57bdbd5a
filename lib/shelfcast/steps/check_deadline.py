"""monitoring/publications, clean/day_counts -> monitoring/late_days, monitoring/deliveries; a webhook and a file"""

from datetime import date, time, timedelta

from pyspark.sql import functions as F

from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.errors import ConfigError, LateError, TransientError
from shelfcast.events import public_holidays
from shelfcast.lake_version import require_current
from shelfcast.logs import say
from shelfcast.monitoring import deadline, telling
from shelfcast.monitoring.alerts import FINDINGS, Finding, as_alerts
from shelfcast.monitoring.tables import LATE_DAYS
from shelfcast.publications import newest
from shelfcast.runner import Runner


def check_deadline(runner: Runner, day: date | None) -> None:
    """Without a lease: the run that is late may be at work. day: that is due; None for the newest that is, of those of
    which sales are waited for.

    Raises LateError where the day, and each after it, is not published, once that is told; TransientError where a
    channel has not taken it, or not that of a day before; ConfigError where the configuration has no deadline.
    """
    lake, config = runner.lake, runner.config
    wanted = config.daily.deadline
    if wanted is None:
        raise ConfigError("daily.deadline: not set; wanted a time of day in quotes, such as '06:30'")
    require_current(lake)
    last = newest(lake, config.region)
    published = last.forecast_date if last else None
    due = day or _due_by_now(runner, wanted, published)
    if published and published >= due:
        in_time = f"{published} is published, {due} is due"
        say(f"check_deadline: {in_time}")
        if lake.exists(LATE_DAYS):
            _tell(runner, published, in_time)
        return
    found = deadline.missed(due, wanted, published)
    _write(runner, due, found)
    _tell(runner, due, found.reason)
    raise LateError(found.reason)


def _due_by_now(runner: Runner, wanted: time, published: date | None) -> date:
    config = runner.config
    due = deadline.day_due(config.source.now, wanted)
    if published is None:
        return due
    holidays = public_holidays(config.country, range(published.year, due.year + 1))
    return deadline.newest_awaited(published, due, _sold_on(runner, published), holidays)


def _sold_on(runner: Runner, until: date) -> set[date]:
    """The days of the last weeks to `until` on which any store sold."""
    lake, config = runner.lake, runner.config
    if not lake.exists(DAY_COUNTS):
        return set()
    since = until - timedelta(weeks=config.monitoring.history_weeks)
    recent = (F.col("day") > F.lit(since)) & (F.col("day") <= F.lit(until))
    days = lake.read(DAY_COUNTS, config.region).where(recent & (F.col("clean") > 0)).select("day").distinct()
    return {row.day for row in days.collect()}


def _write(runner: Runner, due: date, found: Finding) -> None:
    """Once a day, however often it is asked."""
    lake, region = runner.lake, runner.config.region
    alerts = as_alerts(runner.spark.createDataFrame([tuple(found)], FINDINGS))
    rows = alerts.select(
        F.lit(region).alias("region"), F.lit(due).alias("forecast_date"), F.lit(due).alias("since"), "*"
    )
    if lake.exists(LATE_DAYS):
        rows = rows.join(lake.read(LATE_DAYS, region).select("alert_id", "forecast_date"),
                         ["alert_id", "forecast_date"], how="anti")  # fmt: skip
    if not rows.isEmpty():
        lake.append(LATE_DAYS, rows)


def _tell(runner: Runner, day: date, found: str) -> None:
    """Nothing else tells of late days: what waits for a channel is to be tried again."""
    refusing = telling.tell(runner.lake, runner.config, LATE_DAYS, day)
    if refusing:
        channels = " and ".join(refusing)
        raise TransientError(f"{found}; {channels} did not take the alerts of {LATE_DAYS.name}; wanted them told")
