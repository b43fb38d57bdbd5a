"""monitoring/input_alerts, clean/sales, forecasts/demand, demand/weekly -> monitoring/alerts, monitoring/deliveries; a
webhook and a file"""

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.availability.stores import unknown_weeks
from shelfcast.availability.tables import AVAILABILITY
from shelfcast.config import Config
from shelfcast.forecasting.conformal import QUANTILES
from shelfcast.job import Job, Run
from shelfcast.monitoring import arrivals, delivery, holds, levels, telling
from shelfcast.monitoring.alerts import FINDINGS, Finding, as_alerts, told_once, with_since
from shelfcast.monitoring.bounds import outside_history
from shelfcast.monitoring.shift import level_shifts
from shelfcast.monitoring.tables import ALERTS, DRIFT, INPUT_ALERTS
from shelfcast.table import column_names

_OPTIONAL = (schemas.FORECASTS, schemas.DEMAND["weekly"])


def job(config: Config) -> Job:
    """Raises ConfigError where the webhook's address is not known: before anything runs, not when it is wanted."""
    if config.monitoring.webhook:
        delivery.address_in(config.monitoring.webhook)
    return Job(
        "detect_anomalies",
        (INPUT_ALERTS, schemas.SALES),
        (ALERTS,),
        ("monitoring", "hidden_demand"),
        detect_anomalies,
        optional=(*_OPTIONAL, *((AVAILABILITY,) if config.hidden_demand.enabled else ())),
        stamp=_past_forecasts,
        present=lambda run: telling.is_told(run.lake, run.config, ALERTS, run.known_on),
    )


def detect_anomalies(run: Run) -> None:
    """Judge the forecast, write all alerts, then tell of them: what cannot be told now is in the table."""
    inputs = run.read(INPUT_ALERTS).select(*column_names(FINDINGS))
    # Those of demand/stores, which is not there where sales alone are looked at.
    stores = demand.standing(run.read(schemas.SALES), run.known_on).select("store_id").distinct()
    findings = told_once(inputs, stores.count())
    forecasts, weekly = (run.find(table) for table in _OPTIONAL)
    if forecasts is not None and weekly is not None:
        findings = findings.unionByName(_of_forecast(run, forecasts, weekly))
    run.write(ALERTS, run.dated(with_since(as_alerts(findings), _stood_before(run), run.known_on)))
    telling.tell(run.lake, run.config, ALERTS, run.known_on)


def _stood_before(run: Run) -> DataFrame:
    """The alerts of the last look before this one: a look that finds nothing leaves no alert, but the drift that it
    measured."""
    if not run.lake.exists(ALERTS):
        return run.spark.createDataFrame([], ALERTS.schema)
    is_before = F.col("forecast_date") < F.lit(run.known_on)
    alerts, drift = (run.lake.read(table, run.config.region).where(is_before) for table in (ALERTS, DRIFT))
    looks = alerts.select("forecast_date").unionByName(drift.select("forecast_date"))
    last = looks.agg(F.max("forecast_date").alias("forecast_date"))
    return alerts.join(F.broadcast(last), "forecast_date", how="semi")


def _of_forecast(run: Run, forecasts: DataFrame, weekly: DataFrame) -> DataFrame:
    settings = run.config.monitoring
    span = forecasts.agg(F.min("week"), F.max("step")).first()
    if not span or span[0] is None:
        return run.spark.createDataFrame([], FINDINGS)
    first, horizon = span
    # As wanted: what a forecast is to meet.
    history = run.stage("history", levels.weekly_levels(demand.as_wanted(weekly), first))
    past = arrivals.recent(run.lake.read(schemas.FORECASTS, run.config.region), run.known_on, settings.history_weeks)
    judged = [] if past.isEmpty() else _of_past_forecasts(run, past, history, first)
    return (
        outside_history(forecasts, history, settings)
        .unionByName(level_shifts(forecasts, history, first, horizon, settings))
        .unionByName(run.spark.createDataFrame(judged, FINDINGS))
    )


def _of_past_forecasts(run: Run, past: DataFrame, history: DataFrame, first: date) -> list[Finding]:
    """What has come since is beside them: up to the week `first`, that the newest forecast begins with."""
    arrived = arrivals.join_demand(past, history, _unknown_weeks(run), first)
    sums, settings = _arrived(arrivals.sum_arrivals(arrived)), run.config.monitoring
    return [*arrivals.judge_coverage(sums, settings), *arrivals.judge_bias(sums, settings)]


def _unknown_weeks(run: Run) -> DataFrame:
    """store_id, week: what is held, and where stores were closed or have not told. A store that has closed for good is
    no reason to judge the region's forecast no longer."""
    held, told = holds.held_days(run), run.find(AVAILABILITY) if AVAILABILITY in run.job.optional else None
    weeks = [] if held is None else [arrivals.held_weeks(held)]
    weeks += [] if told is None else [unknown_weeks(told)]
    return reduce(DataFrame.unionByName, weeks, run.spark.createDataFrame([], "store_id string, week date"))


def _arrived(sums: DataFrame) -> list[arrivals.Arrived]:
    rows = [row.asDict() for row in sums.collect()]
    kinds = [{name: f"{kind}_{name}" for name in QUANTILES} for kind in ("observed", "below")]
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
