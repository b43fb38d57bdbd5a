"""Tells a table's alerts to a webhook or a file, each once for as long as it stands: who was told what is in
monitoring/deliveries."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.config import Config
from shelfcast.errors import TransientError
from shelfcast.lake import Lake
from shelfcast.logs import say
from shelfcast.monitoring import delivery
from shelfcast.monitoring.alerts import WARNING, at_or_above, rank
from shelfcast.monitoring.tables import DELIVERIES
from shelfcast.settings.monitoring import Monitoring
from shelfcast.table import Table

_TOLD = ("alert_id", "severity", "check", "subject", "store_id", "day", "found", "wanted", "held", "reason", "since")


def tell(lake: Lake, config: Config, table: Table, day: date) -> list[str]:
    """Tell the alerts of `day` and shortly before it to every channel of the configuration. Returns the channels that
    did not take them."""
    return [channel for channel in _channels(config.monitoring) if not _tell(lake, config, table, day, channel)]


def is_told(lake: Lake, config: Config, table: Table, day: date) -> bool:
    """Whether no alert waits for a channel."""
    channels = _channels(config.monitoring)
    return lake.exists(table) and all(_waiting(lake, config, table, day, channel).isEmpty() for channel in channels)


def _channels(settings: Monitoring) -> list[str]:
    named = {"webhook": settings.webhook, "file": settings.alerts_file}
    return [f"{kind}:{name}" for kind, name in named.items() if name]


def _waiting(lake: Lake, config: Config, table: Table, day: date, channel: str) -> DataFrame:
    """The recent alerts that were not told there, each once, the worst first."""
    since = day - timedelta(days=config.monitoring.window_days)
    alerts = at_or_above(lake.read(table, config.region), WARNING)
    made = F.col("forecast_date")
    recent = alerts.where((made > F.lit(since)) & (made <= F.lit(day)))
    once = recent.groupBy("alert_id").agg(F.max_by(F.struct("forecast_date", *_TOLD[1:]), made).alias("_alert"))
    if lake.exists(DELIVERIES):
        told = lake.read(DELIVERIES, config.region).where(F.col("channel") == channel).alias("told")
        is_told = [
            F.col("told.alert_id") == F.col("once.alert_id"),
            F.col("told.since").eqNullSafe(F.col("_alert.since")),
        ]
        once = once.alias("once").join(told, is_told, how="anti")
    return once.select("alert_id", "_alert.*").orderBy(F.desc(rank(F.col("severity"))), F.desc("day"), "alert_id")


def _tell(lake: Lake, config: Config, table: Table, day: date, channel: str) -> bool:
    """What fails is said, waits in the table, and is told by the next run. Returns whether the channel has taken all
    that it was told."""
    settings, (kind, _, name) = config.monitoring, channel.partition(":")
    waiting = _waiting(lake, config, table, day, channel).limit(settings.most).collect()
    alerts = [_as_json(row.asDict()) for row in waiting]
    if not alerts:
        return True
    try:
        if kind == "webhook":
            address = delivery.address_in(name)
            delivery.post(address, config.region, alerts, settings.timeout, settings.tries)
        else:
            delivery.append_lines(Path(name), config.region, alerts)
    except (TransientError, OSError) as error:
        say(f"  alerts: {error}; {len(alerts)} alerts wait in {table.name}")
        return False
    now = datetime.now(UTC)
    rows = [(config.region, row.alert_id, channel, now, row.since) for row in waiting]
    lake.append(DELIVERIES, lake.spark.createDataFrame(rows, DELIVERIES.schema))
    say(f"  alerts: {len(alerts)} told by {kind}, such as {alerts[0]['reason']}")
    return True


def _as_json(alert: dict[str, object]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, date) else value for name, value in alert.items()}
