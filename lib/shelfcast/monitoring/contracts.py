"""Contracts that the source has broken by what came last."""

from collections.abc import Collection, Iterable
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from shelfcast.monitoring.alerts import CRITICAL, INFO, WARNING, Finding, about

CONTRACT = "contract"
# By what becomes of a violation. A fatal one ends clean, and is told of once other sales than those have come.
_SEVERITIES = {"count": INFO, "quarantine": WARNING, "fatal": CRITICAL}
_OF_TABLES = ("freshness", "volume")


def newest_broken(results: DataFrame, rules: Collection[str], as_of: date) -> DataFrame:
    """rule, source_table, check, severity, rows, violations: of those of `rules` that the last run which knew of no day
    after `as_of` found broken. results: as monitoring/contracts has them."""
    known_on = F.coalesce("known_on", F.lit(as_of))
    known = results.where(F.col("rule").isin(*rules) & (known_on <= F.lit(as_of)))
    found = F.struct("source_table", "check", "severity", "rows", "violations")
    last = known.groupBy("rule").agg(F.max_by(found, "checked_at").alias("_last"))
    return last.select("rule", "_last.*").where("violations > 0").orderBy("rule")


def judge(broken: Iterable[Row]) -> list[Finding]:
    """A finding for each row of `newest_broken`."""
    return [
        about(CONTRACT, _SEVERITIES[rule.severity], f"contract {rule.rule}", _said(rule), float(rule.violations), 0.0)
        for rule in broken
    ]


def _said(rule: Row) -> str:
    if rule.check in _OF_TABLES:
        return f"{rule.source_table} breaks it ({rule.check})"
    return f"{rule.violations:,} of {rule.rows:,} rows of {rule.source_table} break it ({rule.check})"
