"""clean/sales, clean/products, clean/day_counts, monitoring/contracts -> monitoring/input_alerts, monitoring/drift"""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.calendar import calendar_days
from shelfcast.cleaning.fate import DAY_COUNTS
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.judging.contracts import RESULTS
from shelfcast.monitoring import contracts, drift, freshness, stores
from shelfcast.monitoring.alerts import FINDINGS, Finding, as_alerts, at_or_above, without_accepted
from shelfcast.monitoring.holds import without_held
from shelfcast.monitoring.judge import Judge
from shelfcast.monitoring.store_days import sum_store_days
from shelfcast.monitoring.tables import DRIFT, INPUT_ALERTS

_READS = (schemas.SALES, schemas.PRODUCTS, DAY_COUNTS)
_LOOKED_AT = ("store_id", "product_id", "sold_on", "quantity", "unit_price", "revenue", "known_from")


def job(config: Config) -> Job:
    settings = ("cleaning", "contracts", "monitoring", "runtime", "country")
    # What a run that a fatal contract has ended tells is of another run than the clean tables are.
    promised = (RESULTS,) if config.contracts else ()
    return Job("check_inputs", _READS, (INPUT_ALERTS, DRIFT), settings, check_inputs, optional=promised)


def check_inputs(run: Run) -> None:
    settings, as_of = run.config.monitoring, run.known_on
    known = demand.known_on(run.read(schemas.SALES), as_of, run.config.cleaning.key_of("sales"))
    # Once: which version of a row is known is asked of all its versions.
    sales = run.stage("sales", known.select(*_LOOKED_AT))
    counts = demand.standing(run.read(DAY_COUNTS), as_of).where(F.col("day") <= F.lit(as_of))
    store_days = run.stage("store_days", sum_store_days(sales, counts))
    sold_on = _days(store_days, settings.history_weeks)
    if not sold_on:
        run.write(DRIFT, run.spark.createDataFrame([], DRIFT.schema))
        _write(run, run.spark.createDataFrame([], FINDINGS))
        return
    closed = frozenset(day.day for day in calendar_days(min(sold_on), as_of, run.config.country) if day.is_holiday)
    judge = Judge(settings, max(sold_on), closed)
    found = judge.findings(store_days, run.config.runtime.buckets).unionByName(judge.findings_of_all(store_days))
    of_days = run.stage("findings", without_accepted(found, settings.accepted))
    due = freshness.newest_due(as_of, freshness.days_until_known(sales, max(sold_on)), run.config.source.now.date())
    stale = run.spark.createDataFrame(freshness.stale(sold_on, as_of, due, settings, closed), FINDINGS)
    sound = without_held(sales, of_days.where("held"))
    products = stores.product_shares(sound, as_of, 7 * settings.drift_weeks)
    told = [*_drift(run, sound), *stores.judge_shares(_shares(products), settings), *_broken(run)]
    others = run.spark.createDataFrame(told, FINDINGS).unionByName(without_accepted(stale, settings.accepted))
    _write(run, of_days.unionByName(others).unionByName(stores.new_stores(store_days, as_of, settings.window_days)))


def _write(run: Run, findings: DataFrame) -> None:
    run.write(INPUT_ALERTS, run.dated(as_alerts(findings)))
    held = at_or_above(run.read(INPUT_ALERTS), "critical").where("held").agg(F.count(F.lit(1)), F.max("reason")).first()
    if held and held[0]:
        run.say(f"{held[0]} days of stores are held, such as {held[1]}")


def _days(store_days: DataFrame, weeks: int) -> list[date]:
    """The days on which any store sold, of the last `weeks` weeks to the newest."""
    days = store_days.where("rows > 0").select("day").distinct()
    newest = days.agg(F.max("day")).first()
    if not newest or newest[0] is None:
        return []
    return [row.day for row in days.where(F.col("day") > F.lit(newest[0] - timedelta(weeks=weeks))).collect()]


def _drift(run: Run, sales: DataFrame) -> list[Finding]:
    """Measure the drift, write it, and tell what is beyond the limits."""
    settings = run.config.monitoring
    windows = drift.of_both_windows(
        demand.join_category(sales, run.read(schemas.PRODUCTS)), run.known_on, settings.drift_weeks
    )
    cuts = drift.deciles(windows)
    measured = drift.measure(drift.as_bins(_bins(drift.count_bins(windows, cuts)), cuts))
    rows = [(run.config.region, run.known_on, *row) for row in measured]
    run.write(DRIFT, run.spark.createDataFrame(rows, DRIFT.schema))
    return drift.judge(measured, settings)


def _broken(run: Run) -> list[Finding]:
    """The contracts that what came last has broken."""
    results = run.find(RESULTS) if run.config.contracts else None
    if results is None:
        return []
    rules = [rule.name for rule in run.config.contracts]
    return contracts.judge(contracts.newest_broken(results, rules, run.known_on).collect())


def _bins(counted: DataFrame) -> Sequence[tuple[str, str, float, float]]:
    return [(row.feature, row.label, row.expected, row.found) for row in counted.collect()]


def _shares(shares: DataFrame) -> list[tuple[int, float, float]]:
    return [(row.block, row.new, row.gone) for row in shares.collect()]
