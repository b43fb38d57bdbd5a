"""monitoring/publications -> monitoring/late_days, monitoring/deliveries; a webhook and a file"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from pyspark.sql import functions as F

from shelfcast.errors import ConfigError, LateError
from shelfcast.lake_version import require_current
from shelfcast.logs import say
from shelfcast.monitoring import deadline, telling
from shelfcast.monitoring.alerts import FINDINGS, Finding, as_alerts
from shelfcast.monitoring.tables import LATE_DAYS
from shelfcast.publications import newest
from shelfcast.runner import Runner


def check_deadline(runner: Runner, day: date | None) -> None:
    """Without a lease: the run that is late may be at work. day: that is due; None for the newest that is.

    Raises LateError where the day, and each after it, is not published, once that is told; ConfigError where the
    configuration has no deadline.
    """
    lake, config = runner.lake, runner.config
    wanted = config.daily.deadline
    if wanted is None:
        raise ConfigError("daily.deadline: not set; wanted a time of day in quotes, such as '06:30'")
    require_current(lake)
    due = day or deadline.day_due(datetime.now(ZoneInfo(config.source.time_zone)), wanted)
    published = newest(lake, config.region)
    if published and published.forecast_date >= due:
        say(f"check_deadline: {published.forecast_date} is published, {due} is due")
        return
    found = deadline.missed(due, wanted, published.forecast_date if published else None)
    _write(runner, due, found)
    telling.tell(lake, config, LATE_DAYS, due)
    raise LateError(found.reason)


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
