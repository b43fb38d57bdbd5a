"""monitoring/input_alerts, forecasts/demand, demand/weekly -> monitoring/alerts, monitoring/deliveries; a webhook and
a file"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.config import Config
from shelfcast.errors import TransientError
from shelfcast.job import Job, Run
from shelfcast.monitoring import arrivals, delivery, holds, levels
from shelfcast.monitoring.alerts import FINDINGS, WARNING, Finding, as_alerts, at_or_above, rank, told_once
from shelfcast.monitoring.bounds import outside_history
from shelfcast.monitoring.shift import level_shifts
from shelfcast.monitoring.tables import ALERTS, DELIVERIES, INPUT_ALERTS
from shelfcast.table import column_names
from shelfcast.weeks import monday

_OPTIONAL = (schemas.FORECASTS, schemas.DEMAND["weekly"])
_TOLD = ("alert_id", "severity", "check", "subject", "store_id", "day", "found", "wanted", "held", "reason")


def job(config: Config) -> Job:
    """Raises ConfigError where the webhook's address is not known: before anything runs, not when it is wanted."""
    if config.monitoring.webhook:
        delivery.address_in(config.monitoring.webhook)
    return Job(
        "detect_anomalies",
        (INPUT_ALERTS, schemas.STORES),
        (ALERTS,),
        ("monitoring",),
        detect_anomalies,
        optional=_OPTIONAL,
        stamp=_past_forecasts,
        present=_is_told,
    )


def detect_anomalies(run: Run) -> None:
    """Judge the forecast, write all alerts, then tell of them: what cannot be told now is in the table."""
    inputs = run.read(INPUT_ALERTS).select(*column_names(FINDINGS))
    findings = told_once(inputs, run.read(schemas.STORES).count())
    forecasts, weekly = (run.find(table) for table in _OPTIONAL)
    if forecasts is not None and weekly is not None:
        findings = findings.unionByName(_of_forecast(run, forecasts, weekly))
    run.write(ALERTS, run.dated(as_alerts(findings)))
    for channel in _channels(run):
        _tell(run, channel)


def _of_forecast(run: Run, forecasts: DataFrame, weekly: DataFrame) -> DataFrame:
    settings = run.config.monitoring
    span = forecasts.agg(F.min("week"), F.max("step")).first()
    if not span or span[0] is None:
        return run.spark.createDataFrame([], FINDINGS)
    first, horizon = span
    # As wanted: what a forecast is to meet.
    history = run.stage("history", levels.weekly_levels(demand.as_wanted(weekly), first))
    past = arrivals.recent(run.lake.read(schemas.FORECASTS, run.config.region), run.known_on, settings.history_weeks)
    judged = [] if past.isEmpty() else _of_past_forecasts(run, past, history)
    return (
        outside_history(forecasts, history, settings)
        .unionByName(level_shifts(forecasts, history, first, horizon, settings))
        .unionByName(run.spark.createDataFrame(judged, FINDINGS))
    )


def _of_past_forecasts(run: Run, past: DataFrame, history: DataFrame) -> list[Finding]:
    """What has come since is beside them."""
    arrived = arrivals.join_demand(past, history, _held_weeks(run), monday(run.known_on + timedelta(days=1)))
    sums, settings = _arrived(arrivals.sum_arrivals(arrived)), run.config.monitoring
    return [*arrivals.judge_coverage(sums, settings), *arrivals.judge_bias(sums, settings)]


def _held_weeks(run: Run) -> DataFrame | None:
    held = holds.held_days(run)
    if held is None:
        return None
    return held.select("store_id", F.date_trunc("week", "day").cast("date").alias("week")).distinct()


def _arrived(sums: DataFrame) -> list[arrivals.Arrived]:
    rows = [row.asDict() for row in sums.collect()]
    kinds = [{name: f"{kind}_{name}" for name in arrivals.QUANTILES} for kind in ("observed", "below")]
    return [
        arrivals.Arrived(
            row["level"], row["weeks"], row["sold"], row["forecast"],
            *({name: row[column] for name, column in kind.items()} for kind in kinds),
        )
        for row in rows
    ]  # fmt: skip


def _past_forecasts(run: Run) -> str:
    """The run of the last forecast of any date: what is judged is not that of the as-of date alone."""
    if not run.lake.exists(schemas.FORECASTS):
        return ""
    commit = run.lake.last_commit(schemas.FORECASTS, {"region": run.config.region})
    return commit.run_key if commit else ""


def _channels(run: Run) -> list[str]:
    settings = run.config.monitoring
    named = {"webhook": settings.webhook, "file": settings.alerts_file}
    return [f"{kind}:{name}" for kind, name in named.items() if name]


def _waiting(run: Run, channel: str) -> DataFrame:
    """The recent alerts that were not told there, each once, the worst first."""
    since = run.known_on - timedelta(days=run.config.monitoring.window_days)
    alerts = at_or_above(run.lake.read(ALERTS, run.config.region), WARNING)
    made = F.col("forecast_date")
    recent = alerts.where((made > F.lit(since)) & (made <= F.lit(run.known_on)))
    once = recent.groupBy("alert_id").agg(F.max_by(F.struct("forecast_date", *_TOLD[1:]), made).alias("_alert"))
    if run.lake.exists(DELIVERIES):
        told = run.lake.read(DELIVERIES, run.config.region).where(F.col("channel") == channel).select("alert_id")
        once = once.join(told.distinct(), "alert_id", how="anti")
    return once.select("alert_id", "_alert.*").orderBy(F.desc(rank(F.col("severity"))), F.desc("day"), "alert_id")


def _is_told(run: Run) -> bool:
    return run.lake.exists(ALERTS) and all(_waiting(run, channel).isEmpty() for channel in _channels(run))


def _tell(run: Run, channel: str) -> None:
    """What fails is said, waits in the table, and is told by the next run."""
    settings, (kind, _, name) = run.config.monitoring, channel.partition(":")
    waiting = _waiting(run, channel)
    alerts = [_as_json(row.asDict()) for row in waiting.limit(settings.most).collect()]
    if not alerts:
        return
    try:
        if kind == "webhook":
            address = delivery.address_in(name)
            delivery.post(address, run.config.region, alerts, settings.timeout, settings.tries)
        else:
            delivery.append_lines(Path(name), alerts)
    except (TransientError, OSError) as error:
        run.say(f"{error}; {len(alerts)} alerts wait in {ALERTS.name}")
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [(run.config.region, alert["alert_id"], channel, now) for alert in alerts]
    run.lake.append(DELIVERIES, run.spark.createDataFrame(rows, DELIVERIES.schema))
    run.say(f"{len(alerts)} alerts told by {kind}, such as {alerts[0]['reason']}")


def _as_json(alert: dict[str, object]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, date) else value for name, value in alert.items()}
